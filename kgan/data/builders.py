"""Sources of each kind, from arguments as people give them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from kgan.attribute_values import check_names, check_values
from kgan.attributes import Attributes
from kgan.channels import ALPHA, PICTURES
from kgan.data import decode, tfds, transparency
from kgan.data.array_files import Arrays
from kgan.data.array_images import check_images, own_channels, own_shape, range_of_floats
from kgan.data.array_labels import names_that_fit, number_labels
from kgan.data.array_source import ArraySource
from kgan.data.containers import open_place
from kgan.data.fit_values import check_channels, fit_values
from kgan.data.folder import FolderSource
from kgan.data.records import RecordSource, find_shards
from kgan.data.sources import StreamSource
from kgan.data.tfds import TFDSSource
from kgan.errors import InputError
from kgan.images import to_pil

FILES_SIZE = (64, 64)
ArrayReader = Callable[[Path, bool], Arrays]  # of a path, the labels too where they are asked for


def folder_source(
    folder: str | os.PathLike[str],
    image_shape: Sequence[int] | None,
    fit: decode.Fit,
    background: Sequence[int],
    strict: bool,
    attributes: str | os.PathLike[str] | None = None,
    split: str | None = None,
    label_column: str | None = None,
) -> FolderSource:
    """A `FolderSource` of what `open_place` takes; for the arguments see `open_source`."""
    fit, background = decode.check_fit(fit), decode.check_background(background)
    shape = decode.check_picture(shape_of(image_shape, FILES_SIZE, 3), background)
    file = None if attributes is None else Path(attributes)
    place = open_place(folder, label_column)
    return FolderSource(place, shape, fit, background, strict, file, split, label_column)


def record_source(
    path: str | os.PathLike[str],
    image_shape: Sequence[int] | None,
    fit: decode.Fit,
    background: Sequence[int],
    strict: bool,
    labels: bool = False,
    label_column: str | None = None,
    feature: str | None = None,
) -> RecordSource:
    """A `RecordSource` of one .tfrecord file or of all in a folder."""
    fit, background = decode.check_fit(fit), decode.check_background(background)
    shards, counts, manifest = find_shards(path)
    height, width, channels = manifest["image_shape"] if manifest else (*FILES_SIZE, 3)
    size = (height, width)
    image_shape = shape_of(image_shape, size, _kept(channels, background))
    image_shape = decode.check_picture(image_shape, background)
    how = (image_shape, fit, background, strict, labels, label_column, feature)
    return _told(RecordSource(shards, counts, manifest, *how), channels)


def array_file_source(
    path: Path,
    read_arrays: ArrayReader,
    image_shape: Sequence[int] | None,
    fit: decode.Fit,
    background: Sequence[int],
    labels: bool,
) -> ArraySource:
    """An `ArraySource` of a file of arrays, or of several in a folder, read by `read_arrays`."""
    description = f"{'arrays in' if path.is_dir() else 'array file'} {path.name}"
    found = read_arrays(path, labels)
    ends = range_of_floats(found.images, path)
    if ends is not None:
        description += f", floats from {ends[0]:g} to {ends[1]:g}"
    facts = {"labels": found.labels, "attribute_names": found.names}
    read = array_source(found.images, ends, image_shape, fit, background, description, **facts)
    if found.class_names is not None and read.class_names is not None:
        read.class_names = names_that_fit(found.class_names, list(read.class_names))
    return read


def array_source(
    images: npt.ArrayLike | Sequence[Any],
    array_range: tuple[float, float] | None,
    image_shape: Sequence[int] | None,
    fit: decode.Fit,
    background: Sequence[int],
    description: str,
    default_augment: Sequence[str] = ("flip",),
    labels: npt.ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
    attribute_names: Sequence[str] | None = None,
) -> ArraySource:
    """An `ArraySource` of `images` as `kgan.data.from_arrays` takes them."""
    fit, background = decode.check_fit(fit), decode.check_background(background)
    images, ends = check_images(images, array_range)
    own = own_shape(images)
    if own is None and image_shape is None:
        raise InputError(
            "Pictures of several sizes need an image_shape, such as (64, 64, 3), to be fitted to. "
            "Received: image_shape=None"
        )
    channels = own_channels(images)
    size = own[:2] if own else FILES_SIZE
    image_shape = shape_of(image_shape, size, _kept(channels, background))
    check_channels(channels, image_shape[2])
    decode.check_kept_alpha(image_shape, background)

    def fit_one(image: Any) -> np.ndarray:
        if isinstance(image, np.ndarray) and not _is_picture(image):
            return fit_values(image, ends, image_shape, fit, background)
        opened = image if isinstance(image, Image.Image) else to_pil(image)
        return decode.fit_image(opened, image_shape, fit, background)

    if isinstance(images, np.ndarray) and channels == ALPHA:
        images, labels = transparency.visible(images, labels, ends[0])
    attributes, numbered = None, None
    if attribute_names is not None:
        values: Any = labels
        numbered = check_values(values, check_names(attribute_names), len(images))
        attributes = Attributes.of(attribute_names, numbered)
        default_augment = ()  # a mirror image may have others
    elif labels is not None:
        numbered, class_names = number_labels(labels, len(images), class_names)
    fitted = isinstance(images, np.ndarray) and own == image_shape and channels != ALPHA
    source = ArraySource(
        images,
        description,
        default_augment,
        numbered,
        class_names,
        image_shape,
        None if fitted else fit_one,
        attributes,
        ends,
    )
    if image_shape[2] == ALPHA:
        given = isinstance(images, list) or channels == ALPHA
        source.transparency = transparency.kept(len(images) if given else 0, len(images))
    elif channels == ALPHA:
        source.transparency = transparency.filled(background)
    return source


def _is_picture(image: np.ndarray) -> bool:
    """Whether Pillow has a mode for it."""
    return image.dtype == np.uint8 and image.shape[-1] in PICTURES


def tfds_source(
    name: str,
    image_shape: Sequence[int] | None,
    fit: decode.Fit,
    background: Sequence[int],
    split: str,
    manual_dir: str | os.PathLike[str] | None,
    download_dir: str | os.PathLike[str] | None,
) -> TFDSSource:
    """A `TFDSSource`; for `split` and the folders see `kgan.data.tfds.open_set`."""
    fit, background = decode.check_fit(fit), decode.check_background(background)
    builder, count, class_names = tfds.open_set(name, split, manual_dir, download_dir)
    channels = builder.info.features["image"].shape[-1] or 3
    size = tfds.own_size(builder) or FILES_SIZE
    image_shape = shape_of(image_shape, size, _kept(channels, background))
    image_shape = decode.check_picture(image_shape, background)
    source = TFDSSource(name, split, builder, count, image_shape, fit, background, class_names)
    return _told(source, channels)


def _kept(channels: int, background: Sequence[int]) -> int:
    """The data's own channels, without alpha where a background is to fill what is transparent."""
    return 3 if channels == ALPHA and background != decode.WHITE else channels


Told = TypeVar("Told", bound=StreamSource)


def _told(source: Told, own_channels: int) -> Told:
    """The source, which says so where its own transparency is filled."""
    if own_channels == ALPHA != source.image_shape[2]:
        source.transparency = transparency.filled(source.background)
    return source


def shape_of(
    image_shape: Sequence[int] | None, default_size: Sequence[int], default_channels: int
) -> decode.Shape:
    """What was asked for as (H, W, C), with the data's own size or channels where none was."""
    image_shape = default_size if image_shape is None else image_shape
    if isinstance(image_shape, (tuple, list)) and len(image_shape) == 2:
        image_shape = (*image_shape, default_channels)
    return decode.check_shape(image_shape)
