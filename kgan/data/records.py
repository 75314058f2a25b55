"""TFRecord shards of images: kgan's own, with a manifest, and those of other tools."""

from __future__ import annotations

import collections
import functools
import itertools
import os
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kgan import memory
from kgan.data import decode
from kgan.data.image_files import LARGEST_FILE, remark_on_sets
from kgan.data.order import block_of, order, shuffled
from kgan.data.record_features import (
    LABEL,
    SHAPE,
    first_features,
    has_other_labels,
    image_feature,
    read_labels,
)
from kgan.data.shard_manifest import MANIFEST_FILE, read_manifest
from kgan.data.sources import LOG, WORKERS, StreamSource, names_and_sizes
from kgan.errors import InputError
from kgan.files import printable
from kgan.memory import in_words
from kgan.reading import check_file, sha256

# With a suffix, and as scripts that split a set name them, such as train-00000-of-01024.
SHARD_NAME = re.compile(
    r"\.(tfrecords?|tfrec|records?)(-\d+-of-\d+)?$|^[^.]+-\d+-of-\d+$", re.IGNORECASE
)
NUMBERED = re.compile(r"(.+)-\d+-of-(\d+)$")
OF_SIZE = re.compile(r"-r(\d\d)\.tfrecords$")  # 2^r on a side
READ_TOGETHER = 4  # shards whose records alternate


