"""Image files in a folder, or in what holds files as a folder does, as a source."""

from __future__ import annotations

import collections
import functools
import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import numpy as np
import tensorflow as tf

from kgan.attributes import Attributes
from kgan.channels import ALPHA
from kgan.data import decode, image_files, splits, transparency
from kgan.data.attribute_files import read_attributes
from kgan.data.folder_classes import FolderClasses, classes_in
from kgan.data.order import balanced_order, order
from kgan.data.places import Place
from kgan.data.sources import LOG, WORKERS, StreamSource
from kgan.names import name_of


class FolderSource(StreamSource):
    """The images of a place, in the order of its listing, and their `kgan.data.folder_classes`.

    With a file of `kgan.data.attribute_files` they have its attributes instead.

    Args:
        place: where they lie.
        image_shape, fit, background, strict: as for `kgan.data.open_source`.
        attributes_file: a file of attributes.
        split: as for `kgan.data.splits.take`.
        label_column: as for `kgan.data.open_source`.

    Attributes:
        split: which part of them it is, as `kgan.data.splits.Split.name`.
        balance: an order that is drawn has every class as often as another.
    """

    balance = False

    def __init__(
        self,
        place: Place,
        image_shape: decode.Shape,
        fit: decode.Fit,
        background: Sequence[int],
        strict: bool,
        attributes_file: Path | None = None,
        split: str | None = None,
        label_column: str | None = None,
    ) -> None:
        listing = place.listing
        taken = splits.take(place, listing.images, split)
        with ThreadPoolExecutor(WORKERS) as pool:
            read = pool.map(lambda file: image_files.read_header(file, place.opened), taken.files)
            headers = dict(zip(taken.files, read, strict=True))
        drawn = image_files.drawn_among_others(headers)
        paths = [path for path in taken.files if path not in drawn]
        attributes, table = None, np.empty(0)
        if attributes_file is None:
            classes = classes_in(place, paths, label_column)
        else:
            entries = {
                path: name_of(place.below(path)).replace(os.sep, "/") for path in listing.images
            }
            others = {entry for path, entry in entries.items() if path not in headers}
            wanted = [entries[path] for path in paths]
            names, table = read_attributes(attributes_file, wanted, others)
            good = [not isinstance(headers[path], Exception) for path in paths]
            table = table[good] if any(good) else table  # none: `skip` raises
            attributes = Attributes.of(names, table)
            classes = FolderClasses({}, None)
        super().__init__(
            f"{place.description}, {len(paths)} pictures",
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
        self.place, self.split = place, taken.name
        small = see_through = 0
        for file in paths:
            header = headers[file]
            if isinstance(header, Exception):
                self.skip(file, header, None)
            else:
                self.files.append(file)
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
        if taken.others and split is None:
            LOG.warning(taken.remark())
        if listing.unread:
            LOG.warning(image_files.remark_on_unread(listing.unread))
        for what, others_left_out in listing.others.items():
            LOG.warning(image_files.remark_on_others(what, others_left_out))
        if listing.closed:
            LOG.warning(image_files.remark_on_closed(listing.closed))
        if listing.own or drawn:
            LOG.warning(image_files.remark_on_own(listing.own, len(drawn)))
        if listing.links:
            LOG.warning(image_files.remark_on_links(listing.links))
        if classes.from_file and classes.problem:
            LOG.warning("no classes: %s", classes.problem)
        self._origins = place.origins(self.files)
        # Built eagerly here: what a pipeline's function builds becomes part of its graph.
        with tf.device("CPU"):
            labels: Any = classes.labels(self.files)
            if attributes is not None:
                labels = table[: len(self.files)]
            self._labels = tf.constant(labels, self.labels_spec[1])
            # As bytes: a name need not be valid UTF-8.
            self._names = tf.constant(
                [file.encode("utf-8", "surrogatepass") for file in self.files], tf.string
            )

    def origins(self) -> Iterable[Any]:
        listed = list(self._origins)
        if self.attributes is not None:
            listed.append(hashlib.sha256(self._labels.numpy().tobytes()).hexdigest())
        return listed

    def contents(self) -> Iterable[Any]:
        names = zip(super().contents(), self.place.sizes(self.files), strict=True)
        return [*names, hashlib.sha256(self._labels.numpy().tobytes()).hexdigest()]

    def name(self, index: int) -> str:
        return self.files[index]

    def identity(self, index: int) -> str:
        return os.path.relpath(self.files[index], self.place.path)

    def stem(self, index: int) -> str:
        """The file's path below the folder; with its suffix where another differs in that alone."""
        file = Path(self.identity(index))
        alike = self._stems[os.path.splitext(self.files[index])[0]] > 1
        return str(file if alike else file.with_suffix(""))

    @functools.cached_property
    def _stems(self) -> collections.Counter[str]:
        return collections.Counter(os.path.splitext(file)[0] for file in self.files)

    def gone(self, place: str) -> int:
        """As `StreamSource.gone`."""
        return self.place.gone(place, self.files)

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

    def to_file(self, data: bytes) -> str | IO[bytes]:
        return self.place.opened(data.decode("utf-8", "surrogatepass"))
