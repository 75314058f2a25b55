"""Parquet files of images as a source, which is streamed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import numpy as np
import tensorflow as tf

from kgan.data import decode
from kgan.data.order import block_of, order, shuffled
from kgan.data.parquet_files import ROWS_TOGETHER, Table, images_of, labels_of
from kgan.data.sources import CALLS, StreamSource, names_and_sizes
from kgan.errors import KganError

READ_TOGETHER = 4  # row groups whose rows alternate


class ParquetSource(StreamSource):
    """Rows of Parquet files, each with an encoded image.

    They are streamed: memory use grows with the labels alone, four bytes each. Row groups are
    read in an order that is drawn, and their images shuffled block by block, as those of
    TFRecord shards.

    Args:
        table: as `kgan.data.parquet_files.open_table` returns it.
        split: which part of the set its files are.
        image_shape, fit, background, strict, labels: as for `kgan.data.open_source`.
    """

    def __init__(
        self,
        table: Table,
        split: str,
        image_shape: decode.Shape,
        fit: decode.Fit,
        background: Sequence[int],
        strict: bool,
        labels: bool = False,
    ) -> None:
        numbers, class_names = (labels_of(table) if labels else None) or (np.zeros(0), None)
        super().__init__(
            f"{len(table.files)} Parquet files, {table.total} pictures",
            image_shape,
            table.total,
            fit,
            background,
            strict,
            ("flip",),
            class_names,
        )
        self.table, self.split = table, split
        self._origins = [(os.path.realpath(f), os.path.getmtime(f)) for f in table.files]
        self.starts = np.array([start for _, _, start in table.groups])
        with tf.device("CPU"):
            self._labels = tf.constant(numbers, tf.int32)

    def origins(self) -> Iterable[Any]:
        return [*self._origins, self.table.image]

    def contents(self) -> Iterable[Any]:
        return names_and_sizes(self.table.files)

    def name(self, index: int) -> str:
        group = int(np.searchsorted(self.starts, index, side="right")) - 1
        file = self.table.groups[group][0]
        first = next(start for number, _, start in self.table.groups if number == file)
        return f"{self.table.files[file]} row {index - first}"

    def encoded(self, key: tf.Tensor | None) -> tf.data.Dataset:
        def read(group: np.integer) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            place = int(self.starts[group])
            try:
                for images in images_of(self.table, int(group)):
                    CALLS["count"] += 1
                    yield np.arange(place, place + len(images)), np.array(images, object)
                    place += len(images)
            except KganError as problem:
                self.error = problem
                raise

        def rows(group: tf.Tensor) -> tf.data.Dataset:
            kinds = (tf.TensorSpec((None,), tf.int64), tf.TensorSpec((None,), tf.string))
            parts = tf.data.Dataset.from_generator(read, args=(group,), output_signature=kinds)
            return parts.unbatch()

        groups = order(len(self.table.groups), key)
        examples = groups.interleave(rows, cycle_length=READ_TOGETHER, block_length=ROWS_TOGETHER)
        labelled = examples.map(lambda index, data: (index, data, self._label(index)))
        if key is None:
            return labelled
        size = sum(map(os.path.getsize, self.table.files)) / self.count
        return shuffled(labelled, block_of(self.count, size), key)

    def _label(self, index: tf.Tensor) -> tf.Tensor:
        return tf.gather(self._labels, index) if self.class_names else tf.constant(-1, tf.int32)

    def to_file(self, data: bytes) -> IO[bytes] | str:
        if not data:
            raise OSError("no bytes of a picture in this row")
        return super().to_file(data)
