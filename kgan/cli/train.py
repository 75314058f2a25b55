"""`kgan train`."""

from pathlib import Path

from kgan.cli import quiet, types

HELP = "train a GAN on pictures"
DESCRIPTION = """\
Trains a GAN and writes a run: DIR/NAME/ with model.keras, samples/, history.csv, logs/.

  kgan train                                  the embedded clothes, 32x32 grey
  kgan train photos/ --size 64x64             a folder of pictures, subfolders too
  kgan train pictures.npz --minutes 30        arrays
  kgan train tfds:fashion_mnist --epochs 10   a TensorFlow Datasets set
"""


def add_arguments(parser):
    """Adds the command's arguments in groups."""
    data = parser.add_argument_group("data")
    data.add_argument(
        "data",
        nargs="?",
        metavar="DATA",
        help="folder, .npz or .npy file, TFRecord shards or tfds:NAME (the embedded set)",
    )
    data.add_argument(
        "--size",
        type=types.size,
        metavar="HxW",
        help="height and width, also HxWxC (default: the arrays' own; 64x64 for files)",
    )
    data.add_argument(
        "--fit", choices=("crop", "pad"), default="crop", help="how other shapes are fitted (crop)"
    )
    data.add_argument(
        "--background",
        type=types.background,
        default=(255, 255, 255),
        metavar="R,G,B",
        help="colour under transparent pictures and around padded ones (255,255,255)",
    )
    data.add_argument(
        "--augment",
        type=types.names,
        metavar="NAMES",
        help="'flip', or 'none' (default: flip; none for the embedded set and tfds, "
        "where left and right may matter)",
    )
    data.add_argument(
        "--strict", action="store_true", help="stop at a picture that cannot be decoded"
    )
    model = parser.add_argument_group("model")
    model.add_argument("--preset", default="dcgan", help="named configuration (dcgan)")
    model.add_argument("--filters", type=types.whole_number, metavar="N", help="width unit (64)")
    model.add_argument("--latent-dim", type=types.whole_number, metavar="N", help="(100)")
    length = parser.add_argument_group("length, one of").add_mutually_exclusive_group()
    length.add_argument("--epochs", type=types.whole_number, metavar="N", help="(25)")
    length.add_argument("--steps", type=types.whole_number, metavar="N")
    length.add_argument("--minutes", type=types.minutes, metavar="M")
    training = parser.add_argument_group("training")
    training.add_argument(
        "--batch-size", type=types.whole_number, metavar="N", help="the preset's (128)"
    )
    training.add_argument("--seed", type=types.seed, default=0, metavar="N", help="(0)")
    run = parser.add_argument_group("run")
    run.add_argument("--name", help="the run's name (from preset, data and time)")
    run.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help="(runs)")
    run.add_argument(
        "--resume",
        type=Path,
        metavar="RUN",
        help="train an existing run further, with its own data and settings",
    )


def run(arguments):
    """Trains and prints the run's directory last."""
    quiet.import_tensorflow()
    from kgan.training import run as runs

    length = {"epochs": arguments.epochs, "steps": arguments.steps, "minutes": arguments.minutes}
    if arguments.resume:
        result = runs.resume_run(arguments.resume, **length)
    else:
        config = runs.RunConfig(
            data=arguments.data,
            preset=arguments.preset,
            size=arguments.size,
            latent_dim=arguments.latent_dim,
            filters=arguments.filters,
            batch_size=arguments.batch_size,
            fit=arguments.fit,
            background=arguments.background,
            augment=arguments.augment,
            strict=arguments.strict,
            seed=arguments.seed,
        )
        name = arguments.name or runs.default_name(arguments.preset, arguments.data)
        result = runs.new_run(config, arguments.out / name, **length)
    if result.skipped:
        print(f"skipped {len(result.skipped)} pictures that could not be decoded")
    print(f"{result.steps} steps at {result.images_per_second:.0f} images/s")
    if result.interrupted:
        print(f"interrupted and saved; to go on: kgan train --resume {result.directory}")
    else:
        print(f"next: kgan generate {result.directory}   or: kgan export {result.directory}")
    print(result.directory)
