"""From the path of a model to the `Subject` that experiments look into."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgan import export_places, manifest, runtime
from kgan.directions import DIRECTIONS_FILE, Direction, read_directions
from kgan.errors import InputError
from kgan.explore.encoder_defaults import ENCODER_FILE
from kgan.explore.subject import Subject
from kgan.files import printable

if TYPE_CHECKING:
    from kgan.models import LatentEncoder
    from kgan.training import GAN

LOG = logging.getLogger("kgan")


def open_subject(path: str | os.PathLike[str], *, any_network: bool = False) -> Subject:
    """Opens a run, a .keras file or an export.

    An export draws by onnxruntime; the GAN in its folder is loaded once it is asked for.

    Args:
        path: what `kgan.runs.load_model` takes, or an export.
        any_network: take any Keras network too, as `kgan.models.read_network` does.

    Raises:
        InputError: it is none of them.
    """
    export = export_places.find_autoencoder(path)
    if export is not None:
        return Subject(runtime.Autoencoder(path), name=Path(path), place=export)
    onnx = export_places.find_onnx(path)
    if onnx is not None:
        prefix = manifest.own_prefix(onnx)
        beside = export_places.find_gan(onnx)
        open_gan = None if beside is None else lambda: _gan(beside)
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


def kept_encoder(path: str | os.PathLike[str], model: Any) -> LatentEncoder | None:
    """The encoder that `kgan explore project` kept beside what is exported; mostly none.

    One of other weights, as training went on, is passed over with a warning.

    Args:
        path: of the run or file.
        model: what is at that path.

    Raises:
        InputError: the file holds something else.
    """
    if not hasattr(model, "discriminator") or not model.makes_pictures:
        return None
    from kgan.explore.encoder_training import read_encoder

    place, prefix = _place(path)
    file = place / f"{prefix}{ENCODER_FILE}"
    encoder = read_encoder(file, model)
    if encoder is None and file.is_file():
        LOG.warning(
            "%s is of other weights and is not delivered: kgan explore project --encoder trains "
            "one for these",
            printable(file, None),
        )
    return encoder


def run_of(path: str | os.PathLike[str]) -> Path | None:
    """The run that a model lies in, which knows what it was trained on; None for an export."""
    from kgan.runs import load

    is_export = export_places.find_export(path) is not None or Path(path).suffix == ".onnx"
    return None if is_export else load.run_directory(path)
