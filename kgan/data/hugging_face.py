"""Sets of Hugging Face's datasets: what `save_to_disk` wrote, or a name on the Hub."""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import tensorflow as tf

from kgan.data import columns, decode, image_files
from kgan.data.array_labels import number_labels
from kgan.data.extras import import_extra
from kgan.data.order import order
from kgan.data.sources import StreamSource, names_and_sizes
from kgan.data.splits import ALL, TRAIN
from kgan.errors import InputError
from kgan.files import first_line, printable


class ImageSet(NamedTuple):
    """A split of a set that is open.

    Attributes:
        rows: the `datasets.Dataset`, whose images are not decoded.
        split: its name.
        image: the column of images.
        label: that of labels; None without.
        class_names: of them; None where the set names none.
    """

    rows: Any
    split: str
    image: str
    label: str | None
    class_names: list[str] | None


class HuggingFaceSource(StreamSource):
    """Images of a set, which stay where they are until each is decoded.

    Args:
        name: how the user calls it.
        found: as `open_set` returns it.
        image_shape, fit, background, strict, labels: as for `kgan.data.open_source`.
    """

    def __init__(
        self,
        name: str,
        found: ImageSet,
        image_shape: decode.Shape,
        fit: decode.Fit,
        background: Sequence[int],
        strict: bool,
        labels: bool = False,
    ) -> None:
        count = len(found.rows)
        numbers, class_names = np.full(count, -1, np.int32), None
        if labels and found.label is not None:
            column = found.rows.select_columns(found.label).with_format("arrow")[:]
            values = np.array(column[found.label].to_pylist(), object)
            numbers, class_names = number_labels(values, count, found.class_names)
        super().__init__(
            f"hf {Path(name).name}, {count} pictures",
            image_shape,
            count,
            fit,
            background,
            strict,
            ("flip",),
            class_names,
        )
        self.set_name, self.found, self.split = name, found, found.split
        with tf.device("CPU"):
            self._labels = tf.constant(numbers, tf.int32)

    def origins(self) -> Iterable[Any]:
        files = [os.path.realpath(entry["filename"]) for entry in self.found.rows.cache_files]
        return [*((file, os.path.getmtime(file)) for file in files), self.found.image]

    def contents(self) -> Iterable[Any]:
        return names_and_sizes([entry["filename"] for entry in self.found.rows.cache_files])

    def name(self, index: int) -> str:
        return f"hf:{self.set_name} {index}"

    def encoded(self, key: tf.Tensor | None) -> tf.data.Dataset:
        return order(self.count, key).map(
            lambda index: (index, tf.strings.as_string(index), tf.gather(self._labels, index))
        )

    def to_file(self, data: bytes) -> IO[bytes] | str:
        image = self.found.rows[int(data)][self.found.image] or {}
        if image.get("bytes"):
            return io.BytesIO(image["bytes"])
        if not image.get("path"):
            raise OSError("no bytes of a picture in this row")
        image_files.check_file(image["path"])
        return str(image["path"])


def open_set(name: str, split: str, label: str | None = None, image: str | None = None) -> ImageSet:
    """Opens a set: a folder that `save_to_disk` wrote, or else one that the Hub gives.

    Args:
        name: the folder, or the set's name there.
        split: "train" or another, or "all"; a folder of a set without splits has these two.
        label, image: names of columns that the user asked for; None for those found.

    Raises:
        InputError: no datasets package, no such set, split or column, or no images in it.
    """
    datasets = import_extra("datasets", f"hf:{name}")
    rows = _of_folder(datasets, name, split) if os.path.exists(name) else None
    if rows is None:
        rows = _of_hub(datasets, name, split)
    features = dict(rows.features)
    found = columns.label_column(features, label, f"hf:{name}")
    if image is not None:
        columns.existing(image, features, f"hf:{name}")
    of_images = [n for n, kind in features.items() if isinstance(kind, datasets.Image)]
    place = next((n for n in of_images if image in (None, n)), None)
    if place is None or not len(rows):
        raise InputError(
            f"A set of pictures has rows and a column of the feature Image. Received: hf:{name} "
            f"with {len(rows)} rows of {printable(', '.join(features), 200)}"
        )
    names = getattr(features.get(found or ""), "names", None)
    rows = rows.cast_column(place, datasets.Image(decode=False))
    return ImageSet(rows, split, place, found, names if found else None)


def _of_folder(datasets: Any, name: str, split: str) -> Any:
    try:
        found = datasets.load_from_disk(name)
    except MemoryError:
        raise
    except Exception as problem:  # of files that are missing or damaged, each library its own
        raise InputError(
            "Not what datasets' save_to_disk wrote "
            f"({printable(first_line(problem), 200)}). Received: hf:{name}"
        ) from None
    if not isinstance(found, datasets.DatasetDict):
        found = {TRAIN: found}
    if split == ALL:
        return datasets.concatenate_datasets([*found.values()])
    if split not in found:
        raise InputError(
            f"No such split; it has {printable(', '.join(found), 200)}. "
            f"Received: {split} for hf:{name}"
        )
    return found[split]


def _of_hub(datasets: Any, name: str, split: str) -> Any:
    try:
        with _without_warnings("huggingface_hub"):  # of each time that it tries again
            return datasets.load_dataset(name, split=split)
    except MemoryError:
        raise
    except Exception as problem:  # no such set, no network, or a set that is no longer readable
        raise InputError(
            "Neither a folder here nor a set that Hugging Face's Hub gives "
            f"({printable(first_line(problem), 200)}). Received: hf:{name}"
        ) from None


@contextlib.contextmanager
def _without_warnings(name: str) -> Iterator[None]:
    """Context manager: a library logs errors alone."""
    log = logging.getLogger(name)
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
