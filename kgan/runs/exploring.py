"""From the path of a model to the `Subject` that experiments look into, and its data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kgan import export_places, manifest, runtime
from kgan.directions import DIRECTIONS_FILE, Direction, read_directions
from kgan.errors import InputError
from kgan.explore.subject import Subject

if TYPE_CHECKING:
    import numpy as np

    from kgan.data import Source
    from kgan.runs.options import RunOptions
    from kgan.training import GAN

SHOWN = (1, 3)  # channels of the images that the experiments can show
KERAS_FILE = "model.keras"  # of an export's folder, where its GAN was put beside it


def open_subject(path: str | os.PathLike[str], *, any_network: bool = False) -> Subject:
    """Opens a run, a .keras file or an export.

    An export draws by onnxruntime; the GAN in its folder is loaded once it is asked for.

    Args:
        path: what `kgan.runs.load_model` takes, or an export.
        any_network: take any Keras network too, as `kgan.models.read_network` does.

    Raises:
        InputError: it is none of them, or a model whose images are neither grey nor RGB.
    """
    subject = _opened(path, any_network)
    channels = subject.image_shape[-1] if len(subject.image_shape) == 3 else None
    draws = hasattr(subject.model, "generate") or subject.is_autoencoder
    if draws and channels is not None and channels not in SHOWN:
        raise InputError(
            "The experiments are about images of 1 (grey) or 3 (RGB) channels. "
            f"Received: {path}, whose images have {channels}"
        )
    return subject


def _opened(path: str | os.PathLike[str], any_network: bool) -> Subject:
    export = export_places.find_autoencoder(path)
    if export is not None:
        return Subject(runtime.Autoencoder(path), name=Path(path), place=export)
    onnx = export_places.find_onnx(path)
    if onnx is not None:
        prefix = "" if onnx.name == manifest.ONNX_FILE else f"{onnx.stem}."
        beside = onnx.parent / KERAS_FILE
        open_gan = (lambda: _gan(beside)) if beside.is_file() else None
        return Subject(runtime.Generator(path), open_gan, Path(path), onnx.parent, prefix)
    from kgan.runs import load

    model: Any = load.load_network(path) if any_network else load.load_model(path, compile=False)
    return Subject(model, None, Path(path), *_place(path))


def _gan(path: Path) -> GAN:
    from kgan.runs import load
    from kgan.training import GAN

    model = load.load_model(path, compile=False)
    if not isinstance(model, GAN):
        raise InputError(f"This is the folder of a GAN's export. Received another model: {path}")
    return model


def _place(path: str | os.PathLike[str]) -> tuple[Path, str]:
    """(where things of a run or a .keras file are kept, what their names begin with)."""
    from kgan.runs import load

    if Path(path).is_dir():
        return Path(path), ""
    run = load.run_directory(path)
    if run is not None and Path(path).parent == run:  # its model.keras: the run's own
        return run, ""
    return Path(path).parent, f"{Path(path).stem}."


def kept_directions(path: str | os.PathLike[str], model: Any) -> list[Direction]:
    """The directions that `kgan explore direction` kept beside what is exported; mostly none.

    Args:
        path: of the run or file.
        model: what is at that path.

    Raises:
        InputError: they are another model's, or the file holds something else.
    """
    if not hasattr(model, "discriminator"):
        return []
    place, prefix = _place(path)
    return read_directions(place / f"{prefix}{DIRECTIONS_FILE}", model.latent_dim)


def has_run(path: str | os.PathLike[str]) -> bool:
    """Whether a model lies in a run, which knows what it was trained on."""
    from kgan.runs import load

    if export_places.find_onnx(path) is not None:
        return False
    return load.run_directory(path) is not None


class RealPictures(NamedTuple):
    """Real pictures for an experiment.

    Attributes:
        images: uint8 array (N, H, W, C).
        labels: int array (N,) by the model's own numbers; None for a model without classes.
        split: which part of the data, in words: "held out" or "all".
    """

    images: np.ndarray
    labels: np.ndarray | None
    split: str


def open_data(
    path: str | os.PathLike[str], subject: Subject, data: str | None
) -> tuple[Source, RunOptions]:
    """The data that a model is held against, and the options that say how they are read.

    Args:
        path: the model's.
        subject: as opened from there.
        data: what `kgan.data.open_source` takes; None for what its run was trained on.

    Raises:
        InputError: a model without a run and no data, or data that cannot be used.
    """
    from kgan.runs import evaluating, load
    from kgan.runs.directory import read_options

    run = load.run_directory(path) if has_run(path) else None
    options = None if run is None else read_options(run)
    assert subject.place is not None
    facts = {"file": Path(path).name}
    opened = evaluating.Opened(subject, "", facts, options, subject.place, subject.prefix)
    return evaluating.open_data(opened, data)


def real_pictures(
    path: str | os.PathLike[str], subject: Subject, data: str | None, n: int, seed: int = 0
) -> RealPictures:
    """Real pictures drawn at random, of those that a run held out where it did so.

    Args:
        path, subject, data: as for `open_data`.
        n: how many; fewer where there are not so many.
        seed: of the choice.

    Raises:
        InputError: as for `open_data`.
    """
    from kgan.data.choosing import draw_indices, pick
    from kgan.runs import quality

    source, options = open_data(path, subject, data)
    held, _ = quality.parts(source, options)
    split = "held out" if len(held) else "all"
    indices = held[:n] if len(held) else draw_indices(source, n, seed)
    images, labels = pick(source, indices)
    if subject.num_classes is None:
        return RealPictures(images, None, split)
    return RealPictures(
        images, quality.as_counted(labels, source, subject.class_names or ()), split
    )
