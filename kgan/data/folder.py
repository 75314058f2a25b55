"""The image files below a folder as a source."""

from __future__ import annotations

import collections
import functools
import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kgan.attributes import Attributes
from kgan.channels import ALPHA
from kgan.data import decode, image_files, transparency
from kgan.data.attribute_files import read_attributes
from kgan.data.folder_classes import FolderClasses, classes_in
from kgan.data.order import balanced_order, order
from kgan.data.sources import LOG, WORKERS, StreamSource
from kgan.names import name_of


class FolderSource(StreamSource):
    """The images below a folder, ordered by name, and their `kgan.data.folder_classes`.

    With a file of `kgan.data.attribute_files` they have its attributes instead.

    Attributes:
        balance: an order that is drawn has every class as often as another.
    """

    balance = False

    def __init__(
        self,
        folder: Path,
        image_shape: decode.Shape,
        fit: decode.Fit,
        background: Sequence[int],
        strict: bool,
        attributes_file: Path | None = None,
    ) -> None:
        listing = image_files.list_images(folder)
        with ThreadPoolExecutor(WORKERS) as pool:
            headers = dict(
                zip(listing.images, pool.map(image_files.read_header, listing.images), strict=True)
            )
        drawn = image_files.drawn_among_others(headers)
        paths = [path for path in listing.images if path not in drawn]
        attributes, table = None, np.empty(0)
        if attributes_file is None:
            classes = classes_in(folder, paths)
        else:
            below = [name_of(os.path.relpath(path, folder)) for path in paths]
            entries = [name.replace(os.sep, "/") for name in below]
            names, table = read_attributes(attributes_file, entries)
            good = [not isinstance(headers[path], Exception) for path in paths]
            table = table[good] if any(good) else table  # none: `skip` raises
            attributes = Attributes.of(names, table)
            classes = FolderClasses({}, None)
        super().__init__(
            f"folder {name_of(folder.resolve().name)}, {len(paths)} pictures",
            image_shape,
            len(paths),
            fit,
            background,
            strict,
            ("flip",) if attributes is None else (),  # a mirror image may have others
            classes.names,
            attributes,
        )
        self.files: list[str] = []
        self._folder = os.fspath(folder), os.path.realpath(folder)
        self._changed: list[float] = []
        self._sizes: list[int] = []
        small = see_through = 0
        for file in paths:
            header = headers[file]
            if isinstance(header, Exception):
                self.skip(file, header, None)
            else:
                self.files.append(file)
                facts = os.stat(file)
                self._changed.append(facts.st_mtime)
                self._sizes.append(facts.st_size)
                small += image_files.is_scaled_up(header.size, image_shape, fit)
                see_through += header.transparent
        if small:
            LOG.warning(image_files.remark_on_small(small, len(self.files), image_shape))
        total = len(self.files)
        if image_shape[2] == ALPHA:
            self.transparency = transparency.kept(see_through, total)
            if see_through < total:
                LOG.warning(image_files.remark_on_opaque(total - see_through, total))
        elif see_through:
            self.transparency = transparency.filled(background)
            LOG.warning(image_files.remark_on_transparent(see_through, total, background))
        if listing.unread:
            LOG.warning(image_files.remark_on_unread(listing.unread))
        if listing.own or drawn:
            LOG.warning(image_files.remark_on_own(listing.own, len(drawn)))
        if listing.links:
            LOG.warning(image_files.remark_on_links(listing.links))
        if classes.from_file and classes.problem:
            LOG.warning("no classes: %s", classes.problem)
        # Built eagerly here: what a pipeline's function builds becomes part of its graph.
        with tf.device("CPU"):
            labels: Any = classes.labels(self.files)
            if attributes is not None:
                labels = table[: len(self.files)]
            self._labels = tf.constant(labels, self.labels_spec[1])
            # As bytes: a name on disk need not be valid UTF-8.
            self._names = tf.constant([os.fsencode(file) for file in self.files], tf.string)

    def origins(self) -> Iterable[Any]:
        given, real = self._folder  # a run is begun with a relative path, resumed with the whole
        files = (real + file[len(given) :] for file in self.files)
        listed: list[Any] = list(zip(files, self._changed, strict=True))
        if self.attributes is not None:
            listed.append(hashlib.sha256(self._labels.numpy().tobytes()).hexdigest())
        return listed

    def contents(self) -> Iterable[Any]:
        names = zip(super().contents(), self._sizes, strict=True)
        return [*names, hashlib.sha256(self._labels.numpy().tobytes()).hexdigest()]

    def name(self, index: int) -> str:
        return self.files[index]

    def identity(self, index: int) -> str:
        return os.path.relpath(self.files[index], self._folder[0])

    def stem(self, index: int) -> str:
        """The file's path below the folder; with its suffix where another differs in that alone."""
        file = Path(os.path.relpath(self.files[index], self._folder[0]))
        alike = self._stems[os.path.splitext(self.files[index])[0]] > 1
        return str(file if alike else file.with_suffix(""))

    @functools.cached_property
    def _stems(self) -> collections.Counter[str]:
        return collections.Counter(os.path.splitext(file)[0] for file in self.files)

    def gone(self, place: str) -> int:
        """As `StreamSource.gone`."""
        try:
            there = set(os.listdir(place))
        except OSError:
            there = set()
        names = (os.path.split(file) for file in self.files)
        return sum(folder == place and name not in there for folder, name in names)

    def encoded(self, key: tf.Tensor | None) -> tf.data.Dataset:
        if key is None or not self.balance:
            numbers = order(len(self.files), key)
        else:
            # None is passed over later: a rare class, whose images repeat, would become rarer.
            passed = self.broken | self.left_out
            rows = np.array([n for n in range(len(self.files)) if n not in passed], np.int64)
            of_rows = balanced_order(self._labels.numpy()[rows], key)
            numbers = of_rows.map(lambda number: tf.gather(rows, number))
        return numbers.map(
            lambda index: (index, tf.gather(self._names, index), tf.gather(self._labels, index))
        )

    def to_file(self, data: bytes) -> str:
        file = os.fsdecode(data)
        image_files.check_file(file)  # it can have become a pipe since
        return file
