"""tf.data pipelines of real images: float32 batches (B, H, W, C) in the model's range.

Every function takes the same last arguments:

- `batch_size`: images per batch; a smaller last batch of an epoch is dropped.
- `value_range`: (low, high) that black and white are mapped to; a model's `value_range`.
- `augment`: texts such as "flip" or "rotate=10:0.5" (strength, share of the
  images), `Augmentation`s, and callables on a float batch; "all" is every one after
  which a picture could still be of the set: flip (where a small network cannot tell the
  pictures from their mirror images), crop, brightness, contrast, saturation and hue.
- `shuffle`: whether each epoch has a new order.
- `seed`: int, for the same order and augmentation each time; None for random ones.
- `fit`: "crop" scales to cover and cuts the middle out, "pad" scales to fit inside.
- `background`: (R, G, B) under transparent images and around padded ones; white alone goes
  with an `image_shape` of four channels, which keeps transparency instead.
- `labels`: yield (images, labels), int32 (B,), for a conditional GAN; with attributes they are
  float32 (B, k).
- `first_batch`: None for a dataset of one epoch, a new one each time it is iterated.
  A whole number for an endless dataset, for `fit` with `steps_per_epoch`,
  which continues where a training with the same arguments stopped after so
  many batches; it needs a seed. Exact if no image is broken or all are in
  memory.

and raises `kgan.InputError` for arguments and data that cannot be used and for fewer
images than a batch.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
import tensorflow as tf

from kgan.data.augment import AUGMENTATIONS, AnyAugmentation, Augmentation
from kgan.data.builders import array_source, folder_source, record_source, tfds_source
from kgan.data.check import check_folder
from kgan.data.decode import Fit
from kgan.data.embedded_sets import embedded_source
from kgan.data.open_source import open_source
from kgan.data.packing import pack
from kgan.data.pipeline import batches, first_images
from kgan.data.sources import Source

WHITE = (255, 255, 255)


def from_folder(
    directory: str | os.PathLike[str],
    *,
    image_shape: Sequence[int],
    batch_size: int,
    value_range: tuple[float, float] = (-1.0, 1.0),
    fit: Fit = "crop",
    background: Sequence[int] = WHITE,
    augment: Sequence[AnyAugmentation] = (),
    cache: str | os.PathLike[str] | None = "auto",
    shuffle: bool = True,
    seed: int | None = None,
    first_batch: int | None = None,
    labels: bool = False,
    attributes: str | os.PathLike[str] | None = None,
    split: str | None = None,
    strict: bool = False,
) -> tf.data.Dataset:
    """The PNG, JPEG, BMP, GIF, WebP and AVIF files below a folder, its subfolders included.

    HEIC and JPEG XL too, where a plugin of Pillow's for them is installed. Or those in a .zip, a
    .tar (.tar.gz, .tgz) or an LMDB, as if it was unpacked; none of it is.

    An image that cannot be decoded is named in the log of "kgan" and skipped.

    Args:
        directory: the folder, or a path as `kgan.data.containers.open_place` takes it: of an
            archive, of shards in WebDataset's convention, or of an LMDB.
        image_shape: (H, W, C), C 1, 3 or 4; grey, palette, transparent and rotated
            (Exif) images are converted to it. RGBA (4) is not premultiplied, and wholly
            transparent pixels have the mean colour of what is visible in their image.
        cache: "memory", None, a path for cache files, or "auto": memory when
            the decoded images take at most 1 GiB.
        strict: an image that cannot be decoded is an error instead.
        labels: each image's class is the subfolder it is in, numbered in the order of
            the names; or what a dataset.json, or a .cls or .json beside it in a tar, says.
        split: where all images are in subfolders named train, test, val, valid or validation,
            which of them; "all" for all, these being classes as any; None for train.
        attributes: a CSV file, a line of names such as `file,smile,yaw` and then one for each
            image, or JSON, `{"a.png": {"smile": 1, "yaw": -0.5}, ...}`: with it the labels,
            which then come too, are these numbers.
    """
    how = (image_shape, fit, background, strict, attributes, split)
    source = folder_source(directory, *how)
    return batches(
        source,
        batch_size=batch_size,
        value_range=value_range,
        augment=augment,
        cache=cache,
        shuffle=shuffle,
        seed=seed,
        first_batch=first_batch,
        labels=labels or attributes is not None,
    )


def from_arrays(
    images: npt.ArrayLike | Sequence[Any],
    *,
    batch_size: int,
    image_shape: Sequence[int] | None = None,
    array_range: tuple[float, float] | None = None,
    value_range: tuple[float, float] = (-1.0, 1.0),
    fit: Fit = "crop",
    background: Sequence[int] = WHITE,
    augment: Sequence[AnyAugmentation] = (),
    shuffle: bool = True,
    seed: int | None = None,
    first_batch: int | None = None,
    labels: npt.ArrayLike | None = None,
    attribute_names: Sequence[str] | None = None,
) -> tf.data.Dataset:
    """Images in an array or a list.

    Args:
        images: uint8, uint16 or float (N, H, W) or (N, H, W, C), C from 1 to 8, of which 4 are
            RGBA; they keep their depth. Or a list of such arrays (H, W) or (H, W, C) or of
            Pillow images of any mode; sizes can differ where `image_shape` is given, and they
            are rounded to 256 levels then.
        image_shape: (H, W, C) to fit them to; None for their own. Only 1, 3 and 4 channels
            become one another.
        array_range: (low, high) of float images; required for floats.
        labels: (N,) whole numbers from 0 up (from 1 up: 1 becomes label 0), also as floats
            or booleans; or names, which are numbered in their order; None for images
            without labels. With `attribute_names` numbers (N, k).
        attribute_names: of the k attributes that the labels are; None for classes.
    """
    facts: dict[str, Any] = {"labels": labels, "attribute_names": attribute_names}
    source = array_source(images, array_range, image_shape, fit, background, "an array", **facts)
    return batches(
        source,
        batch_size=batch_size,
        value_range=value_range,
        augment=augment,
        shuffle=shuffle,
        seed=seed,
        first_batch=first_batch,
        labels=labels is not None,
    )


def embedded(
    name: str = "clothes",
    *,
    batch_size: int,
    image_shape: Sequence[int] | None = None,
    value_range: tuple[float, float] = (-1.0, 1.0),
    augment: Sequence[AnyAugmentation] = (),
    shuffle: bool = True,
    seed: int | None = None,
    first_batch: int | None = None,
    labels: bool = False,
) -> tf.data.Dataset:
    """A set of images that ships with kgan.

    Args:
        name: "clothes", 6,000 images of Fashion-MNIST, 28x28 scaled to (32, 32, 1), 600 of each
            of ten classes, whose names are `open_source(None).class_names`; or "faces", 2,400
            drawn in colour, (32, 32, 3), whose attributes are
            `open_source("embedded:faces").attributes`: smile, glasses, yaw and blond.
        image_shape: (H, W, C) to scale them to; None for that.
    """
    return batches(
        embedded_source(image_shape, "crop", WHITE, name),
        batch_size=batch_size,
        value_range=value_range,
        augment=augment,
        shuffle=shuffle,
        seed=seed,
        first_batch=first_batch,
        labels=labels,
    )


def from_tfds(
    name: str,
    *,
    image_shape: Sequence[int],
    batch_size: int,
    split: str = "train",
    manual_dir: str | os.PathLike[str] | None = None,
    download_dir: str | os.PathLike[str] | None = None,
    value_range: tuple[float, float] = (-1.0, 1.0),
    fit: Fit = "crop",
    background: Sequence[int] = WHITE,
    augment: Sequence[AnyAugmentation] = (),
    cache: str | os.PathLike[str] | None = "auto",
    shuffle: bool = True,
    seed: int | None = None,
    first_batch: int | None = None,
    labels: bool = False,
) -> tf.data.Dataset:
    """A TensorFlow Datasets set with an `image` feature, prepared on first use.

    Args:
        name: its name there, such as "fashion_mnist".
        image_shape: (H, W, C), C 1, 3 or 4.
        split: "train", "test" or another split of the set, also "train[:10%]".
        manual_dir: a folder with the set's own files, for sets that must be
            fetched by hand and for machines without network.
        download_dir: where downloads are kept; None for tensorflow_datasets' own place.
        cache: as for `from_folder`.
        labels: each image's class is the set's `label`.
    """
    source = tfds_source(name, image_shape, fit, background, split, manual_dir, download_dir)
    return batches(
        source,
        batch_size=batch_size,
        value_range=value_range,
        augment=augment,
        cache=cache,
        shuffle=shuffle,
        seed=seed,
        first_batch=first_batch,
        labels=labels,
    )


def from_tfrecords(
    path: str | os.PathLike[str],
    *,
    image_shape: Sequence[int],
    batch_size: int,
    value_range: tuple[float, float] = (-1.0, 1.0),
    fit: Fit = "crop",
    background: Sequence[int] = WHITE,
    augment: Sequence[AnyAugmentation] = (),
    cache: str | os.PathLike[str] | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    first_batch: int | None = None,
    labels: bool = False,
    strict: bool = False,
) -> tf.data.Dataset:
    """TFRecord shards: those of `pack`, or any tf.train.Example records with an encoded image.

    The image's bytes are in `image/encoded`, in `image`, or where the first record has an
    encoded image.

    Args:
        path: a file of them, or a folder of files named .tfrecord, .tfrec or
            train-00000-of-00001.
        image_shape: (H, W, C), C 1, 3 or 4.
        cache: "memory", None or a path for cache files.
        labels: each image's class is `image/class/label`, as in packed shards, or `label`,
            `class` or `target`; names are those of `image/class/text`.
        strict: an image that cannot be decoded is an error instead of being skipped.
    """
    source = record_source(path, image_shape, fit, background, strict, labels)
    return batches(
        source,
        batch_size=batch_size,
        value_range=value_range,
        augment=augment,
        cache=cache,
        shuffle=shuffle,
        seed=seed,
        first_batch=first_batch,
        labels=labels,
    )


__all__ = [
    "AUGMENTATIONS",
    "Augmentation",
    "Source",
    "batches",
    "check_folder",
    "embedded",
    "first_images",
    "from_arrays",
    "from_folder",
    "from_tfds",
    "from_tfrecords",
    "open_source",
    "pack",
]
