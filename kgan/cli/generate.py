"""`kgan generate`."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kgan import export_places, images, memory
from kgan import labels as label_law
from kgan.channels import PICTURES
from kgan.cli import quiet_tensorflow
from kgan.cli.generate_arguments import COUNT, DESCRIPTION, HELP, STOPS, add_arguments
from kgan.cli.of_the_whole import check_model
from kgan.errors import InputError
from kgan.files import printable, put_in_place, staging_directory, writing

if TYPE_CHECKING:
    from kgan.runtime import Generator

__all__ = ["DESCRIPTION", "HELP", "add_arguments", "run"]

BATCH = 64  # pictures that are drawn together
UNWRITABLE = "Cannot write there"
SHEET_COPIES = 2  # the pictures, and the sheet of them


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
    if arguments.output and arguments.output.suffix.lower() != ".npy":
        images.check_savable(arguments.output)
    if arguments.seeds and arguments.n is not None:
        raise InputError(f"--seeds says how many there are, without -n. Received: {arguments.n}")
    if arguments.separate and len(set(arguments.seeds or ())) < len(arguments.seeds or ()):
        raise InputError(
            "--separate names each file by its seed, so that each can be there once. Received: "
            f"--seeds {','.join(map(str, arguments.seeds))}"
        )
    if arguments.video:
        from kgan.cli.generate_video import run_video

        run_video(arguments)
        return
    drawing = _drawing(arguments)
    path = _path_of_all(arguments, drawing.image_shape[2])
    _check_scale(arguments.scale, drawing)
    if path:
        pixels = math.prod(drawing.image_shape) * arguments.scale**2
        each = SHEET_COPIES * pixels * (1 + drawing.in_pairs)
        what = "Without --separate, which takes any number, a sheet"
        memory.check_array(drawing.count, each, "-n", what)
    shown: list[np.ndarray] = []
    above: list[np.ndarray] = []
    with _separate(arguments.separate) as save:
        for pictures, names, originals in drawing.batches:
            pictures = images.repeat_pixels(pictures, arguments.scale)
            save(pictures, names)
            if path:
                shown.append(pictures)
                above += (
                    [] if originals is None else [images.repeat_pixels(originals, arguments.scale)]
                )
    if path:
        padding = 0 if arguments.mosaic else images.PADDING
        with writing(UNWRITABLE, path):
            if drawing.image_shape[2] in PICTURES:
                images.save_image(path, _sheet(shown, above, padding), drawn=True)
            else:
                images.save_array(path, np.concatenate(shown))
        print(printable(path, None))
    if arguments.separate:
        print(printable(arguments.separate, None))


def _check_scale(scale: int, drawing: Drawing) -> None:
    """Refuses a scale at which not even the pictures that are drawn together fit into memory."""
    together = min(BATCH, drawing.count) * math.prod(drawing.image_shape)
    if together * scale**2 > memory.ALWAYS_TAKEN:
        fits = max(1, math.isqrt(memory.free() // together))
        what = f"Pictures of {scale} times their size"
        memory.check(what, together * scale**2, f"--scale {fits}", f"--scale {scale}")


def _path_of_all(arguments: argparse.Namespace, channels: int) -> Path | None:
    """The file of all images together: a sheet, or an array where they are no pictures.

    Raises:
        InputError: a file of the other kind was asked for.
    """
    output: Path | None = arguments.output
    if channels not in PICTURES and output and output.suffix.lower() != ".npy":
        raise InputError(
            f"Images of {channels} channels are no pictures: they are written as an .npy file. "
            f"Received: {output}"
        )
    if channels in PICTURES and output:
        images.check_savable(output)
    default = "grid.png" if channels in PICTURES else "images.npy"
    return output or (None if arguments.separate else Path(default))


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
                    images.save_named(staging, name, picture, drawn=True)

        yield save
        with writing(UNWRITABLE, directory):
            put_in_place(staging)


def _sheet(shown: list[np.ndarray], above: list[np.ndarray], padding: int) -> np.ndarray:
    pictures = np.concatenate(shown)
    if above:
        return images.pairs(np.concatenate(above), pictures, padding=padding)
    return images.grid(pictures, padding=padding)


def _drawing(arguments: argparse.Namespace) -> Drawing:
    export = arguments.model, arguments.precision
    if export_places.find_autoencoder(arguments.model) is not None:
        from kgan import runtime

        return _reconstruct(arguments, runtime.Autoencoder(*export), None)
    onnx = export_places.find_onnx(*export)
    if onnx is not None and arguments.nice == 1:
        _no_pictures(arguments)
        from kgan import runtime

        generator = runtime.Generator(*export)
        n, labels = count_asked(arguments), labels_asked(arguments, generator)
        batches = _from_seeds(generator, n, seeds_asked(arguments), labels, arguments.truncation)
        return Drawing(n, generator.image_shape, batches)
    if arguments.precision is not None:
        where = "an export without --nice" if onnx else "an export"
        raise InputError(
            f"--precision is for {where}, which has files to choose from. Received: "
            f"{arguments.model}"
        )
    path = _with_a_discriminator(onnx, arguments) if onnx else arguments.model
    check_model(path)
    quiet_tensorflow.import_tensorflow()
    from kgan.runs import load
    from kgan.training import GAN
    from kgan.training.generating import parts

    model = load.load_model(path, compile=False)
    if not isinstance(model, GAN):
        return _reconstruct(arguments, model, load.run_directory(path))
    _no_pictures(arguments)
    n, labels = count_asked(arguments), labels_asked(arguments, model)
    settings = (labels, arguments.nice, BATCH, arguments.truncation)
    drawn = parts(model, n, seeds_asked(arguments), *settings)
    return Drawing(n, model.image_shape, ((part, _seed_names(own), None) for part, own in drawn))


def _with_a_discriminator(onnx: Path, arguments: argparse.Namespace) -> Path:
    """The whole GAN in the folder of an export, for --nice."""
    path = export_places.find_gan(onnx)
    if path is None:
        raise InputError(
            "--nice asks the discriminator, which this export does not hold: a GAN's model.keras "
            f"in its folder would; or give the run. Received: {arguments.model}"
        )
    return path


def count_asked(arguments: argparse.Namespace) -> int:
    """The number of pictures that are drawn."""
    usual = STOPS if arguments.video else COUNT
    return len(arguments.seeds) if arguments.seeds else arguments.n or usual


def seeds_asked(arguments: argparse.Namespace) -> Sequence[int]:
    """The seeds of what is drawn, before the discriminator chooses among them."""
    if arguments.seeds is None:
        first = arguments.seed or 0
        return range(first, first + count_asked(arguments) * arguments.nice)
    if arguments.nice > 1:
        raise InputError(
            f"--nice chooses seeds itself, without --seeds. Received: {arguments.nice}"
        )
    return arguments.seeds


def _from_seeds(
    generator: Generator,
    n: int,
    seeds: Sequence[int],
    labels: np.ndarray | Mapping[str, float] | None,
    truncation: float,
) -> Iterator[tuple[np.ndarray, list[str], None]]:
    for start in range(0, n, BATCH):
        part = slice(start, start + BATCH)
        own = labels[part] if isinstance(labels, np.ndarray) else labels
        pictures = generator.from_seeds(seeds[part], own, truncation=truncation)
        yield pictures, _seed_names(seeds[part]), None


def _seed_names(seeds: Iterable[int]) -> list[str]:
    return [f"seed-{seed:06d}" for seed in seeds]


def labels_asked(
    arguments: argparse.Namespace, model: Any
) -> np.ndarray | Mapping[str, float] | None:
    """The classes that were named, in turn, one for each picture, or the attributes; or None."""
    if arguments.attributes is not None:
        if model.attributes is None or arguments.class_names is not None:
            has = "none" if model.attributes is None else "attributes"
            raise InputError(
                "--attributes is for a model of attributes, --class for one of classes. "
                f"Received: {arguments.model}, which has {has}"
            )
        label_law.check_labels(arguments.attributes, 1, model.attributes, [0])
        return arguments.attributes
    if arguments.class_names is None:
        return None
    known = (model.class_names, model.num_classes)
    named = [label_law.index_of(name, *known) for name in arguments.class_names]
    labels = np.array(named, np.int64)
    memory.check_array(count_asked(arguments), labels.itemsize, "-n", "The classes")
    return np.resize(labels, count_asked(arguments))  # which repeats them


def _no_pictures(arguments: argparse.Namespace) -> None:
    if arguments.pictures is not None:
        raise InputError(
            f"--pictures is for an autoencoder; a GAN draws from seeds. Received: {arguments.model}"
        )


def _reconstruct(arguments: argparse.Namespace, model: Any, run: Path | None) -> Drawing:
    """As `_drawing`, for an autoencoder; its run's directory says which images."""
    of_a_gan = {
        "--seed": arguments.seed is not None,
        "--seeds": arguments.seeds is not None,
        "--class": arguments.class_names is not None,
        "--attributes": arguments.attributes is not None,
        "--nice": arguments.nice > 1,
        "--truncation": arguments.truncation != 1,
    }
    for flag, is_given in of_a_gan.items():
        if is_given:
            raise InputError(f"{flag} is for a GAN. Received an autoencoder: {arguments.model}")
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

    count = min(arguments.n or COUNT, source.count)

    def batches() -> Iterator[tuple[np.ndarray, list[str], np.ndarray]]:
        done = 0
        examples = source.examples().take(count).batch(BATCH)
        for shown, _ in source.read(examples):
            names = [f"picture-{done + index:06d}" for index in range(len(shown))]
            yield model.reconstruct(shown), names, shown
            done += len(shown)
        if not done:
            raise InputError(f"No picture could be decoded. Received: {source.description}")

    return Drawing(count, source.image_shape, batches(), in_pairs=True)
