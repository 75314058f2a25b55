"""Images in memory as a source, in the depth that they were given in."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf

from kgan import memory
from kgan.attributes import Attributes
from kgan.data import decode
from kgan.data.order import order
from kgan.data.sources import WORKERS, Source
from kgan.images import to_uint8

TOGETHER = 256  # images that are turned into levels at a time
LARGE = 2**16  # levels; threads take longer over a smaller image than one alone


class ArraySource(Source):
    """Images in memory and their labels: classes, int32 (N,), -1 without, or attributes (N, k).

    Args:
        images: uint8, uint16 or float32 (N, H, W, C); with `fit_one`, a sequence of N things
            that it takes.
        description, default_augment, labels, class_names, attributes: as for `Source`.
        image_shape: (H, W, C); None for that of the images.
        fit_one: makes one image of that shape; None where they have it. It is called when
            `values` is first asked for.
        array_range: (low, high), what black and white are in the images.
    """

    def __init__(
        self,
        images: Any,
        description: str,
        default_augment: Iterable[str] = ("flip",),
        labels: np.ndarray | None = None,
        class_names: Sequence[str] | None = None,
        image_shape: decode.Shape | None = None,
        fit_one: Callable[[Any], np.ndarray] | None = None,
        attributes: Attributes | None = None,
        array_range: tuple[float, float] = (0.0, 255.0),
    ) -> None:
        shape = images.shape[1:] if image_shape is None else image_shape
        super().__init__(description, shape, len(images), default_augment, class_names, attributes)
        self._given, self._fit_one = images, fit_one
        self.dtype = getattr(images, "dtype", np.dtype(np.uint8))  # of lists
        self.array_range = array_range
        self.labels = np.full(len(images), -1, np.int32) if labels is None else labels

    @functools.cached_property
    def images(self) -> np.ndarray:
        """uint8 (N, H, W, C): `values`, or of deeper ones the nearest of 256 levels."""
        if self.dtype == np.uint8:
            return self.values
        size = self.values.size
        memory.check(f"{self.count:,} pictures of 256 levels", size, "fewer", self.values.shape)
        levels = np.empty(self.values.shape, np.uint8)
        for start in range(0, self.count, TOGETHER):  # in between they are float32
            part = slice(start, start + TOGETHER)
            levels[part] = to_uint8(self.values[part], self.array_range)
        return levels

    @functools.cached_property
    def values(self) -> np.ndarray:
        """The images in their own depth, (N, H, W, C): what is trained on."""
        if self._fit_one is None:
            return self._given
        each = math.prod(self.image_shape) * self.dtype.itemsize
        memory.check(
            f"{self.count:,} pictures of {'x'.join(map(str, self.image_shape))} at once",
            self.count * each,
            f"{memory.free() // each:,} of them, or a folder of files, which is streamed",
        )
        fitted = np.empty((self.count, *self.image_shape), self.dtype)
        with contextlib.ExitStack() as stack:
            several: Callable[..., Iterable[np.ndarray]] = map
            if np.asarray(self._given[0]).size >= LARGE:
                several = stack.enter_context(ThreadPoolExecutor(WORKERS)).map
            for place, image in enumerate(several(self._fit_one, self._given)):
                fitted[place] = image
        self._given = ()
        return fitted

    def origins(self) -> Iterable[Any]:
        """As `Source.origins`: hashes of the images and of the labels."""
        for array in (self.values, self.labels):
            yield hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()

    def contents(self) -> Iterable[Any]:
        return self.origins()

    def tensors(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Images and labels as tensors on the CPU, where the pipeline runs."""
        with tf.device("CPU"):
            return tf.constant(self.images), tf.constant(self.labels)

    def examples(self, key: tf.Tensor | None = None) -> tf.data.Dataset:
        """As `Source.examples`."""
        images, labels = self.tensors()
        return order(len(self.images), key).map(
            lambda index: (tf.gather(images, index), tf.gather(labels, index))
        )
