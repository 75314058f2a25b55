"""How a notebook shows a model: what it is in a table and, of a GAN, eight images."""

from __future__ import annotations

import base64
import contextlib
import html
import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import keras

from kgan.files import first_line
from kgan.images import as_shown, grid
from kgan.training import calibration

if TYPE_CHECKING:
    from kgan.training.two_networks import TwoNetworks

SAMPLES = 8
# Values of images that may be drawn before these eight, for their statistics: those of 64x64x3.
MOST_DRAWN = calibration.IMAGES * 64 * 64 * 3
MOST_NAMES = 12  # of classes or attributes

Row = tuple[str, str]


def as_html(model: TwoNetworks) -> str:
    """A model as HTML. It is only looked at, and what cannot be told of it is left out.

    Args:
        model: a `GAN` or an `Autoencoder`, also of a subclass, half made or in training.

    Returns:
        One element, which needs nothing else.
    """
    rows = [row for part in (_what, _networks, _training) for row in _tried(part, model)]
    cells = "".join(
        f'<tr><th style="text-align: left">{html.escape(name)}</th>'
        f'<td style="text-align: left">{html.escape(value)}</td></tr>'
        for name, value in rows
    )
    title = html.escape(type(model).__name__)
    return f"<div><strong>{title}</strong><table>{cells}</table>{_samples(model)}</div>"


def _tried(part: Callable[[Any], Iterator[Row]], model: TwoNetworks) -> Iterator[Row]:
    """The rows of a part up to the first that this model, of whatever class, cannot give."""
    with contextlib.suppress(Exception):
        yield from part(model)


def _what(model: Any) -> Iterator[Row]:
    yield "preset", model.preset or "none: networks of one's own"
    (low, high), shape = model.value_range, " x ".join(map(str, model.image_shape))
    yield "images" if model.makes_pictures else "makes", f"{shape}, from {low:g} to {high:g}"
    if model.kind == "autoencoder":
        yield "codes", " x ".join(map(str, model.code_shape))
        return
    yield "latents", f"{model.latent_dim}, {model.latent_distribution}"
    if model.attributes is not None:
        yield "attributes", _listed(model.attributes.names)
    elif model.num_classes is not None:
        names = model.class_names and f": {_listed(model.class_names)}"
        yield "classes", f"{model.num_classes}{names or ''}"


def _listed(names: Any) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join([*names[:MOST_NAMES], *([f"and {more} more"] if more > 0 else [])])


def _networks(model: Any) -> Iterator[Row]:
    for role in model.roles:
        network = getattr(model, role)
        yield role, f"{type(network).__name__}, {network.count_params():,} parameters"
    if getattr(model, "average", None) is not None:
        yield "average", f"half-life {model.ema_half_life_images:,g} images"


def _training(model: Any) -> Iterator[Row]:
    batches = int(keras.ops.convert_to_numpy(model.batches_seen))
    seen = ""
    if batches and model.kind == "gan":
        seen = f", {int(keras.ops.convert_to_numpy(model.images_seen)):,} images"
    yield "trained on", f"{batches:,} batches{seen}" if batches else "nothing yet"
    if not model.compiled:
        yield "compiled", "not yet"
    elif model.kind == "gan":
        yield "loss", type(model.adversarial_loss).__name__


def _samples(model: Any) -> str:
    try:
        if model.kind != "gan" or not model.makes_pictures:
            return ""
        count = calibration.IMAGES
        for size in model.image_shape:
            count *= size
        if calibration.is_due(model) and count > MOST_DRAWN:
            return f"<p>generate({SAMPLES}) makes images of it, after its statistics for them.</p>"
        with _as_it_was(model):
            sheet = grid(model.generate(SAMPLES), columns=SAMPLES)
        file = io.BytesIO()
        as_shown(sheet).save(file, "PNG")
    except Exception as error:  # of any kind: a cell that shows a model must not end with one
        return f"<p>No images of it: {html.escape(first_line(error))}</p>"
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img alt="images of the seeds 0 to {SAMPLES - 1}" src="data:image/png;base64,{data}">'


@contextlib.contextmanager
def _as_it_was(model: Any) -> Iterator[None]:
    """Takes back what measuring statistics for images writes into a model."""
    if not calibration.is_due(model):
        yield
        return
    read = keras.ops.convert_to_numpy
    before = [(variable, read(variable).copy()) for variable in model.variables]
    try:
        yield
    finally:
        for variable, value in before:
            if (read(variable) != value).any():
                variable.assign(value)
