"""Where images come from: one class per kind, each yielding uint8 images of one shape."""

from __future__ import annotations

import abc
import atexit
import copy
import hashlib
import io
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

import numpy as np
import tensorflow as tf

from kgan.attributes import Attributes
from kgan.channels import ALPHA
from kgan.data import decode, image_files
from kgan.data.skipped_lines import SkippedLines
from kgan.data.transparency import KEPT
from kgan.errors import InputError, KganError
from kgan.memory import out_of_memory

LOG = logging.getLogger("kgan")
WORKERS = os.cpu_count() or 1
DECODERS = ThreadPoolExecutor(WORKERS, "decode")  # Pillow releases Python's lock while it decodes
DECODED_TOGETHER = 32
CALLS = {"count": 0}  # of Python, from tf.data's threads


@atexit.register
def _let_pipelines_settle() -> None:
    """Waits until no pipeline that still exists calls Python.

    A thread of tf.data that waits for Python's lock while the interpreter shuts
    down never gets it, and its iterator would wait forever. By now `DECODERS`
    accepts no more work: new calls end at once.
    """
    seen, quiet = 0, 0
    for _ in range(100):
        if quiet == 5 or not CALLS["count"]:
            return
        quiet = quiet + 1 if CALLS["count"] == seen else 0
        seen = CALLS["count"]
        time.sleep(0.02)


class Source(abc.ABC):
    """Images of one shape.

    Attributes:
        description: what they are, one line.
        image_shape: (H, W, C).
        count: number of images, broken ones included.
        default_augment: the augmentations to use when the user names none.
        usable: number of images that are read at all.
        skipped: images that could not be decoded, name -> reason; it grows as they are read.
        broken: indices of the images that proved broken when they were decoded.
        left_out: indices of the images that are kept for something else.
        error: the KganError that ended the reading, None without one. tf.data
            wraps what is raised inside it; this is the original.
        class_names: a name per class, by label; None for images without classes.
        attributes: the `Attributes` that their labels are, float32 (k,); None for other labels.
        transparency: what became of it, in words; None where there is none.
        split: which part of a set they are; None where it has no parts.
    """

    split: str | None = None

    def __init__(
        self,
        description: str,
        image_shape: decode.Shape,
        count: int,
        default_augment: Iterable[str],
        class_names: Sequence[str] | None = None,
        attributes: Attributes | None = None,
    ) -> None:
        self.description = description
        self.image_shape = image_shape
        self.count = count
        self.default_augment = list(default_augment)
        self.usable = count
        self.skipped: dict[str, str] = {}
        self.broken: set[int] = set()
        self.left_out: frozenset[int] = frozenset()
        self.error: KganError | None = None
        self.class_names = class_names
        self.attributes = attributes
        self.transparency: str | None = None

    @property
    def labels_spec(self) -> tuple[tuple[int, ...], type[np.number]]:
        """(shape, type) of one image's label."""
        if self.attributes is None:
            return (), np.int32
        return (len(self.attributes.names),), np.float32

    @property
    def good(self) -> int:
        """Number of images without those known to be broken or left out."""
        return self.usable - len(self.broken | self.left_out)

    @abc.abstractmethod
    def examples(self, key: tf.Tensor | None = None) -> tf.data.Dataset:
        """A tf.data.Dataset of uint8 images (H, W, C) and their labels.

        They are int32 classes, -1 without, or float32 attributes (k,).

        Args:
            key: int64 tensor (2,) that the order is drawn from; None for the source's own.
        """

    def read(self, examples: tf.data.Dataset) -> Iterator[Any]:
        """Yields the elements of a dataset of this source as arrays.

        Raises:
            InputError: the data are damaged, or the error that ended the reading.
        """
        try:
            yield from examples.as_numpy_iterator()
        # TensorFlow reports a record that is not valid text as a UnicodeDecodeError.
        except (tf.errors.OpError, UnicodeDecodeError) as problem:
            if self.error is not None:
                raise self.error from None  # raised while decoding; tf has wrapped it
            raise InputError(
                f"Damaged, or not of the expected kind. Received: {self.damaged()}"
            ) from problem

    def damaged(self) -> str:
        """Which part of the data cannot be read, once reading has failed."""
        return self.description

    def name(self, index: int) -> str:
        """How messages refer to that image."""
        return f"picture {index}"

    def identity(self, index: int) -> str:
        """What that image is called wherever the data lie: its place, where it has no name."""
        return str(index)

    def stem(self, index: int) -> str:
        """What a file made of that image is called, without a suffix."""
        return f"picture-{index:06d}"

    def fingerprint(self) -> str:
        """A short hash of which images these are and how they are fitted.

        The same however the path to them is spelled and whatever folder is the current one.
        """
        facts = [*self.facts(), *self.origins(), *sorted(self.left_out)]
        return hashlib.sha256(repr(facts).encode("utf-8", "surrogateescape")).hexdigest()[:16]

    def facts(self) -> list[Any]:
        """What the images are like, for `fingerprint`."""
        of_all = [self.description, self.image_shape, self.class_names]
        return of_all if self.attributes is None else [*of_all, self.attributes.names]

    @abc.abstractmethod
    def origins(self) -> Iterable[Any]:
        """Where the images come from, or what is in them, for `fingerprint`."""

    def contents(self) -> Iterable[Any]:
        """What the images are, the same for a copy of them that lies elsewhere: here their names.

        What is read of them is no more than what opening them has read.
        """
        return (self.identity(index) for index in range(self.usable))

    def what_is_broken(self) -> dict[str, Any]:
        """Which images turned out to be broken, for a later source of the same data."""
        return {"data": self.fingerprint(), "broken": sorted(self.broken)}

    def expect_broken(self, known: dict[str, Any]) -> None:
        """Takes the result of `what_is_broken`; ignores it if the data have changed since.

        Raises:
            ValueError, LookupError, TypeError: it is no such result.
        """
        if known["data"] == self.fingerprint():
            broken = list(known["broken"])
            if any(type(index) is not int or not 0 <= index < self.count for index in broken):
                raise ValueError(f"no indices of {self.count} pictures: {broken}")
            self.broken.update(broken)


