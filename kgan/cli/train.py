"""`kgan train`."""

from pathlib import Path

from kgan.cli import pictures, quiet_tensorflow, types
from kgan.errors import InputError

HELP = "train a GAN on pictures"
DESCRIPTION = """\
Trains a GAN or an autoencoder and writes a run: DIR/NAME/ with model.keras,
samples/, history.csv, logs/.

  kgan train                                  the embedded clothes, 32x32 grey
  kgan train photos/ --size 64x64             a folder of pictures, subfolders too
  kgan train pictures.npz --minutes 30        arrays
  kgan train tfds:fashion_mnist --epochs 10   a TensorFlow Datasets set
  kgan train --list-presets                   what there is to train
"""


# Arguments that RunConfig takes by the same names; its defaults stand for those not given.
SETTINGS = (
    *pictures.SOURCE,
    *pictures.FITTING,
    "augment",
    "preset",
    "latent_dim",
    "filters",
    "batch_size",
    "ema_half_life_images",
    "conditional",
    "diffaugment",
    "ada",
    "precision",
    "seed",
)
OF_A_NEW_RUN = (*SETTINGS, "name", "out")


def add_arguments(parser):
    """Adds the command's arguments in groups."""
    data = parser.add_argument_group("data")
    pictures.add_source(data, default="the embedded set")
    pictures.add_fitting(data, size="the data's own where all have one; 64x64 for files")
    pictures.add_augment(
        data, default="flip; none for the embedded set and tfds, where left and right may matter"
    )
    model = parser.add_argument_group("model")
    model.add_argument("--preset", help="named configuration (dcgan)")
    model.add_argument("--list-presets", action="store_true", help="show them and exit")
    model.add_argument(
        "--filters", type=types.whole_number, metavar="N", help="width unit (the preset's)"
    )
    model.add_argument("--latent-dim", type=types.whole_number, metavar="N", help="(the preset's)")
    model.add_argument(
        "--conditional",
        action="store_true",
        default=None,
        help="learn the data's classes: subfolders, an array file's labels, a TFDS label",
    )
    length = parser.add_argument_group("length, one of").add_mutually_exclusive_group()
    length.add_argument("--epochs", type=types.whole_number, metavar="N", help="(25)")
    length.add_argument("--steps", type=types.whole_number, metavar="N")
    length.add_argument("--minutes", type=types.minutes, metavar="M")
    training = parser.add_argument_group("training")
    training.add_argument(
        "--batch-size", type=types.whole_number, metavar="N", help="(the preset's)"
    )
    training.add_argument(
        "--diffaugment",
        nargs="?",
        const="color,translation,cutout",
        metavar="POLICY",
        help="change all that the discriminator sees (color,translation,cutout); for few pictures",
    )
    training.add_argument(
        "--ada",
        action="store_true",
        default=None,
        help="the same with a strength that adapts to how sure the discriminator is",
    )
    training.add_argument(
        "--ema-half-life-images",
        type=types.seed,
        metavar="N",
        help="half-life of the averaged generator in images; 0 for none (the preset's)",
    )
    training.add_argument(
        "--precision",
        metavar="P",
        help="float32, mixed_float16 or mixed_bfloat16: what layers compute in (float32)",
    )
    training.add_argument(
        "--strategy",
        default="auto",
        metavar="S",
        help="devices: auto, none, mirrored (this machine's GPUs), multiworker (TF_CONFIG) or tpu",
    )
    training.add_argument("--seed", type=types.seed, metavar="N", help="(0)")
    run = parser.add_argument_group("run")
    run.add_argument("--name", help="the run's name (from preset, data and time)")
    run.add_argument("--out", type=Path, metavar="DIR", help="(runs)")
    run.add_argument(
        "--resume",
        type=Path,
        metavar="RUN",
        help="train an existing run further, with its own data and settings",
    )


def run(arguments):
    """Trains and prints the run's directory last; 1 when it was interrupted, else 0."""
    quiet_tensorflow.import_tensorflow()
    if arguments.list_presets:
        print(preset_table())
        return 0
    from kgan.training.distribution import has_workers, make_strategy

    strategy = make_strategy(arguments.strategy)  # of several workers before all else

    from kgan.runs import run as runs
    from kgan.runs.build import RunConfig

    options = {"epochs": arguments.epochs, "steps": arguments.steps, "minutes": arguments.minutes}
    options["strategy"] = strategy
    if arguments.resume:
        given = [
            "DATA" if name == "data" else f"--{name.replace('_', '-')}"
            for name in pictures.given(arguments, OF_A_NEW_RUN)
        ]
        if given:
            raise InputError(
                "--resume goes on with the run's own data and settings; only --strategy, and "
                f"--epochs, --steps or --minutes go with it. Received: {' '.join(given)}"
            )
        result = runs.resume_run(arguments.resume, **options)
    else:
        config = RunConfig(**pictures.given(arguments, SETTINGS))
        if has_workers(strategy) and not arguments.name:
            raise InputError("Several workers train one run: give each the same --name")
        name = arguments.name or runs.default_name(config.preset, config.data)
        result = runs.new_run(config, (arguments.out or Path("runs")) / name, **options)
    if result.skipped:
        print(f"skipped {len(result.skipped)} pictures that could not be decoded")
    print(f"{result.steps} steps at {result.images_per_second:.0f} images/s")
    if result.interrupted:
        print(f"interrupted and saved; to go on: kgan train --resume {result.directory}")
    else:
        print(f"next: kgan generate {result.directory}   or: kgan export {result.directory}")
    print(result.directory)
    return int(result.interrupted)


def preset_table():
    """The presets as a Markdown table: default shape, parameters, use and source."""
    from kgan.models.presets import PRESETS, conditional_presets, make_networks

    rows = [
        "| preset | default | parameters | classes | good for | source |",
        "|---|---|---|---|---|---|",
    ]
    for name, preset in PRESETS.items():
        counts = " + ".join(
            f"{network.count_params():,}" for network in make_networks(name).values()
        )
        shape = "x".join(map(str, preset.image_shape))
        classes = "yes" if name in conditional_presets() else ""
        cells = (f"`{name}`", shape, counts, classes, preset.good_for, preset.source)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)
