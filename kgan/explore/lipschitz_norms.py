"""`lipschitz`: how strongly a discriminator can answer to small changes, and does."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from kgan.explore.network_parts import check_functional
from kgan.explore.picture import Finding, beside
from kgan.explore.subject import as_subject
from kgan.explore.vector_drawing import Area, Drawing, Line, Shape, Text, cut_to
from kgan.images import check_levels, from_uint8
from kgan.layers import SpectralNormalization
from kgan.layers.spectral_norm import KERNELS
from kgan.models.rebuild import float32_copy

POINTS = 11  # on the line from a real image to a generated one
ITERATIONS = 200  # of a power iteration, at most
CLOSE = 1e-6  # relative change at which it ends
BATCH = 32
MIDDLE, HALF = 290, 86  # of the bars, in pixels: where 1 is, and how far they reach
BLUE, PALE, GREY = (70, 110, 200), (205, 217, 245), (170, 170, 170)


class LayerNorm(NamedTuple):
    """The largest factor by which one layer lengthens a change of its input.

    Attributes:
        name, kind: of the layer.
        spectral_norm: whether it is under `SpectralNormalization`.
        operator: its largest singular value as a map of whole inputs, as it runs.
        operator_without: the same without spectral normalisation.
        matrix: largest singular value of its kernel as the matrix that spectral normalisation
            makes 1, as it runs; None for a layer without a kernel.
        matrix_without: the same of the stored kernel.
    """

    name: str
    kind: str
    spectral_norm: bool
    operator: float
    operator_without: float
    matrix: float | None
    matrix_without: float | None


def lipschitz(
    model: Any, real_images: np.ndarray, labels: np.ndarray | None = None, seed: int = 0
) -> Finding:
    """Measures the slopes of a discriminator: what its layers allow, and where images lie.

    Each affine layer's largest singular value, batch normalisation's too, by power iteration on
    the layer itself; and the norm of the logit's gradient along the lines from real images to
    generated ones, in the model's own range. In inference throughout.

    Args:
        model: a `Subject`, or a model that one can be made of; its discriminator is needed.
        real_images: uint8 array (N, H, W, C), one line each.
        labels: of a conditional model, their classes or attributes.
        seed: of the first generated image.

    Returns:
        A `Finding`.

    Raises:
        InputError: no discriminator of the functional API at hand, or images that do not fit.

    Reference:
        Miyato et al. 2018, section 2.1, https://arxiv.org/abs/1802.05957;
        Gulrajani et al. 2017, section 4, https://arxiv.org/abs/1704.00028
    """
    subject = as_subject(model)
    gan = subject.require_gan()
    network = check_functional(float32_copy(gan.discriminator))
    real_images = check_levels(real_images, subject.image_shape)
    layers = layer_norms(network)
    generated = subject.generate(len(real_images), seed, labels)
    ends = [from_uint8(images, gan.value_range) for images in (real_images, generated)]
    classes = None
    if subject.condition is not None:
        classes = subject.labels_of(range(seed, seed + len(real_images)), labels)
    slopes = gradient_norms(network, ends[0], ends[1], classes)
    figures: dict[str, Any] = {
        "experiment": "lipschitz",
        "layers": [layer._asdict() for layer in layers],
        "product_of_operators": math.prod(layer.operator for layer in layers),
        "product_of_operators_without": math.prod(layer.operator_without for layer in layers),
        "along": np.linspace(0, 1, POINTS),
        "gradient_norm_mean": slopes.mean(axis=0),
        "gradient_norm_10_percent": np.quantile(slopes, 0.1, axis=0),
        "gradient_norm_90_percent": np.quantile(slopes, 0.9, axis=0),
        "gradient_norm_largest": float(slopes.max()),
        "lines": len(slopes),
    }
    picture = beside([_bars(layers).to_pixels(), _curve(figures).to_pixels()], gap=32)
    return Finding(picture, figures, _in_words(figures))


def layer_norms(network: keras.Model) -> list[LayerNorm]:
    """The norms of a functional network's affine layers, in the order of their computation.

    Layers that are no affine map of one input, as self-attention, have none and are left out.
    """
    found = []
    for layer in network.layers:
        if not layer.weights or isinstance(layer.input, list):
            continue
        shape = tuple(layer.input.shape[1:])
        if not keras.backend.is_float_dtype(layer.input.dtype) or None in shape:
            continue
        operator = operator_norm(layer, shape)
        if operator is None:
            continue
        normalized = isinstance(layer, SpectralNormalization)
        inner = layer.layer if normalized else layer
        without = operator_norm(inner, shape) if normalized else operator
        assert without is not None
        matrix = _matrix_norm(inner)
        as_it_runs = matrix if matrix is None or not without else matrix * operator / without
        kind = type(inner).__name__
        found.append(LayerNorm(layer.name, kind, normalized, operator, without, as_it_runs, matrix))
    return found


def operator_norm(layer: keras.layers.Layer, shape: tuple[int, ...]) -> float | None:
    """The largest singular value of an affine layer in inference; None for any other layer.

    Args:
        layer: maps a float batch (1, *shape).
        shape: of one input.
    """
    rng = np.random.default_rng(0)
    zero = layer(tf.zeros((1, *shape)))
    probe = tf.constant(rng.standard_normal((1, *shape)).astype(np.float32))
    once = layer(probe) - zero
    for factor in (2.0, -1.0):  # a rectifier is linear on either side of 0
        apart = layer(factor * probe) - zero - factor * once
        if float(tf.reduce_max(tf.abs(apart))) > 1e-4 * float(tf.reduce_max(tf.abs(once))):
            return None
    return float(_iterated(layer, zero, probe / tf.norm(probe)))


def _iterated(layer: keras.layers.Layer, zero: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
    """The norm that a power iteration comes to, from a vector of length 1; one graph."""

    @tf.function
    def largest() -> tf.Tensor:
        unit, before, norm = start, tf.constant(-1.0), tf.constant(0.0)
        for _ in tf.range(ITERATIONS):
            with tf.GradientTape() as tape:
                tape.watch(unit)
                energy = 0.5 * tf.reduce_sum((layer(unit) - zero) ** 2)
            before, norm = norm, tf.sqrt(2 * energy)
            step = tape.gradient(energy, unit)
            unit = tf.math.divide_no_nan(step, tf.norm(step))
            if tf.abs(norm - before) <= CLOSE * norm:
                break
        return norm

    # Not by a call, which would warn of one graph for each layer.
    return largest.get_concrete_function()()


def _matrix_norm(layer: keras.layers.Layer) -> float | None:
    """The largest singular value of a layer's stored kernel, laid out as spectral norm does."""
    kernels = [place for kind, place in KERNELS.items() if isinstance(layer, kind)]
    if not kernels:
        return None
    name, axis = kernels[-1]
    kernel = keras.ops.convert_to_numpy(getattr(layer, name)).astype(np.float64)
    matrix = np.moveaxis(kernel, axis, -1).reshape(-1, kernel.shape[axis])
    return float(np.linalg.norm(matrix, 2))


