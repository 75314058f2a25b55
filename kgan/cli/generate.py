"""`kgan generate`."""

from pathlib import Path

from kgan import images, manifest
from kgan.cli import quiet, types
from kgan.errors import InputError

HELP = "draw pictures from a trained model or an export"
DESCRIPTION = """\
Draws pictures. MODEL is a run's directory, a .keras file or an export; an
export is run by onnxruntime and needs no tensorflow.

  kgan generate runs/NAME -n 64 -o grid.png
  kgan generate saved_models/NAME --seed 7 --separate pictures/
"""
NICE = 20


def add_arguments(parser):
    """Adds the command's arguments."""
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("-n", type=types.whole_number, default=64, help="number of pictures (64)")
    parser.add_argument(
        "--seed",
        type=types.seed,
        default=0,
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
        "-o", "--output", type=Path, metavar="PNG", help="one sheet of all pictures (grid.png)"
    )
    parser.add_argument(
        "--separate", type=Path, metavar="DIR", help="each picture by itself, DIR/seed-000000.png"
    )


def run(arguments):
    """Draws and prints the path of what was made last."""
    if arguments.output and arguments.output.suffix.lower() != ".png":
        raise InputError(f"The sheet is a .png file. Received: {arguments.output}")
    made, seeds = _draw(arguments)
    try:
        if arguments.separate:
            for picture, seed in zip(made, seeds, strict=True):
                images.save_png(arguments.separate / f"seed-{seed:06d}.png", picture)
        if arguments.output or not arguments.separate:
            sheet = arguments.output or Path("grid.png")
            images.save_png(sheet, images.grid(made))
            print(sheet)
    except OSError as error:
        place = arguments.separate or arguments.output or error.filename
        raise InputError(f"Cannot write there ({error.strerror}): {place}") from None
    if arguments.separate:
        print(arguments.separate)


def _draw(arguments):
    if manifest.find_onnx(arguments.model) is not None:
        if arguments.nice > 1:
            raise InputError(
                "--nice asks the discriminator, which an export does not hold; give the run or "
                f"its .keras file. Received: {arguments.model}"
            )
        from kgan import runtime

        generator = runtime.Generator(arguments.model)
        seeds = range(arguments.seed, arguments.seed + arguments.n)
        return generator.generate(arguments.n, arguments.seed), seeds
    quiet.import_tensorflow()
    from kgan.training import load_gan
    from kgan.training.sampling import sample

    gan = load_gan(arguments.model, compile=False)
    return sample(gan, arguments.n, arguments.seed, arguments.nice)
