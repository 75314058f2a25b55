"""What conditional networks share: labels, of classes or of attributes, as inputs and in layers."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras
from keras import layers

from kgan.attribute_values import LEAST_WIDTH, MOST_WIDTH, can_scale
from kgan.errors import InputError
from kgan.files import printable
from kgan.layers import (
    AttributeBatchNormalization,
    AttributeScaling,
    ConditionalBatchNormalization,
)
from kgan.models.networks import Inputs, batch_normalization, check_positive

Ranges: TypeAlias = tuple[tuple[float, float], ...]  # (lowest, highest) of each attribute


def check_classes(num_classes: int | None) -> None:
    """Raises an InputError unless `num_classes` is None or an int above 1."""
    if num_classes is not None:
        check_positive(num_classes=num_classes)
        if num_classes < 2:
            raise InputError("num_classes must be at least 2, or None for no classes. Received: 1")


def check_condition(num_classes: int | None, attribute_ranges: Any) -> Ranges | None:
    """The ranges of attributes as tuples; None for a network without attributes.

    Raises:
        InputError: both classes and attributes, a number of classes that `check_classes` refuses,
            or ranges that are not pairs of finite numbers, the lower one first, or that
            `kgan.attribute_values.can_scale` refuses.
    """
    check_classes(num_classes)
    if attribute_ranges is None:
        return None
    if num_classes is not None:
        raise InputError(
            "A network has classes or attributes, not both. Received: "
            f"num_classes={num_classes} and attribute_ranges={attribute_ranges!r}"
        )
    try:
        ranges = tuple((float(low), float(high)) for low, high in attribute_ranges)
    except (TypeError, ValueError, OverflowError):
        ranges = ()
    if not ranges or not all(can_scale(low, high) for low, high in ranges):
        raise InputError(
            "attribute_ranges must be pairs (lowest, highest) of finite numbers, "
            f"{LEAST_WIDTH:.2g} to {MOST_WIDTH:.2g} apart. "
            f"Received: {printable(repr(attribute_ranges), 200)}"
        )
    return ranges


def latent_inputs(
    latent_dim: int, num_classes: int | None, ranges: Ranges | None = None
) -> tuple[keras.KerasTensor, keras.KerasTensor | None, Inputs]:
    """A generator's symbolic inputs: (latents, labels or None, what the model takes).

    The labels are classes, int (B,), or attributes, float (B, k), each scaled from its range to
    [-1, 1].
    """
    inputs = keras.Input((latent_dim,), dtype="float32", name="latents")
    return _with_labels(inputs, num_classes, ranges)


def image_inputs(
    image_shape: Sequence[int], num_classes: int | None, ranges: Ranges | None = None
) -> tuple[keras.KerasTensor, keras.KerasTensor | None, Inputs]:
    """A discriminator's symbolic inputs: (images, labels as in `latent_inputs`, what it takes)."""
    inputs = keras.Input(image_shape, dtype="float32", name="images")
    return _with_labels(inputs, num_classes, ranges)


def _with_labels(
    inputs: keras.KerasTensor, num_classes: int | None, ranges: Ranges | None
) -> tuple[keras.KerasTensor, keras.KerasTensor | None, Inputs]:
    if ranges is not None:
        labels = keras.Input((len(ranges),), dtype="float32", name="labels")
        scaled = AttributeScaling(ranges, dtype="float32", name="attributes")(labels)
        return inputs, scaled, [inputs, labels]
    if num_classes is None:
        return inputs, None, inputs
    labels = keras.Input((), dtype="int32", name="labels")
    return inputs, labels, [inputs, labels]


def normalize(
    x: keras.KerasTensor,
    labels: keras.KerasTensor | None,
    num_classes: int | None,
    policy: keras.DTypePolicy,
    name: str,
    gamma_initializer: Any = "ones",
) -> keras.KerasTensor:
    """Batch normalisation of `x`; with `labels`, scale and shift are those of class or attributes.

    Args:
        labels: as `latent_inputs` gives them.
        num_classes: number of classes; None with attributes.
        policy, name: of the layer.
        gamma_initializer: of the scale, where there are no labels.
    """
    if labels is None:
        return batch_normalization(policy, name, gamma_initializer)(x)
    if num_classes is None:
        return AttributeBatchNormalization(dtype=policy, name=name)(x, labels)
    return ConditionalBatchNormalization(num_classes, dtype=policy, name=name)(x, labels)


def label_layer(
    num_classes: int | None,
    width: int,
    dtype: keras.DTypePolicy | str,
    rows: Any,
    kernel: Any,
    bias: Any = None,
) -> keras.Layer:
    """A layer that gives a vector (B, width) for labels: a class's own, or linear in attributes.

    Args:
        num_classes: number of classes; None with attributes.
        width: length of a vector.
        dtype: dtype policy.
        rows: initializer of the classes' vectors.
        kernel, bias: initializers of the linear map; without the second it has no bias.
    """
    if num_classes is not None:
        return layers.Embedding(num_classes, width, rows, dtype=dtype, name="classes")
    return layers.Dense(
        width,
        use_bias=bias is not None,
        kernel_initializer=kernel,
        bias_initializer=bias or "zeros",
        dtype=dtype,
        name="of_attributes",
    )


def project_labels(
    logits: keras.KerasTensor,
    features: keras.KerasTensor,
    labels: keras.KerasTensor,
    num_classes: int | None,
    wrap: Callable[[keras.Layer], keras.Layer] = lambda layer: layer,
) -> keras.KerasTensor:
    """Adds to the logits how well the features, averaged over positions, agree with the label.

    It is y^T V phi: y is 1 at the image's class and 0 at the others, or the vector of attributes.

    Args:
        logits: (B, 1).
        features: (B, H, W, D), the last feature maps.
        labels: as `image_inputs` gives them.
        num_classes: number of classes; None with attributes.
        wrap: wraps the layer that holds V.

    Reference:
        Miyato and Koyama 2018, equation 3, https://arxiv.org/abs/1802.05637
    """
    pooled = layers.GlobalAveragePooling2D(
        data_format="channels_last", dtype="float32", name="pooled"
    )(features)
    of_labels = label_layer(num_classes, features.shape[-1], "float32", "uniform", "uniform")
    directions = wrap(of_labels)(labels)
    agreement = layers.Dot(axes=1, dtype="float32", name="agreement")([directions, pooled])
    return layers.Add(dtype="float32", name="logits")([logits, agreement])
