"""The image files below a folder as a source."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import tensorflow as tf

from kgan.data import decode, image_files
from kgan.data.order import order
from kgan.data.sources import LOG, WORKERS, StreamSource


class FolderSource(StreamSource):
    """The images below a folder, ordered by name; its subfolders are classes.

    There are classes if every image is in one of at least two subfolders.
    """

    def __init__(
        self,
        folder: Path,
        image_shape: decode.Shape,
        fit: decode.Fit,
        background: Sequence[int],
        strict: bool,
    ) -> None:
        listing = image_files.list_images(folder)
        paths = listing.images
        self.folder = folder
        super().__init__(
            f"folder {folder.resolve().name}, {len(paths)} pictures",
            image_shape,
            len(paths),
            fit,
            background,
            strict,
            ("flip",),
            image_files.class_names(folder, paths),
        )
        with ThreadPoolExecutor(WORKERS) as pool:
            headers = list(pool.map(image_files.read_header, paths))
        self.files: list[str] = []
        self._changed: list[float] = []
        small = 0
        for file, header in zip(paths, headers, strict=True):
            if isinstance(header, Exception):
                self.skip(file, header, None)
            else:
                self.files.append(file)
                self._changed.append(os.path.getmtime(file))
                small += image_files.is_scaled_up(header.size, image_shape, fit)
        if small:
            LOG.warning(image_files.remark_on_small(small, len(self.files), image_shape))
        if listing.unread:
            LOG.warning(image_files.remark_on_unread(listing.unread))
        labels = [-1] * len(self.files)
        if self.class_names:
            numbers = {name: number for number, name in enumerate(self.class_names)}
            labels = [numbers[str(image_files.subfolder(folder, file))] for file in self.files]
        # Built eagerly here: what a pipeline's function builds becomes part of its graph.
        with tf.device("CPU"):
            self._labels = tf.constant(labels, tf.int32)
            # As bytes: a name on disk need not be valid UTF-8.
            self._names = tf.constant([os.fsencode(file) for file in self.files], tf.string)

    def origins(self) -> Iterable[Any]:
        return zip(self.files, self._changed, strict=True)

    def name(self, index: int) -> str:
        return self.files[index]

    def encoded(self, key: tf.Tensor | None) -> tf.data.Dataset:
        return order(len(self.files), key).map(
            lambda index: (index, tf.gather(self._names, index), tf.gather(self._labels, index))
        )

    def to_file(self, data: bytes) -> str:
        return os.fsdecode(data)
