"""What the units of a layer respond to: images, the pixels in them, and images made for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt

from kgan.errors import InputError
from kgan.explore.activation_maximisation import maximising_images, maximising_latents
from kgan.explore.excitation import Excitation, most_exciting
from kgan.explore.guided_backpropagation import guided_gradients
from kgan.explore.image_networks import (
    as_called,
    batches_of,
    inputs_of,
    range_of_images,
    takes_images,
)
from kgan.explore.inner_layers import output_shape
from kgan.explore.picture import Finding
from kgan.explore.receptive_field import Box, projective_field, receptive_field
from kgan.explore.subject import Subject, as_subject
from kgan.explore.unit_sheets import Row, cut, drawn_gradients, unit_sheet
from kgan.explore.untrained import untrained_twin
from kgan.files import printable
from kgan.images import check_levels, to_uint8
from kgan.models.rebuild import float32_copy
from kgan.training.calibration import set_statistics

UNITS = 6
BATCH = 64
STATISTICS = 512  # images that the untrained twin's normalisation is measured on


class _Network(NamedTuple):
    """A network of images that is looked into.

    Attributes:
        network: it, in float32.
        layer: its layer.
        value_range: (low, high) of a pixel as it takes them.
    """

    network: keras.Model
    layer: Any
    value_range: tuple[float, float]


def units(
    model: Any,
    layer: str,
    images: npt.ArrayLike | None = None,
    *,
    chosen: Sequence[int] = tuple(range(UNITS)),
    value_range: tuple[float, float] | None = None,
    shown: int = 6,
    count: int = 1000,
    seed: int = 0,
) -> Finding:
    """What excites units (channels) of a layer most, beside an untrained twin.

    Of a discriminator, or any network that takes images, for each unit: the images that excite it
    most, with the place marked that it saw; that crop and its guided gradient; and the image
    within the model's range that excites it most, found by gradient ascent. Of a generator's
    layer: the images it draws where the unit is strongest, with the pixels marked that the place
    reaches, and the image of a latent found by gradient ascent.

    Args:
        model: a `Subject`, `kgan.GAN`, or a Keras network that takes images.
        layer: name of a layer, sought in the discriminator, then in the generator.
        images: uint8 array (N, H, W, C), those to choose from; not used for a generator's layer,
            which chooses among those it draws.
        chosen: the units.
        value_range: (low, high) that stands for black and white in what a plain network takes.
            None for a GAN's own; of any other network (0, 255) where it begins with a layer that
            scales, else (0, 1).
        shown: images for each unit.
        count: images that a generator draws to choose from.
        seed: int >= 0, the first of those, and of the ascent.

    Returns:
        A `Finding`; `figures["beaten"]` is the share of units that the made image excites more
        than any of the others.

    Raises:
        InputError: no such layer or unit, no images, or a network that cannot be built again.
    """
    subject = as_subject(model)
    subject.check_pictures()
    network, found = subject.require_layer(layer)
    width = _width(network, found, chosen)
    if not takes_images(network):
        if subject.latent_distribution is None:
            raise InputError(
                "A layer of a network that takes images, or of a GAN's generator. "
                f"Received: {layer} of {network.name}"
            )
        return _of_generator(subject, network, found, chosen, shown, count, seed, width)
    if images is None:
        raise InputError(
            f"Name the images to choose from. Received: none for {printable(subject.name)}"
        )
    levels = check_levels(images, network.inputs[0].shape[1:])
    value_range = range_of_images(subject, network, value_range)
    trained = _of_float32(network, layer, value_range)
    twin = untrained_twin(trained.network, seed)
    measured = inputs_of(twin, levels[:STATISTICS], value_range)
    set_statistics(twin, twin, [as_called(measured)])
    untrained = _Network(twin, _layer_of(twin, layer), value_range)
    figures: dict[str, Any] = {
        "experiment": "units",
        "layer": layer,
        "channels": width,
        "images": len(levels),
        "value_range": value_range,
        "rectifiers": "positive gradients at positive inputs alone, also of a leaky one",
        "units": {},
    }
    rows = []
    parts = [_looked_at(each, levels, chosen, shown, seed) for each in (trained, untrained)]
    for place, unit in enumerate(chosen):
        ours, twins = (part[place] for part in parts)
        rows.append((f"unit {unit}", ours.row, twins.row))
        figures["units"][unit] = ours.figures | {"untrained": twins.figures}
    beaten = [each["made"] > each["strongest"] for each in figures["units"].values()]
    figures["beaten"] = float(np.mean(beaten))
    lines = (
        f"{layer}: the made image excites {sum(beaten)} of {len(beaten)} units more than any of "
        f"{len(levels):,} images does",
    )
    names = ("strongest images, what it saw, its guided gradient; made for it", "untrained")
    return Finding(unit_sheet(rows, names), figures, lines)


class _Looked(NamedTuple):
    row: Row
    figures: dict[str, Any]


def _looked_at(
    of: _Network, levels: np.ndarray, chosen: Sequence[int], shown: int, seed: int
) -> list[_Looked]:
    """For each unit its part of a row, and figures."""
    network, layer, value_range = of
    best = most_exciting(network, layer, chosen, batches_of(network, levels, value_range), shown)
    made = maximising_images(network, layer, chosen, value_range, seed=seed)
    excited = values_of(network, layer, chosen, made)
    made = to_uint8(made, value_range)
    shape = output_shape(network, layer)
    places = shape[1:3] if len(shape) == 4 else (1, 1)
    middle = receptive_field(network, layer, *((side or 1) // 2 for side in places))
    looked = []
    for place, unit in enumerate(chosen):
        own = Excitation(*(each[place] for each in best))
        pictures = levels[own.indices]
        fields = [
            receptive_field(network, layer, int(row), int(column))
            for row, column in zip(own.rows, own.columns, strict=True)
        ]
        inputs = inputs_of(network, pictures, value_range)
        gradients = guided_gradients(
            network, inputs, layer, np.full(len(pictures), unit), own.rows, own.columns
        )
        row = Row(
            pictures,
            fields,
            [cut(picture, field) for picture, field in zip(pictures, fields, strict=True)],
            [cut(each, box) for each, box in zip(drawn_gradients(gradients), fields, strict=True)],
            made[place],
            cut(made[place], middle),
        )
        figures = _figures(own, fields) | {"made": float(excited[place])}
        looked.append(_Looked(row, figures))
    return looked


def _of_generator(
    subject: Subject,
    network: keras.Model,
    layer: Any,
    chosen: Sequence[int],
    shown: int,
    count: int,
    seed: int,
    width: int,
) -> Finding:
    gan = subject.require_gan()
    own = _of_float32(network, layer.name, gan.value_range)
    network, layer = own.network, own.layer
    seeds = range(seed, seed + count)
    inputs = subject.generator_inputs(seeds)
    latents, labels = inputs[0], inputs[1] if len(inputs) > 1 else None
    batches = ([x[at : at + BATCH] for x in inputs] for at in range(0, count, BATCH))
    best = most_exciting(network, layer, chosen, batches, shown)
    start = [x[best.indices[:, 0]] for x in inputs]
    made = maximising_latents(network, layer, chosen, gan.latent_distribution, start)
    drawn = subject.draw(made, None if labels is None else start[1])
    rows, figures = [], {}
    for place, unit in enumerate(chosen):
        top = Excitation(*(each[place] for each in best))
        pictures = subject.draw(
            latents[top.indices], None if labels is None else labels[top.indices]
        )
        fields = [
            projective_field(network, layer, int(row), int(column))
            for row, column in zip(top.rows, top.columns, strict=True)
        ]
        crops = [cut(picture, field) for picture, field in zip(pictures, fields, strict=True)]
        rows.append((f"unit {unit}", Row(pictures, fields, crops, [], drawn[place]), None))
        figures[unit] = _figures(top, fields)
    names = ("drawn where it is strongest, what it reaches; drawn from a latent made for it", "")
    told = (f"{layer.name} of the generator: {len(chosen)} units among {count:,} drawn images",)
    facts = {"experiment": "units", "layer": layer.name, "channels": width, "seeds": [seed, count]}
    return Finding(unit_sheet(rows, names), facts | {"units": figures}, told)


def _figures(top: Excitation, fields: Sequence[Box]) -> dict[str, Any]:
    return {
        "strongest": float(top.values[0]),
        "images": [
            {"index": int(index), "value": float(value), "box": list(box)}
            for index, value, box in zip(top.indices, top.values, fields, strict=True)
        ],
    }


def values_of(
    network: keras.Model, layer: Any, chosen: Sequence[int], images: np.ndarray
) -> np.ndarray:
    """How much image i excites unit i, the largest value of its map.

    Args:
        network, layer: as for `most_exciting`.
        chosen: the units, N.
        images: float32 (N, H, W, C) in the network's range.

    Returns:
        float32 array (N,).
    """
    others = [np.zeros((len(images), *x.shape[1:]), x.dtype) for x in network.inputs[1:]]
    found = most_exciting(network, layer, chosen, [[images, *others]], len(images))
    order = np.argsort(found.indices, axis=1)
    values = np.take_along_axis(found.values, order, 1)
    return np.diagonal(values)


def _of_float32(network: keras.Model, layer: str, value_range: tuple[float, float]) -> _Network:
    network = float32_copy(network)
    return _Network(network, _layer_of(network, layer), value_range)


def _layer_of(network: keras.Model, name: str) -> Any:
    return next(layer for layer in network.layers if layer.name == name)


def _width(network: keras.Model, layer: Any, chosen: Sequence[int]) -> int:
    """The channels of a layer's output.

    Raises:
        InputError: not all units are among them.
    """
    width = output_shape(network, layer)[-1]
    if width is None or not chosen or not all(0 <= unit < width for unit in chosen):
        raise InputError(
            f"{layer.name} has the units 0 to {(width or 1) - 1}. Received: {list(chosen)}"
        )
    return width