class RecordSource(StreamSource):
    """TFRecord shards; each record a tf.train.Example with an encoded image.

    The bytes are where `kgan.data.record_features` finds them. Records are streamed:
    memory use does not grow with the set. With a manifest of `kgan.data.pack`
    beside them, the shards have classes too, and images of its shape are
    decoded by TensorFlow alone; without one, labels have to be asked for.

    Args:
        shards, counts, manifest: as `find_shards` returns them.
        image_shape, fit, background, strict, labels, label_column, feature: as for
            `kgan.data.open_source`.
    """

    def __init__(
        self,
        shards: Sequence[str],
        counts: Sequence[int],
        manifest: Mapping[str, Any] | None,
        image_shape: decode.Shape,
        fit: decode.Fit,
        background: Sequence[int],
        strict: bool,
        labels: bool = False,
        label_column: str | None = None,
        feature: str | None = None,
    ) -> None:
        paths = [os.fsencode(shard) for shard in shards]
        if manifest and (label_column or feature):
            raise InputError(
                "Shards that kgan packed have one picture and one label. "
                f"Received: {printable(label_column or feature)} for {shards[0]}"
            )
        first = {} if manifest else first_features(paths)
        found = read_labels(paths, first, label_column) if labels and manifest is None else None
        numbers, class_names = found or (np.zeros(0), None)
        super().__init__(
            f"{len(shards)} TFRecord shards, {sum(counts)} pictures",
            image_shape,
            sum(counts),
            fit,
            background,
            strict,
            manifest["default_augment"] if manifest else ("flip",),
            manifest["class_names"] if manifest else class_names,
        )
        self.shards = shards
        self._real_paths = [os.path.realpath(shard) for shard in shards]
        self._changed = [os.path.getmtime(shard) for shard in shards]
        self.starts = np.cumsum([0, *counts[:-1]])
        with tf.device("CPU"):
            self._paths = tf.constant(paths)
            self._labels = tf.constant(numbers, tf.int32)
            self._starts = tf.constant(self.starts, tf.int64)
            self._counts = tf.constant(counts, tf.int64)
        self.image = image_feature(first, feature, shards[0])
        self.listed = manifest is not None
        self.packed = manifest is not None and tuple(manifest["image_shape"]) == image_shape

    def origins(self) -> Iterable[Any]:
        return zip(self._real_paths, self._changed, strict=True)

    def contents(self) -> Iterable[Any]:
        return names_and_sizes(self.shards)

    def name(self, index: int) -> str:
        shard = int(np.searchsorted(self.starts, index, side="right")) - 1
        return f"{self.shards[shard]} record {index - self.starts[shard]}"

    def encoded(self, key: tf.Tensor | None) -> tf.data.Dataset:
        def read(shard: tf.Tensor) -> tf.data.Dataset:
            path, start = tf.gather(self._paths, shard), tf.gather(self._starts, shard)
            return tf.data.TFRecordDataset(path).enumerate(start)

        return self._in_order(read, self._parse, key)

    def _in_order(self, read: Any, parse: Any, key: tf.Tensor | None) -> tf.data.Dataset:
        """What `parse` makes of what `read` gives of each shard, in an order drawn from `key`."""
        records = order(len(self.shards), key).interleave(read, cycle_length=READ_TOGETHER)
        parsed = records.map(parse)
        if key is None:
            return parsed
        size = sum(map(os.path.getsize, self.shards)) / max(1, self.count)
        return shuffled(parsed, block_of(self.count, size), key)

    def few_encoded(
        self, key: tf.Tensor | None, select: Callable[[tf.data.Dataset], tf.data.Dataset]
    ) -> tf.data.Dataset:
        """As `StreamSource.few_encoded`: the order is that of numbers, whose records are read."""

        def numbers(shard: tf.Tensor) -> tf.data.Dataset:
            start = tf.gather(self._starts, shard)
            return tf.data.Dataset.range(start, start + tf.gather(self._counts, shard))

        def read(index: tf.Tensor) -> tf.data.Dataset:
            shard = tf.searchsorted(self._starts, index[None], side="right")[0] - 1
            path, place = tf.gather(self._paths, shard), tf.gather(self._places, index)
            # No buffer: what would be read ahead is another worker's.
            begun = tf.raw_ops.TFRecordDatasetV2(
                filenames=path[None], compression_type="", buffer_size=0, byte_offsets=place[None]
            )
            records = tf.data.experimental.from_variant(begun, tf.TensorSpec((), tf.string))
            return records.take(1).map(lambda data: (index, data))

        chosen = select(self._in_order(numbers, lambda index: (index,), key))
        records = chosen.interleave(read, cycle_length=WORKERS, num_parallel_calls=WORKERS)
        return records.map(self._parse)

    @functools.cached_property
    def _places(self) -> tf.Tensor:
        """Where each record begins in its shard."""
        with tf.init_scope(), tf.device("CPU"):
            every = itertools.chain.from_iterable(map(places, self.shards))
            return tf.constant(np.fromiter(every, np.int64, self.count))

    def _parse(self, index: tf.Tensor, record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        features: dict[str, Any] = {
            name: tf.io.FixedLenFeature((), tf.string, "") for name in self.image.names
        }
        if self.image.is_raw:
            features[SHAPE] = tf.io.FixedLenFeature((3,), tf.int64)
        if self.listed:  # in other tools' shards, that name may hold any kind of value
            features[LABEL] = tf.io.FixedLenFeature((), tf.int64, -1)
        example = tf.io.parse_single_example(record, features)
        data = tf.strings.join([example[name] for name in self.image.names])  # one is not empty
        if self.image.is_raw:  # from here on as the others; this takes little time uncompressed
            # Of an image without a pixel the encoder ends the process.
            with tf.control_dependencies([tf.debugging.assert_positive(example[SHAPE])]):
                values = tf.reshape(tf.io.decode_raw(data, tf.uint8), example[SHAPE])
            data = tf.io.encode_png(tf.transpose(values, (1, 2, 0)), compression=0)
        if self.class_names and not self.listed:
            return index, data, tf.gather(self._labels, index)
        label = example.get(LABEL, tf.constant(-1, tf.int64))
        if self.class_names:  # the manifest's, which may have been edited
            known = tf.logical_and(label >= 0, label < len(self.class_names))
            with tf.control_dependencies([tf.debugging.Assert(known, [label])]):
                label = tf.identity(label)
        return index, data, tf.cast(label, tf.int32)

    def decoded(self, encoded: tf.data.Dataset) -> tf.data.Dataset:
        if not self.packed:
            return super().decoded(encoded)

        def load(
            index: tf.Tensor, data: tf.Tensor, label: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor]:
            image = tf.io.decode_png(data, self.image_shape[2])
            return tf.ensure_shape(image, self.image_shape), label

        return encoded.map(load, num_parallel_calls=WORKERS)

    def damaged(self) -> str:
        for shard in self.shards:
            try:
                for _ in tf.data.TFRecordDataset(os.fsencode(shard)).enumerate().map(self._parse):
                    pass
            except (tf.errors.OpError, UnicodeDecodeError):
                return shard
        return super().damaged()


def find_shards(
    path: str | os.PathLike[str],
) -> tuple[list[str], list[int], dict[str, Any] | None]:
    """The shards at `path`: itself, or all in a folder, by name.

    Returns:
        Their paths, the number of records of each, and the manifest beside them or None.

    Raises:
        InputError: there are none, one is cut short or not a TFRecord file, or
            they differ from the manifest.
    """
    path = Path(path)
    shards = shards_in(path) if path.is_dir() else [str(path)]
    if not shards or not path.exists():
        raise InputError(f"No .tfrecord files there. Received: {path}")
    manifest = read_manifest(Path(shards[0]).parent)
    if manifest is None:
        if path.is_dir():
            shards = _of_largest_size(shards)
            _tell_sets(shards)
        return shards, [count_records(shard) for shard in shards], None
    listed = {shard["file"]: shard for shard in manifest["shards"]}
    missing = sorted(listed.keys() - {Path(shard).name for shard in shards})
    if missing and path.is_dir():
        raise InputError(f"Damaged: this set of shards lacks {missing[0]}. Received: {path}")
    return shards, [_listed_count(Path(shard), listed) for shard in shards], manifest


def shards_in(folder: str | os.PathLike[str]) -> list[str]:
    """Paths of the TFRecord files in a folder, or in the only folder in it, by name."""
    seen = set()
    while os.path.realpath(folder) not in seen:
        seen.add(os.path.realpath(folder))
        visible = [path for path in Path(folder).iterdir() if not path.name.startswith(".")]
        shards = [path for path in visible if SHARD_NAME.search(path.name) and path.is_file()]
        if shards or len(visible) != 1 or not visible[0].is_dir():
            return sorted(map(str, shards))
        folder = visible[0]
    return []


def packed_in(data: str) -> Path | None:
    """The folder of shards that kgan packed, with their manifest; None for all else."""
    shards = shards_in(data) if os.path.isdir(data) else []
    folder = Path(shards[0]).parent if shards else None
    return None if folder is None or read_manifest(folder) is None else folder


def _of_largest_size(shards: list[str]) -> list[str]:
    """Of StyleGAN's, which hold all images in each size, those of the largest alone."""
    sizes = [OF_SIZE.search(shard) for shard in shards]
    numbers = [int(size[1]) for size in sizes if size]
    if len(numbers) < len(shards) or len(set(numbers)) == 1:
        return shards
    largest = max(numbers)
    LOG.warning("each picture is there in %d sizes: -r%02d is read", len(set(numbers)), largest)
    return [shard for shard, number in zip(shards, numbers, strict=True) if number == largest]


def _tell_sets(shards: Sequence[str]) -> None:
    """Warns of shards that are of several sets, or not all of one, by numbers in their names."""
    counts: collections.Counter[tuple[str, int]] = collections.Counter()
    for shard in shards:
        numbered = NUMBERED.match(Path(shard).name)
        if numbered:
            counts[numbered[1], int(numbered[2])] += 1
    if len(counts) > 1:
        LOG.warning(remark_on_sets((name, count) for (name, _), count in counts.items()))
    for (name, total), count in counts.items():
        if count < total:
            LOG.warning("only %d of the %d shards of %s are there", count, total, printable(name))


def _listed_count(shard: Path, listed: Mapping[str, Mapping[str, Any]]) -> int:
    """The number of images of a shard, from the manifest."""
    if shard.name not in listed:
        raise InputError(f"{shard.name} is not in the {MANIFEST_FILE} beside it. Received: {shard}")
    size, expected = check_file(shard), listed[shard.name]["bytes"]
    if size != expected:
        raise InputError(
            f"Damaged: this shard has {size:,} of its {expected:,} bytes. Received: {shard}"
        )
    count, expected = count_records(shard), listed[shard.name]["count"]
    if count != expected:
        raise InputError(
            f"Damaged: this shard has {count:,} of its {expected:,} pictures. Received: {shard}"
        )
    return count


def count_records(shard: str | os.PathLike[str]) -> int:
    """The number of records in a TFRecord file; raises what `places` raises."""
    return sum(1 for _ in places(shard))


def places(shard: str | os.PathLike[str]) -> Iterator[int]:
    """Where each record of a TFRecord file begins, without reading their contents.

    TensorFlow takes as much memory as a record says that it is long, and ends the process where
    there is less: so it is looked at here.

    Raises:
        InputError: it ends within a record, is not a TFRecord file, or has a record that is larger
            than any picture or does not fit into memory.
    """
    size, place, count = check_file(shard), 0, 0
    with open(shard, "rb") as file:
        while place < size:
            header = file.read(12)  # the record's length and its checksum
            length = struct.unpack("<Q", header[:8])[0] if len(header) == 12 else size
            place += 12 + length + 4
            if place > size:
                raise InputError(
                    f"Damaged: cut short, compressed or not a TFRecord file; {count} whole "
                    f"records precede. Received: {shard}"
                )
            if length > LARGEST_FILE:
                raise InputError(
                    f"A record is at most {in_words(LARGEST_FILE)} long. "
                    f"Received: record {count} of {shard}, {in_words(length)}"
                )
            memory.check(f"Record {count}", length, "shards of smaller ones", shard)
            file.seek(place)
            count += 1
            yield place - length - 16


def check_shards(folder: str | os.PathLike[str]) -> tuple[dict[str, Any], list[str]]:
    """Reads packed shards completely and compares them with their manifest.

    Returns:
        The manifest, and a list of problems, one line per shard.

    Raises:
        InputError: the folder has no manifest.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if manifest is None:
        raise InputError(f"No {MANIFEST_FILE} of packed shards there. Received: {folder}")
    listed = {shard["file"]: shard for shard in manifest["shards"]}
    problems = [
        f"{path}: not in the {MANIFEST_FILE}"
        for path in shards_in(folder)
        if Path(path).name not in listed
    ]
    for shard in manifest["shards"]:
        path = folder / shard["file"]
        if not path.is_file():
            problems.append(f"{path}: missing")
        elif path.stat().st_size != shard["bytes"] or sha256(path) != shard["sha256"]:
            problems.append(f"{path}: its SHA-256 is not the manifest's")
        elif count_records(path) != shard["count"]:
            problems.append(f"{path}: its number of pictures is not the manifest's")
        elif has_other_labels(path, manifest["class_names"]):
            problems.append(f"{path}: a label that is none of the manifest's classes")
    return manifest, problems
