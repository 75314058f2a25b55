"""`attention`: where self-attention looks from chosen places of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from kgan.errors import InputError
from kgan.explore.network_parts import check_functional
from kgan.explore.picture import Finding, captioned, enlarged, in_colour, stacked
from kgan.explore.subject import Subject, as_subject
from kgan.images import from_uint8, grid
from kgan.layers import SelfAttention2D
from kgan.models.rebuild import float32_copy
from kgan.training.network_checks import run_network

COLOURS = (
    (230, 40, 40),
    (40, 170, 60),
    (50, 90, 230),
    (235, 150, 0),
    (160, 60, 200),
    (0, 165, 180),
)
SEEDS = (0, 1, 2, 3)
SHOWN_SIDE = 128  # pixels, at least, of an image on the sheet


def attention(
    model: Any,
    queries: Sequence[tuple[int, int]] | None = None,
    seeds: Sequence[int] = SEEDS,
    *,
    layer: str | None = None,
    labels: npt.ArrayLike | None = None,
) -> Finding:
    """Draws where a self-attention layer looks, a map for each query, on images of some seeds.

    In the first column are the image and its query points in colours; each map after it is of
    one query, bright where that place takes from. A row of weights sums to 1. A layer of the
    generator is seen making these images, one of the discriminator judging them.

    Args:
        model: a `Subject`, or a model that one can be made of; its networks are needed.
        queries: places (x, y) in pixels from the top left; None for the middle and the middles
            of the four quarters.
        seeds: of the images.
        layer: name of a `kgan.layers.SelfAttention2D`, sought in D, then in G; None for the one
            of most positions in G, or else in D.
        labels: as for `Subject.labels_of`.

    Returns:
        A `Finding`; the figures have each layer's gamma, by which what it attends to is added,
        and how much of each query's weight falls within a quarter of the image's width of it.

    Raises:
        InputError: no network at hand, none with such a layer, or a place outside the image.

    Reference:
        Zhang et al. 2018, figure 5, https://arxiv.org/abs/1805.08318
    """
    subject = as_subject(model)
    subject.check_pictures()
    gan = subject.require_gan()
    network, found = _layer(subject, layer)
    is_generator = network is gan.inference_generator
    latents = subject.latents(seeds)
    classes = subject.labels_of(seeds, labels)
    images = subject.draw(latents, classes)
    height, width = images.shape[1:3]
    places = list(_middles(height, width) if queries is None else queries)
    for x, y in places:
        if not (0 <= x < width and 0 <= y < height):
            raise InputError(
                f"A query is a place x,y in an image of {width}x{height}. Received: {x},{y}"
            )
    inputs = [latents if is_generator else from_uint8(images, gan.value_range)]
    if classes is not None:
        inputs.append(classes)
    weights, (rows, columns) = attention_weights(network, found.name, inputs)
    maps = np.stack(
        [weights[:, _position(x, y, (height, width), (rows, columns))] for x, y in places], axis=1
    ).reshape(len(images), len(places), rows, columns)
    figures = {
        "experiment": "attention",
        "network": "generator" if is_generator else "discriminator",
        "layer": found.name,
        "gamma": float(keras.ops.convert_to_numpy(found.gamma)),
        "positions": [rows, columns],
        "seeds": list(seeds),
        "queries": places,
        "rows_sum_to_1_within": float(np.abs(weights.sum(axis=-1) - 1).max()),
        "weight_nearby": _nearby(maps, places, (height, width)),
    }
    return Finding(_sheet(images, maps, places), figures, _in_words(figures))


def attention_weights(
    network: keras.Model, layer: str, inputs: Sequence[np.ndarray]
) -> tuple[np.ndarray, tuple[int, int]]:
    """The weights of a self-attention layer in a network.

    Args:
        network: of the functional API.
        layer: name of a `SelfAttention2D` in it.
        inputs: arrays (B, ...), what the network takes.

    Returns:
        (float32 array (B, N, N), row j the weights of position j; (H, W) of the N positions).

    Raises:
        InputError: the network is of another kind.
    """
    whole = check_functional(float32_copy(network))
    found = whole.get_layer(layer)
    before = keras.Model(whole.inputs, found.input)
    features = run_network(before, list(inputs), 16)
    parts = [
        np.asarray(found(features[i : i + 1], training=False, return_attention=True)[1])
        for i in range(len(features))
    ]
    return np.concatenate(parts), (features.shape[1], features.shape[2])


def _layer(subject: Subject, name: str | None) -> tuple[keras.Model, SelfAttention2D]:
    """(the network, its layer)."""
    if name is not None:
        network, layer = subject.require_layer(name)
        if not isinstance(layer, SelfAttention2D):
            raise InputError(
                f"Attention is drawn of a SelfAttention2D. Received: {name}, a "
                f"{type(layer).__name__}"
            )
        return network, layer
    for network in reversed(subject.require_networks()):  # G first: it makes what is seen
        layers = [each for each in network.layers if isinstance(each, SelfAttention2D)]
        if layers:
            return network, max(layers, key=lambda each: int(np.prod(each.output.shape[1:3])))
    raise InputError(
        "No layer of self-attention in these networks; the preset sagan has them. "
        f"Received: {subject.name}"
    )


def _middles(height: int, width: int) -> list[tuple[int, int]]:
    quarters = [(width * x // 4, height * y // 4) for y in (1, 3) for x in (1, 3)]
    return [(width // 2, height // 2), *quarters]


def _position(x: int, y: int, image: tuple[int, int], maps: tuple[int, int]) -> int:
    """The number of the position under a pixel, counted row by row."""
    return y * maps[0] // image[0] * maps[1] + x * maps[1] // image[1]


def _nearby(
    maps: np.ndarray, places: Sequence[tuple[int, int]], image: tuple[int, int]
) -> list[float]:
    """For each query the share of its weight within a quarter of the width, mean over images."""
    rows, columns = maps.shape[2:]
    down, across = np.mgrid[:rows, :columns]
    middle_y, middle_x = ((down + 0.5) * image[0] / rows, (across + 0.5) * image[1] / columns)
    shares = []
    for which, (x, y) in enumerate(places):
        near = np.hypot(middle_x - x, middle_y - y) <= image[1] / 4
        shares.append(float(maps[:, which][:, near].sum(axis=-1).mean()))
    return shares


def _sheet(images: np.ndarray, maps: np.ndarray, places: Sequence[tuple[int, int]]) -> np.ndarray:
    large = in_colour(enlarged(images, SHOWN_SIDE))
    scale = large.shape[1] // images.shape[1]
    rows = []
    for image, of_image in zip(large, maps, strict=True):
        cells = [_pointed(image, places, scale)]
        for which, weights in enumerate(of_image):
            cells.append(_lit(image, weights, places[which], COLOURS[which % len(COLOURS)], scale))
        rows.append(grid(np.stack(cells), columns=len(cells)))
    text = "image and query points; then, of each query, where it looks (bright: most)"
    return captioned(text, stacked(rows))


def _pointed(image: np.ndarray, places: Sequence[tuple[int, int]], scale: int) -> np.ndarray:
    picture = Image.fromarray(image)
    for which, place in enumerate(places):
        _point(picture, place, COLOURS[which % len(COLOURS)], scale)
    return np.asarray(picture)


def _lit(
    image: np.ndarray, weights: np.ndarray, place: tuple[int, int], colour: Any, scale: int
) -> np.ndarray:
    """The image in grey, dark but where the weights are."""
    levels = Image.fromarray((255 * weights / weights.max()).astype(np.uint8))
    size = (image.shape[1], image.shape[0])
    light = np.asarray(levels.resize(size, Image.Resampling.NEAREST), np.float32)[..., None] / 255
    grey = image.mean(axis=-1, keepdims=True)
    tinted = 0.35 * grey * (1 - light) + light * (0.45 * grey + 0.55 * np.array(colour, np.float32))
    picture = Image.fromarray(np.clip(tinted, 0, 255).astype(np.uint8))
    _point(picture, place, colour, scale)
    return np.asarray(picture)


def _point(picture: Image.Image, place: tuple[int, int], colour: Any, scale: int) -> None:
    x, y = ((at + 0.5) * scale for at in place)
    radius = max(3, picture.width // 32)
    box = (x - radius, y - radius, x + radius, y + radius)
    ImageDraw.Draw(picture).ellipse(box, fill=colour, outline="white", width=max(1, radius // 3))


def _in_words(figures: dict[str, Any]) -> tuple[str, ...]:
    near = ", ".join(f"{share:.0%}" for share in figures["weight_nearby"])
    rows, columns = figures["positions"]
    return (
        f"{figures['layer']} of the {figures['network']}, {rows}x{columns} positions; what it "
        f"attends to is added {figures['gamma']:.3g} times",
        f"of each query's weight {near} is within a quarter of the width",
    )
