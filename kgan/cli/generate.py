"""`kgan generate`."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kgan import export_places, images, labels, memory
from kgan.attributes import parse_asked
from kgan.cli import quiet_tensorflow
from kgan.cli.arguments import argument_type
from kgan.errors import InputError
from kgan.files import printable, put_in_place, staging_directory, writing
from kgan.names import name_of
from kgan.option_fields import FROM_ZERO, WHOLE, Kind

if TYPE_CHECKING:
    from kgan.runtime import Generator

HELP = "draw pictures from a trained model or an export"
DESCRIPTION = """\
Draws pictures. MODEL is a run's directory, a .keras file or an export; an
export is run by onnxruntime and needs no tensorflow. An autoencoder
reconstructs pictures: each row of them stands over what comes back.

  kgan generate runs/NAME -n 64 -o grid.png
  kgan generate saved_models/NAME --seed 7 --separate pictures/
  kgan generate runs/NAME --class Bag -n 16
  kgan generate runs/NAME --attributes smile=1,yaw=-0.5 -n 16
"""
NICE = 20
ASKED = Kind("numbers by name such as smile=1,yaw=-0.5", parse_asked, parse_asked, "NAME=X,...")
BATCH = 64  # pictures that are drawn together
UNWRITABLE = "Cannot write there"
SHEET_COPIES = 2  # the pictures, and the sheet of them


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("-n", type=argument_type(WHOLE), default=64, help="number of pictures (64)")
    parser.add_argument(
        "--seed",
        type=argument_type(FROM_ZERO),
        help="seed of the first picture (0)",
    )
    parser.add_argument(
        "--nice",
        type=argument_type(WHOLE),
        nargs="?",
        const=NICE,
        default=1,
        metavar="K",
        help=f"make K times as many and keep those the discriminator finds most real ({NICE})",
    )
    parser.add_argument(
        "--class",
        dest="class_name",
        type=name_of,
        metavar="CLASS",
        help="draw this class, by name or number (a conditional model; all in turn)",
    )
    parser.add_argument(
        "--attributes",
        type=argument_type(ASKED),
        metavar="NAME=X,...",
        help="draw pictures with these attributes, 0 or 1 or numbers (those of pictures it was "
        "trained on)",
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


@dataclasses.dataclass(frozen=True)
class Drawing:
    """What is to be drawn, a batch at a time.

    Attributes:
        count: number of pictures, at most.
        image_shape: (H, W, C).
        in_pairs: each stands with the one that it reconstructs.
        batches: yields (uint8 pictures (B, H, W, C), a file name for each, those that they
            reconstruct or None).
    """

    count: int
    image_shape: tuple[int, ...]
    batches: Iterable[tuple[np.ndarray, list[str], np.ndarray | None]]
    in_pairs: bool = False


def run(arguments: argparse.Namespace) -> None:
    """Draws, and prints the path of what was written last."""
    if arguments.output and arguments.output.suffix.lower() != ".png":
        raise InputError(f"The sheet is a .png file. Received: {arguments.output}")
    drawing = _drawing(arguments)
    path = arguments.output or (None if arguments.separate else Path("grid.png"))
    if path:
        each = SHEET_COPIES * math.prod(drawing.image_shape) * (1 + drawing.in_pairs)
        what = "Without --separate, which takes any number, a sheet"
        memory.check_array(drawing.count, each, "-n", what)
    shown: list[np.ndarray] = []
    above: list[np.ndarray] = []
    with _separate(arguments.separate) as save:
        for pictures, names, originals in drawing.batches:
            save(pictures, names)
            if path:
                shown.append(pictures)
                above += [] if originals is None else [originals]
    if path:
        with writing(UNWRITABLE, path):
            images.save_png(path, _sheet(shown, above), drawn=True)
        print(printable(path, None))
    if arguments.separate:
        print(printable(arguments.separate, None))


@contextlib.contextmanager
def _separate(directory: Path | None) -> Iterator[Callable[[np.ndarray, list[str]], None]]:
    """Context manager: a function that saves pictures by their names.

    They are in the directory when all of them are there; without a directory nothing is saved.
    """
    if directory is None:
        yield lambda pictures, names: None
        return
    with contextlib.ExitStack() as stack:
        with writing(UNWRITABLE, directory):
            staging = stack.enter_context(staging_directory(directory))

        def save(pictures: np.ndarray, names: list[str]) -> None:
            with writing(UNWRITABLE, directory):
                for picture, name in zip(pictures, names, strict=True):
                    images.save_png(staging / f"{name}.png", picture, drawn=True)

        yield save
        with writing(UNWRITABLE, directory):
            put_in_place(staging)


def _sheet(shown: list[np.ndarray], above: list[np.ndarray]) -> np.ndarray:
    pictures = np.concatenate(shown)
    return images.pairs(np.concatenate(above), pictures) if above else images.grid(pictures)


def _drawing(arguments: argparse.Namespace) -> Drawing:
    if export_places.find_autoencoder(arguments.model) is not None:
        from kgan import runtime

        return _reconstruct(arguments, runtime.Autoencoder(arguments.model), None)
    if export_places.find_onnx(arguments.model) is not None:
        if arguments.nice > 1:
            raise InputError(
                "--nice asks the discriminator, which an export does not hold; give the run or "
                f"its .keras file. Received: {arguments.model}"
            )
        _no_pictures(arguments)
        from kgan import runtime

        generator = runtime.Generator(arguments.model)
        label = _asked(arguments, generator)
        return Drawing(
            arguments.n,
            tuple(generator.info["output"]["shape"][1:]),
            _from_seeds(generator, arguments.n, arguments.seed or 0, label),
        )
    quiet_tensorflow.import_tensorflow()
    from kgan.runs import load
    from kgan.training import GAN
    from kgan.training.generating import parts

    model = load.load_model(arguments.model, compile=False)
    if not isinstance(model, GAN):
        return _reconstruct(arguments, model, load.run_directory(arguments.model))
    _no_pictures(arguments)
    drawn = parts(model, arguments.n, arguments.seed or 0, _asked(arguments, model), arguments.nice)
    batches = ((pictures, _seed_names(seeds), None) for pictures, seeds in drawn)
    return Drawing(arguments.n, model.image_shape, batches)


def _from_seeds(
    generator: Generator, n: int, seed: int, label: int | dict[str, float] | None
) -> Iterator[tuple[np.ndarray, list[str], None]]:
    done = 0
    while done < n:
        count = min(BATCH, n - done)
        pictures = generator.generate(count, seed + done, label)
        yield pictures, _seed_names(range(seed + done, seed + done + count)), None
        done += count


def _seed_names(seeds: Iterable[int]) -> list[str]:
    return [f"seed-{seed:06d}" for seed in seeds]


def _asked(arguments: argparse.Namespace, model: Any) -> int | dict[str, float] | None:
    """The label that every picture is to have, or the attributes; None for those of the seeds."""
    if arguments.attributes is not None:
        if model.attributes is None or arguments.class_name is not None:
            has = "has attributes" if model.attributes else "has none"
            raise InputError(
                "--attributes is for a model of attributes, --class for one of classes. "
                f"Received: {arguments.model}, which {has}"
            )
        labels.check_labels(arguments.attributes, 1, model.attributes, [0])
        return arguments.attributes
    if arguments.class_name is None:
        return None
    return labels.index_of(arguments.class_name, model.class_names, model.num_classes)


def _no_pictures(arguments: argparse.Namespace) -> None:
    if arguments.pictures is not None:
        raise InputError(
            f"--pictures is for an autoencoder; a GAN draws from seeds. Received: {arguments.model}"
        )


def _reconstruct(arguments: argparse.Namespace, model: Any, run: Path | None) -> Drawing:
    """As `_drawing`, for an autoencoder; its run's directory says which images."""
    of_gans = arguments.class_name, arguments.attributes, arguments.seed
    if arguments.nice > 1 or any(value is not None for value in of_gans):
        raise InputError(
            "--seed, --class, --attributes and --nice are for a GAN. Received an autoencoder: "
            f"{arguments.model}"
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
    source = build.source_of(options, arguments.pictures)

    def batches() -> Iterator[tuple[np.ndarray, list[str], np.ndarray]]:
        done = 0
        examples = source.examples().take(min(arguments.n, source.count)).batch(BATCH)
        for shown, _ in source.read(examples):
            names = [f"picture-{done + index:06d}" for index in range(len(shown))]
            yield model.reconstruct(shown), names, shown
            done += len(shown)
        if not done:
            raise InputError(f"No picture could be decoded. Received: {source.description}")

    count = min(arguments.n, source.count)
    return Drawing(count, source.image_shape, batches(), in_pairs=True)
