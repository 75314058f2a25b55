"""`kgan generate`."""

from pathlib import Path

from kgan import images, labels, manifest
from kgan.cli import quiet_tensorflow, types
from kgan.errors import InputError

HELP = "draw pictures from a trained model or an export"
DESCRIPTION = """\
Draws pictures. MODEL is a run's directory, a .keras file or an export; an
export is run by onnxruntime and needs no tensorflow. An autoencoder
reconstructs pictures: each row of them stands over what comes back.

  kgan generate runs/NAME -n 64 -o grid.png
  kgan generate saved_models/NAME --seed 7 --separate pictures/
  kgan generate runs/NAME --class Bag -n 16
"""
NICE = 20


def add_arguments(parser):
    """Adds the command's arguments."""
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("-n", type=types.whole_number, default=64, help="number of pictures (64)")
    parser.add_argument(
        "--seed",
        type=types.seed,
        help="seed of the first picture (0)",
    )
    parser.add_argument(
        "--nice",
        type=types.whole_number,
        nargs="?",
        const=NICE,
        default=1,
        metavar="K",
        help=f"make K times as many and keep those the discriminator finds most real ({NICE})",
    )
    parser.add_argument(
        "--class",
        dest="class_name",
        metavar="CLASS",
        help="draw this class, by name or number (a conditional model; all in turn)",
    )
    parser.add_argument(
        "--pictures",
        metavar="DATA",
        help="pictures for an autoencoder to reconstruct (those it was trained on)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="PNG", help="one sheet of all pictures (grid.png)"
    )
    parser.add_argument(
        "--separate", type=Path, metavar="DIR", help="each picture by itself, DIR/seed-000000.png"
    )


def run(arguments):
    """Draws and prints the path of what was made last."""
    if arguments.output and arguments.output.suffix.lower() != ".png":
        raise InputError(f"The sheet is a .png file. Received: {arguments.output}")
    made, names, sheet = _draw(arguments)
    try:
        if arguments.separate:
            for picture, name in zip(made, names, strict=True):
                images.save_png(arguments.separate / f"{name}.png", picture)
        if arguments.output or not arguments.separate:
            path = arguments.output or Path("grid.png")
            images.save_png(path, sheet)
            print(path)
    except OSError as error:
        place = arguments.separate or arguments.output or error.filename
        raise InputError(f"Cannot write there ({error.strerror}): {place}") from None
    if arguments.separate:
        print(arguments.separate)


def _draw(arguments):
    """(pictures, a file name for each, the sheet that shows them)."""
    if manifest.find_autoencoder(arguments.model) is not None:
        from kgan import runtime

        return _reconstruct(arguments, runtime.Autoencoder(arguments.model), None)
    if manifest.find_onnx(arguments.model) is not None:
        if arguments.nice > 1:
            raise InputError(
                "--nice asks the discriminator, which an export does not hold; give the run or "
                f"its .keras file. Received: {arguments.model}"
            )
        _no_pictures(arguments)
        from kgan import runtime

        generator = runtime.Generator(arguments.model)
        seed = arguments.seed or 0
        seeds = range(seed, seed + arguments.n)
        made = generator.generate(arguments.n, seed, _label(arguments, generator))
        return _named(made, seeds)
    quiet_tensorflow.import_tensorflow()
    from kgan.runs import load
    from kgan.training import GAN
    from kgan.training.generating import sample

    model = load.load_model(arguments.model, compile=False)
    if not isinstance(model, GAN):
        return _reconstruct(arguments, model, load.run_directory(arguments.model))
    _no_pictures(arguments)
    label = _label(arguments, model)
    return _named(*sample(model, arguments.n, arguments.seed or 0, label, arguments.nice))


def _named(made, seeds):
    return made, [f"seed-{seed:06d}" for seed in seeds], images.grid(made)


def _label(arguments, model):
    if arguments.class_name is None:
        return None
    return labels.index_of(arguments.class_name, model.class_names, model.num_classes)


def _no_pictures(arguments):
    if arguments.pictures is not None:
        raise InputError(
            f"--pictures is for an autoencoder; a GAN draws from seeds. Received: {arguments.model}"
        )


def _reconstruct(arguments, model, run):
    """As `_draw`, of a model that is an autoencoder; its run's directory says which pictures."""
    if arguments.class_name is not None or arguments.nice > 1 or arguments.seed is not None:
        raise InputError(
            f"--seed, --class and --nice are for a GAN. Received an autoencoder: {arguments.model}"
        )
    if run is None and arguments.pictures is None:
        raise InputError(
            "An autoencoder by itself needs --pictures DATA to reconstruct. "
            f"Received: {arguments.model}"
        )
    quiet_tensorflow.import_tensorflow()  # which reads the pictures
    from kgan.runs import RunOptions, build
    from kgan.runs.directory import read_options

    options = read_options(run) if run else RunOptions(size=model.image_shape)
    shown = build.images_of(options, arguments.pictures, arguments.n)
    made = model.reconstruct(shown)
    names = [f"picture-{index:06d}" for index in range(len(made))]
    return made, names, images.pairs(shown, made)
