"""What a model asks of the batches that `fit` and `evaluate` are given."""

from __future__ import annotations

import contextlib
import math
import os
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import keras
import numpy as np
import tensorflow as tf

from kgan.attributes import Attributes
from kgan.data.workers import part_of
from kgan.errors import InputError
from kgan.training.distribution import has_workers

if TYPE_CHECKING:
    from kgan.training.gan import GAN
    from kgan.training.two_networks import TwoNetworks

BEYOND = 0.25  # of the range: interpolation and noise may go that far past its ends


def drops_asserts(model: TwoNetworks) -> bool:
    """Whether XLA compiles what asserts that labels are right, which it drops."""
    return bool(model.jit_compile) and getattr(model, "condition", None) is not None


def as_keras_takes(model: TwoNetworks, data: Any, labels: Any = None) -> Any:
    """Data for `fit` and `evaluate`: a generator may give images alone, as a dataset may.

    Where XLA compiles the step, which drops what that asserts, the labels of a GAN are looked at
    here: an array's now, a Dataset's and a generator's as they come, a Keras PyDataset's not.

    Args:
        model: what trains on them.
        data: what `fit` takes as x, or as validation_data.
        labels: what it takes as y.

    Raises:
        InputError: no data, or the name of a file or a folder.
        tf.errors.InvalidArgumentError: labels outside of the classes, or not finite.
    """
    if data is None or isinstance(data, (str, bytes, os.PathLike)):
        raise InputError(
            "A model takes images, such as an array (N, H, W, C), or a folder's by "
            "kgan.data.from_folder(folder, image_shape=(H, W, C), batch_size=64). "
            f"Received: {data!r}"
        )
    part = part_of(data)
    if part is not None and has_workers(model.distribute_strategy):
        own = as_keras_takes(model, part)
        return model.distribute_strategy.distribute_datasets_from_function(lambda context: own)
    if isinstance(data, types.GeneratorType):
        data = (batch if isinstance(batch, tuple) else (batch,) for batch in data)
    if drops_asserts(model):
        return _with_labels_asserted(cast("GAN", model), data, labels)
    return data


def check_unweighted(model: TwoNetworks, weights: Any, class_weight: Any = None) -> None:
    """Raises an InputError where images are weighted."""
    received = weights if weights is not None else class_weight
    if received is None:
        return
    if hasattr(received, "dtype"):
        received = f"{keras.backend.standardize_dtype(received.dtype)} {received.shape}"
    raise InputError(
        f"A {type(model).__name__} weighs all images alike: no sample_weight and no "
        "class_weight; to have some more often, repeat them in the data. "
        f"Received weights: {received}"
    )


def images_of(model: TwoNetworks, data: Any) -> tuple[Any, Any]:
    """The (images, labels or None) of a batch, by their kind and shape alone.

    Raises:
        InputError: anything but floats of the model's image shape, or weights.
    """
    images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
    if isinstance(images, np.ndarray):  # train_on_batch with run_eagerly makes no tensors
        images = tf.convert_to_tensor(images)
        labels = None if labels is None else tf.convert_to_tensor(labels)
    if isinstance(images, dict):
        raise InputError(
            "A batch is images, or (images, labels): data.map(lambda batch: batch['image']) takes "
            f"one entry of a dict. Received a dict of: {', '.join(map(str, images))}"
        )
    check_unweighted(model, weights)
    if not isinstance(images, tf.Tensor):
        many = f" of {len(images)}" if isinstance(images, (list, tuple)) else ""
        raise InputError(
            "Images come as one array or tensor, such as np.stack(images), with labels beside it, "
            f"fit(images, labels). Received: {type(images).__name__}{many}"
        )
    if not images.dtype.is_floating:
        raise InputError(
            f"Images to train on must be floats in the model's range {model.value_range}; "
            f"kgan.data makes them so. Received: {images.dtype.name}"
        )
    if not images.shape.is_compatible_with((None, *model.image_shape)):
        raise InputError(
            "Images to train on must have the shape (batch, "
            f"{', '.join(map(str, model.image_shape))}). Received: {images.shape}"
        )
    return images, labels


def check_batch(gan: GAN, data: Any) -> tuple[tf.Tensor, tf.Tensor | None]:
    """The (real images, labels or None) of a GAN's batch; classes int32, attributes float32.

    Raises:
        InputError: images that do not fit, labels for a GAN without, or none for one with.
    """
    real_images, labels = images_of(gan, data)
    if gan.attributes is not None:
        return real_images, _asserted(gan, _attributes(labels, gan.attributes))
    if gan.num_classes is None:
        if labels is not None:
            raise InputError(
                "This GAN has no classes and would not see the labels: give it num_classes, or "
                "images alone, data.map(lambda images, labels: images). "
                f"Received labels: {labels.dtype.name} {labels.shape}"
            )
        return real_images, None
    if labels is None or labels.shape.rank != 1 or not labels.dtype.is_integer:
        received = "None" if labels is None else f"{labels.dtype.name} {labels.shape}"
        raise InputError(
            "A conditional GAN trains on (images, labels), labels whole numbers (batch,). "
            f"Received labels: {received}"
        )
    return real_images, _asserted(gan, tf.cast(labels, tf.int32))


