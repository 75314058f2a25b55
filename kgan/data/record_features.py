"""What the records of TFRecord shards hold: where the image is, and the label."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError

from kgan.data.array_labels import number_labels
from kgan.data.image_files import is_encoded
from kgan.errors import InputError
from kgan.files import printable
from kgan.names import as_name

# The names in TensorFlow's own conversions of image sets.
ENCODED, LABEL, LABEL_TEXT = "image/encoded", "image/class/label", "image/class/text"
IMAGES = (ENCODED, "image")  # the second in TFDS
RAW, SHAPE = "data", "shape"  # of StyleGAN's: uint8 (C, H, W), and these three numbers
LABELS = (LABEL, "label", "class", "target")  # the second in TFDS, the others at Kaggle
# A damaged shard, one whose path or content tf takes for text, and no tf.train.Example.
UNREADABLE = (tf.errors.OpError, UnicodeDecodeError, DecodeError)

Features = Mapping[str, bytes | int | tuple[int, ...]]


class ImageFeature(NamedTuple):
    """Where the image is in a record.

    Attributes:
        names: of the feature, or of those that it can be.
        is_raw: it holds the values themselves, with their shape beside; else an encoded image.
    """

    names: tuple[str, ...]
    is_raw: bool


def first_features(shards: Sequence[bytes]) -> Features:
    """The features of the first record; none where there is no record that can be read."""
    for shard in shards:
        try:
            for record in tf.data.TFRecordDataset(shard).take(1).as_numpy_iterator():
                return features_of(record)
        except UNREADABLE:
            return {}
    return {}


def features_of(record: bytes) -> Features:
    """Name -> value of the features of a record that hold one text or one whole number.

    The shape of a raw image is a tuple.
    """
    features = tf.train.Example.FromString(record).features.feature
    values = {
        name: [*feature.bytes_list.value, *feature.int64_list.value]
        for name, feature in features.items()
    }
    found: dict[str, Any] = {name: value[0] for name, value in values.items() if len(value) == 1}
    if len(values.get(SHAPE, ())) == 3:
        found[SHAPE] = tuple(values[SHAPE])
    return found


def image_feature(
    features: Features, wanted: str | None, received: str | os.PathLike[str]
) -> ImageFeature:
    """Where the image is in one record; where it can be, if the record has none.

    Args:
        features: those of the record.
        wanted: the name that the user gave; None for the first that holds an encoded image, or
            `data` with `shape` beside it.
        received: the shards, for messages.

    Raises:
        InputError: there is no such feature, or it holds no image.
    """
    if wanted is not None and wanted not in features:
        raise InputError(
            f"No such feature; the first record has {printable(', '.join(features), 200)}. "
            f"Received: {printable(wanted)} for {received}"
        )
    among = (*IMAGES, *sorted(features)) if wanted is None else (wanted,)
    found = next((name for name in among if is_encoded(features.get(name))), None)
    if found is not None:
        return ImageFeature((found,), False)
    name, shape = RAW if wanted is None else wanted, features.get(SHAPE)
    value = features.get(name)
    if isinstance(shape, tuple) and isinstance(value, bytes) and len(value) == math.prod(shape):
        return ImageFeature((name,), True)
    if wanted is not None:
        raise InputError(
            "This feature of the first record holds no picture, encoded or raw with its shape "
            f"(C, H, W) beside it. Received: {printable(wanted)} for {received}"
        )
    return ImageFeature(IMAGES, False)


def read_labels(
    shards: Sequence[bytes], first: Features, wanted: str | None = None
) -> tuple[Any, list[str]] | None:
    """The labels of all records in their order, and the classes' names; None without labels.

    Every record is read once: nothing else says which labels there are. The names are those
    under `image/class/text`, where each class has one of its own.

    Args:
        shards: paths.
        first: the features of the first record.
        wanted: name of the label's feature; None for the first of `LABELS` that there is.

    Returns:
        (int32 (N,), names), or None.

    Raises:
        InputError: labels that cannot be used, or a record that cannot be read.
    """
    if wanted is not None and wanted not in first:
        raise InputError(
            f"No such feature; the first record has {printable(', '.join(first), 200)}. "
            f"Received: {printable(wanted)} for the labels"
        )
    name = wanted or next((name for name in LABELS if name in first), None)
    if name is None:
        return None
    labels, texts = [], []
    for shard in shards:
        try:
            for record in tf.data.TFRecordDataset(shard).as_numpy_iterator():
                features = features_of(record)
                labels.append(features.get(name))
                texts.append(features.get(LABEL_TEXT))
        except UNREADABLE:
            raise InputError(
                f"Damaged, or not of the expected kind. Received: {os.fsdecode(shard)}"
            ) from None
    numbers, names = number_labels(np.array(labels, object), len(labels))
    pairs = set(zip(numbers.tolist(), texts, strict=True))
    own = {
        number: as_name(text.decode("utf-8", "backslashreplace"))
        for number, text in pairs
        if isinstance(text, bytes) and text
    }
    if len(pairs) == len(own) == len(set(own.values())) == len(names):
        names = [own[number] for number in range(len(names))]
    return numbers, names


def has_other_labels(shard: str | os.PathLike[str], class_names: Sequence[str] | None) -> bool:
    """Whether a packed shard has a record whose label is none of the classes.

    Args:
        shard: its path.
        class_names: a name for each label; None for shards without labels, which always fit.

    Raises:
        InputError: it cannot be read, or holds something else.
    """
    if class_names is None:
        return False
    wanted = {LABEL: tf.io.FixedLenFeature((), tf.int64, -1)}
    labels = tf.data.TFRecordDataset(os.fsencode(shard)).map(
        lambda record: tf.io.parse_single_example(record, wanted)[LABEL]
    )
    try:
        return any(not 0 <= label < len(class_names) for label in labels.as_numpy_iterator())
    except UNREADABLE:
        raise InputError(f"Damaged, or not of the expected kind. Received: {shard}") from None