class StreamSource(Source):
    """Images that are decoded as they are read."""

    def __init__(
        self,
        description: str,
        image_shape: decode.Shape,
        count: int,
        fit: decode.Fit,
        background: Sequence[int],
        strict: bool,
        default_augment: Iterable[str],
        class_names: Sequence[str] | None = None,
        attributes: Attributes | None = None,
    ) -> None:
        super().__init__(description, image_shape, count, default_augment, class_names, attributes)
        self.transparency = KEPT if image_shape[2] == ALPHA else None
        self.fit = fit
        self.background = background
        self.strict = strict
        self._lines = SkippedLines(self.gone)
        self.least = 1  # images that must remain; `batches` sets it to a batch

    def aside(self) -> StreamSource:
        """A source of the same images that keeps what proves broken to itself, and says nothing."""
        other = copy.copy(self)
        other.broken, other.skipped = set(self.broken), dict(self.skipped)
        other._lines = SkippedLines(None)
        return other

    @abc.abstractmethod
    def encoded(self, key: tf.Tensor | None) -> tf.data.Dataset:
        """A tf.data.Dataset of (index, data, label).

        That is which of the `count` images it is, what `decoded` decodes, and its label as
        `examples` gives it.

        Args:
            key: as for `examples`.
        """

    @abc.abstractmethod
    def name(self, index: int) -> str:
        """How messages refer to that image."""

    def facts(self) -> list[Any]:
        """As `Source.facts`."""
        of_all = super().facts()
        return [*of_all[:2], self.fit, self.background, *of_all[2:]]

    def examples(
        self,
        key: tf.Tensor | None = None,
        skip: int | tf.Tensor = 0,
        chosen: Callable[[tf.Tensor], tf.Tensor] | None = None,
        end: int | tf.Tensor = -1,
    ) -> tf.data.Dataset:
        """As `Source.examples`, from a later image on.

        Args:
            key: as for `Source.examples`.
            skip: number of good images to pass over at the beginning. Those
                known to be broken when this is called are not decoded again,
                so that the ones passed over need not be decoded either.
            chosen: tells of a place, counted from there, whether its image is wanted; the
                others are not decoded either. None for all.
            end: how many places `chosen` is asked about; -1 for those of all images.
        """
        passed = self.broken | self.left_out
        is_passed = np.zeros(max(passed, default=-1) + 1, bool)
        is_passed[list(passed)] = True
        last = len(is_passed) - 1

        def select(images: tf.data.Dataset) -> tf.data.Dataset:
            if passed:
                images = images.filter(
                    lambda index, *rest: (
                        (index > last) | ~tf.gather(is_passed, tf.minimum(index, last))
                    )
                )
            images = images.skip(skip)
            if chosen is None:
                return images
            numbered = images.take(end).enumerate().filter(lambda place, image: chosen(place))
            return numbered.map(lambda place, image: image)

        few = chosen is not None
        return self.decoded(self.few_encoded(key, select) if few else select(self.encoded(key)))

    def few_encoded(
        self, key: tf.Tensor | None, select: Callable[[tf.data.Dataset], tf.data.Dataset]
    ) -> tf.data.Dataset:
        """Some of what `encoded` gives, where what is not selected need not be read.

        Args:
            key: as for `examples`.
            select: leaves some elements of a dataset of tuples whose first is the image's index.
        """
        return select(self.encoded(key))

    def decoded(self, encoded: tf.data.Dataset) -> tf.data.Dataset:
        """The good images and labels of what `encoded` yields."""

        def decode_one(index: np.integer, data: bytes) -> tuple[np.ndarray, bool]:
            try:
                return decode.decode(
                    self.to_file(data), self.image_shape, self.fit, self.background
                ), True
            except MemoryError as problem:  # the image may be a good one
                self.error = out_of_memory(problem)
                raise
            except Exception as problem:  # Pillow has no single class for a bad image
                self.skip(self.name(int(index)), problem, int(index))
                return np.zeros(self.image_shape, np.uint8), False

        def decode_some(indices: np.ndarray, data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            CALLS["count"] += 1
            images, good = zip(*DECODERS.map(decode_one, indices, data), strict=True)
            return np.stack(images), np.array(good)

        def load(indices: tf.Tensor, data: tf.Tensor, labels: Any) -> tuple[tf.Tensor, Any]:
            images, good = tf.numpy_function(decode_some, (indices, data), (tf.uint8, tf.bool))
            images.set_shape((None, *self.image_shape))
            good.set_shape((None,))
            return tf.nest.map_structure(lambda x: tf.boolean_mask(x, good), (images, labels))

        # Several at a time: calling Python from tf.data costs as much as decoding a small image.
        return encoded.batch(DECODED_TOGETHER).map(load, num_parallel_calls=2).unbatch()

    def to_file(self, data: bytes) -> str | IO[bytes]:
        """What Pillow opens, from the bytes that `encoded` yields."""
        return io.BytesIO(data)

    def skip(self, name: str, problem: Exception, index: int | None) -> None:
        """Records an image that cannot be used.

        Args:
            name, index: which; index is None for an image that `encoded` does not yield.
            problem: the exception. An error number means that the disk or the network
                failed and not the image, which is tried again in the next epoch.

        Raises:
            InputError: under `strict`, or fewer than `least` images remain.
        """
        if self.error is not None:  # another thread has ended the reading
            raise self.error
        is_lasting = not getattr(problem, "errno", None)
        if name in self.skipped:
            if is_lasting and index is not None:
                self.broken.add(index)
            return
        if index is None:
            self.usable -= 1
        reason = image_files.reason(problem)
        self.skipped[name] = reason
        if self.strict:
            self.error = InputError(f"Cannot decode a picture: {name} ({reason})")
            raise self.error
        self._lines.tell(name, reason, problem, len(self.skipped))
        remaining = self.count - len(self.skipped) - len(self.left_out - self.broken)
        if remaining < self.least:
            self.error = InputError(
                f"Only {remaining} of {self.count} pictures could be decoded; "
                f"at least {self.least} are needed. The last one: {name} ({reason})"
            )
            raise self.error
        # Last: an image that ends the reading must be met again by the next reader.
        if is_lasting and index is not None:
            self.broken.add(index)

    def gone(self, place: str) -> int:
        """How many of the images in a folder are no longer there; 0 where they are no files."""
        return 0

    def expect_broken(self, known: dict[str, Any]) -> None:
        """As `Source.expect_broken`."""
        super().expect_broken(known)
        self.skipped.update((self.name(index), "known from before") for index in self.broken)


def names_and_sizes(files: Iterable[str]) -> list[tuple[str, int]]:
    """(name, bytes) of each of some files, for `Source.contents`."""
    return [(os.path.basename(file), os.path.getsize(file)) for file in files]