def _attributes(labels: Any, attributes: Attributes) -> tf.Tensor:
    """A batch's attributes as float32 (B, k)."""
    k = len(attributes.names)
    if labels is None or labels.shape.rank != 2 or labels.shape[1] not in (None, k):
        received = "None" if labels is None else f"{labels.dtype.name} {labels.shape}"
        raise InputError(
            f"This GAN trains on (images, labels), labels the numbers (batch, {k}) of "
            f"{', '.join(attributes.names)}. Received labels: {received}"
        )
    return tf.ensure_shape(tf.cast(labels, tf.float32), (labels.shape[0], k))


def _asserted(gan: GAN, labels: tf.Tensor) -> tf.Tensor:
    """Labels of which none is outside of the classes, or not finite; a step of XLA's drops that."""
    if gan.num_classes is None:
        good, right = tf.math.is_finite(tf.cast(labels, tf.float32)), "Attributes are finite"
    else:  # an embedding takes -1 for the last class, and on a GPU anything for zeros
        good = (labels >= 0) & (labels < gan.num_classes)
        right = f"A label is a whole number from 0 to {gan.num_classes - 1}"
    checked = tf.debugging.Assert(tf.reduce_all(good), [f"{right}. Received:", labels])
    with tf.control_dependencies([checked] if checked is not None else []):
        return tf.identity(labels)


def _with_labels_asserted(gan: GAN, data: Any, labels: Any) -> Any:
    def batch(images: Any, labels: Any = None, *more: Any) -> tuple[Any, ...]:
        return images, _asserted(gan, labels) if _may_be_labels(labels) else labels, *more

    if isinstance(data, tuple):  # (images, labels), to validate on
        labels = data[1] if len(data) > 1 else None
    if _may_be_labels(labels):
        _asserted(gan, tf.convert_to_tensor(labels))
    if isinstance(data, tf.data.Dataset) and isinstance(data.element_spec, tuple):
        return data.map(batch) if len(data.element_spec) > 1 else data
    if isinstance(data, types.GeneratorType):
        return (batch(*each) for each in data)
    return data


def _may_be_labels(labels: Any) -> bool:
    """Whether they are numbers at all; `check_batch` refuses others."""
    dtype = getattr(labels, "dtype", None)
    return dtype is not None and (tf.as_dtype(dtype).is_floating or tf.as_dtype(dtype).is_integer)


def check_extremes(low: float, high: float, value_range: tuple[float, float]) -> None:
    """Whether a batch whose values lie from `low` to `high` can be in a model's range.

    A batch of one value proves nothing, and one with NaN is the guarded update's to judge.

    Raises:
        InputError: it cannot; the message has the line that mends it.
    """
    start, end = value_range
    span = end - start
    if not math.isfinite(low) or not math.isfinite(high) or low == high:
        return
    mend = None
    if high > end + BEYOND * span or low < start - BEYOND * span:
        if low >= 0.0 and high > 2.0:
            mend = "images / 127.5 - 1" if value_range == (-1, 1) else _from_levels(value_range)
        elif low >= -1.5 and high <= 1.5 and value_range == (0, 1):
            mend = "(images + 1) / 2"
        else:
            mend = f"scale them from [{low:.4g}, {high:.4g}] to [{start:g}, {end:g}]"
    elif low >= 0.0 and high < 1 / 200:
        mend = "divide by 255 once, not twice"
    elif value_range == (-1, 1) and 0.0 <= low < 0.25 and high > 0.5:
        mend = "2 * images - 1"
    if mend:
        raise InputError(
            f"The model's images are in [{start:g}, {end:g}], and the first batch is not: {mend}; "
            f"kgan.data scales by itself. Received values from {low:.4g} to {high:.4g}"
        )


def _from_levels(value_range: tuple[float, float]) -> str:
    start, end = value_range
    if value_range == (0, 1):
        return "images / 255"
    return f"images / 255 * {end - start:g} + {start:g}"


class FirstBatch(keras.callbacks.Callback):
    """Looks at the values of the first batch of a fit or an evaluation.

    `note` is called in every step. The step that it is used in has been taken by then: to look
    before would draw a batch that the training then does not get.
    """

    def __init__(self) -> None:
        super().__init__()
        self.low = keras.metrics.Mean(name="low")
        self.high = keras.metrics.Mean(name="high")
        self.looked = False

    def note(self, images: tf.Tensor) -> None:
        """Keeps a batch's lowest and highest value."""
        images = tf.cast(images, tf.float32)
        self.low.update_state(tf.reduce_min(images))
        self.high.update_state(tf.reduce_max(images))

    @contextlib.contextmanager
    def of_own_loop(self, model: TwoNetworks) -> Iterator[None]:
        """Around a step of a loop that is the user's own: looks at the first that it takes."""
        first = not self.looked
        if first:
            self.on_train_begin()
        yield
        if first:
            self.set_model(model)
            self.on_train_batch_end(0)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.looked = False
        self.low.reset_state()
        self.high.reset_state()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if not self.looked and self.model.makes_pictures:
            check_extremes(
                float(self.low.result()), float(self.high.result()), self.model.value_range
            )
        self.looked = True

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.on_train_begin()

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.on_train_batch_end(batch)