def gradient_norms(
    network: keras.Model,
    real_images: np.ndarray,
    fake_images: np.ndarray,
    labels: np.ndarray | None = None,
) -> np.ndarray:
    """Norms of a discriminator's gradient on the lines between images, float64 (N, `POINTS`).

    Args:
        network: maps images (B, H, W, C), and labels of a conditional one, to logits (B, 1).
        real_images, fake_images: float arrays (N, H, W, C), where each line begins and ends.
        labels: int array (N,), or float (N, k) of attributes; None without.
    """
    norms = np.empty((len(real_images), POINTS))
    for column, share in enumerate(np.linspace(0, 1, POINTS, dtype=np.float32)):
        for start in range(0, len(real_images), BATCH):
            part = slice(start, start + BATCH)
            images = tf.constant((1 - share) * real_images[part] + share * fake_images[part])
            inputs = images if labels is None else [images, tf.constant(labels[part])]
            with tf.GradientTape() as tape:
                tape.watch(images)
                logits = network(inputs, training=False)
            slopes = tape.gradient(logits, images)
            norms[part, column] = np.sqrt(np.sum(np.asarray(slopes, np.float64) ** 2, (1, 2, 3)))
    return norms


def _bars(layers: list[LayerNorm]) -> Drawing:
    """One bar a layer, on a logarithmic scale, from the line of 1 on: to the right it lengthens."""
    values = [v for x in layers for v in (x.operator, x.operator_without) if v > 0]
    reach = max([abs(math.log10(value)) for value in values], default=1.0) or 1.0
    shapes: list[Shape] = [
        Text(4, 2, "largest singular value of each layer (pale: without spectral norm)", 13)
    ]
    for row, layer in enumerate(layers):
        top = 28 + 24 * row
        name = layer.name + (" (spectral norm)" if layer.spectral_norm else "")
        shapes.append(Text(4, top + 2, cut_to(name, 196, 12), 12))
        for value, fill in ((layer.operator_without, PALE), (layer.operator, BLUE)):
            end = MIDDLE + (HALF * math.log10(value) / reach if value > 0 else -HALF)
            corners = ((MIDDLE, top), (end, top), (end, top + 16), (MIDDLE, top + 16))
            shapes.append(Area(corners, fill))
        words = f"{layer.operator:.3g}"
        if layer.spectral_norm:
            words += f" ({layer.operator_without:.3g})"
        shapes.append(Text(MIDDLE + HALF + 12, top + 2, words, 12))
    bottom = 28 + 24 * max(1, len(layers))
    shapes.append(Line(((MIDDLE, 24), (MIDDLE, bottom)), GREY))
    shapes.append(Text(MIDDLE - 3, bottom + 2, "1", 12))
    return Drawing(MIDDLE + HALF + 100, bottom + 20, tuple(shapes))


def _curve(figures: dict[str, Any]) -> Drawing:
    width, height = 400, 220
    left, right, top, bottom = 48, width - 28, 36, height - 26
    high = float(figures["gradient_norm_90_percent"].max()) * 1.1 or 1.0

    def points(values: np.ndarray) -> list[tuple[float, float]]:
        return [
            (left + (right - left) * x, bottom - (bottom - top) * min(1.0, float(y) / high))
            for x, y in zip(figures["along"], values, strict=True)
        ]

    upper = points(figures["gradient_norm_90_percent"])
    lower = points(figures["gradient_norm_10_percent"])
    shapes: list[Shape] = [
        Text(4, 2, "norm of the logit's gradient; pale: 10% to 90% of the lines", 13),
        Area((*upper, *reversed(lower)), PALE),
        Line(tuple(points(figures["gradient_norm_mean"])), BLUE),
        Line(((left, top), (left, bottom), (right, bottom)), GREY),
        Text(4, top - 4, f"{high:.3g}", 12),
        Text(left - 12, bottom - 8, "0", 12),
        Text(left, bottom + 6, "real", 12),
        Text(right - 40, bottom + 6, "generated", 12),
    ]
    return Drawing(width, height, tuple(shapes))


def _in_words(figures: dict[str, Any]) -> tuple[str, ...]:
    mean = figures["gradient_norm_mean"]
    lines = [
        f"{layer['name']}: largest singular value {layer['operator']:.3g}"
        + (f", {layer['operator_without']:.3g} without" if layer["spectral_norm"] else "")
        for layer in figures["layers"]
    ]
    return (
        *lines,
        f"their product is {figures['product_of_operators']:.3g}"
        f" (without spectral norm {figures['product_of_operators_without']:.3g})",
        f"the logit's gradient has a norm of {mean[0]:.3g} at real images, {mean[-1]:.3g} at "
        f"generated ones, at most {figures['gradient_norm_largest']:.3g} between",
    )
