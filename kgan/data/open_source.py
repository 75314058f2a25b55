"""Opens what a user names as data as a source of images."""

from __future__ import annotations

import importlib.resources
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from kgan.attribute_values import check_names, check_values
from kgan.attributes import Attributes
from kgan.channels import ALPHA, PICTURES
from kgan.data import decode, tfds, transparency
from kgan.data.array_images import check_images, own_channels, own_shape, range_of_floats
from kgan.data.array_kinds import array_reader
from kgan.data.array_labels import names_that_fit, number_labels
from kgan.data.array_source import ArraySource
from kgan.data.fit_values import check_channels, fit_values
from kgan.data.folder import FolderSource
from kgan.data.image_files import check_folder_path
from kgan.data.records import SHARD_NAME, RecordSource, find_shards, shards_in
from kgan.data.sources import Source, StreamSource
from kgan.data.tfds import TFDSSource
from kgan.errors import InputError
from kgan.images import to_pil

EMBEDDED_SIZE = (32, 32)
FILES_SIZE = (64, 64)
FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


CLOTHES = "clothes"
EMBEDDED_PREFIX = "embedded:"
# Name -> (file, channels, what it is, names of its classes or None for attributes).
EMBEDDED: dict[str, tuple[str, int, str, Sequence[str] | None]] = {
    CLOTHES: (
        "fashion_mnist/fashion_mnist_6000.npz",
        1,
        "the embedded 6,000 pictures of Fashion-MNIST",
        FASHION,
    ),
    "faces": ("faces/faces_2400.npz", 3, "the embedded 2,400 drawn faces", None),
}


def open_source(
    data: str | os.PathLike[str] | None,
    *,
    image_shape: Sequence[int] | None = None,
    fit: decode.Fit = "crop",
    background: Sequence[int] = (255, 255, 255),
    strict: bool = False,
    labels: bool = False,
    attributes: str | os.PathLike[str] | None = None,
    split: str | None = None,
    manual_dir: str | os.PathLike[str] | None = None,
    download_dir: str | os.PathLike[str] | None = None,
) -> Source:
    """Opens what the command line calls DATA.

    Args:
        data: None for the embedded clothes, "embedded:faces" for the faces; a folder of
            image files; an .npz or .npy file of images, uint8, uint16, or floats from 0 to 1
            or from -1 to 1; a .tfrecord file or a folder of them; or "tfds:NAME".
        image_shape: (H, W, C), or (H, W) with the data's own channels; None for
            the data's own: the arrays', the packed shards', a TFDS set's where its
            images are square and all of one size, 32x32 for the embedded sets,
            64x64 with 3 channels (tfds: the set's) for the rest. A C of 4 keeps transparency.
        fit: "crop" or "pad", how images of another shape are fitted.
        background: (R, G, B) under transparent images and around padded ones.
        strict: an image that cannot be decoded is an error.
        labels: read the labels of an array file, and of shards that kgan did not pack, too.
        attributes: a CSV or JSON file of attributes of a folder's images, as
            `kgan.data.attribute_files` reads it, which are then their labels.
        split, manual_dir, download_dir: for a TFDS set, as in
            `kgan.data.from_tfds`; None for the training split and no folders.

    Returns:
        A `Source`.

    Raises:
        InputError: no such data, nothing usable in it, or an argument that cannot be used.
    """
    own = {"split": split, "manual_dir": manual_dir, "download_dir": download_dir}
    passed = [name for name, value in own.items() if value is not None]
    if passed and not str(data).startswith("tfds:"):
        raise InputError(
            f"{passed[0]} applies to tfds:NAME only. Received: {own[passed[0]]!r} for {data}"
        )
    if data is None or str(data).startswith(EMBEDDED_PREFIX):
        name = CLOTHES if data is None else str(data).removeprefix(EMBEDDED_PREFIX)
        _no_file(attributes, data)
        return embedded_source(image_shape, fit, background, name)
    if str(data).startswith("tfds:"):
        _no_file(attributes, data)
        name = str(data).removeprefix("tfds:")
        split = split or "train"
        return tfds_source(name, image_shape, fit, background, split, manual_dir, download_dir)
    path = Path(data)
    read_arrays = array_reader(path, split)
    if read_arrays is not None:
        _no_file(attributes, data)
        description = f"array file {path.name}"
        found = read_arrays(path, labels)
        ends = range_of_floats(found.images, path)
        if ends is not None:
            description += f", floats from {ends[0]:g} to {ends[1]:g}"
        facts = {"labels": found.labels, "attribute_names": found.names}
        read = array_source(found.images, ends, image_shape, fit, background, description, **facts)
        if found.class_names is not None and read.class_names is not None:
            read.class_names = names_that_fit(found.class_names, list(read.class_names))
        return read
    if shards_in(path) if path.is_dir() else SHARD_NAME.search(path.name):
        _no_file(attributes, data)
        return record_source(path, image_shape, fit, background, strict, labels)
    if path.is_file():
        raise InputError(
            "Data must be a folder, an .npz or .npy file, TFRecord shards or tfds:NAME. "
            f"Received: {path}"
        )
    return folder_source(path, image_shape, fit, background, strict, attributes)


def _no_file(attributes: str | os.PathLike[str] | None, data: object) -> None:
    """Raises an InputError for a file of attributes of what is no folder."""
    if attributes is not None:
        raise InputError(
            "A file of attributes goes with a folder of pictures; an .npz file has its own, as "
            f"attributes and attribute_names. Received: {attributes} for {data}"
        )


def folder_source(
    folder: str | os.PathLike[str],
    image_shape: Sequence[int] | None,
    fit: decode.Fit,
    background: Sequence[int],
    strict: bool,
    attributes: str | os.PathLike[str] | None = None,
) -> FolderSource:
    """A `FolderSource`; for the arguments see `open_source`."""
    fit, background = decode.check_fit(fit), decode.check_background(background)
    folder = check_folder_path(folder)
    shape = decode.check_picture(_shape(image_shape, FILES_SIZE, 3), background)
    file = None if attributes is None else Path(attributes)
    return FolderSource(folder, shape, fit, background, strict, file)


def record_source(
    path: str | os.PathLike[str],
    image_shape: Sequence[int] | None,
    fit: decode.Fit,
    background: Sequence[int],
    strict: bool,
    labels: bool = False,
) -> RecordSource:
    """A `RecordSource` of one .tfrecord file or of all in a folder."""
    fit, background = decode.check_fit(fit), decode.check_background(background)
    shards, counts, manifest = find_shards(path)
    height, width, channels = manifest["image_shape"] if manifest else (*FILES_SIZE, 3)
    size = (height, width)
    image_shape = _shape(image_shape, size, _kept(channels, background))
    image_shape = decode.check_picture(image_shape, background)
    how = (image_shape, fit, background, strict, labels)
    return _told(RecordSource(shards, counts, manifest, *how), channels)


def embedded_source(
    image_shape: Sequence[int] | None,
    fit: decode.Fit,
    background: Sequence[int],
    name: str = CLOTHES,
) -> ArraySource:
    """A set that ships with kgan: 6,000 pictures of Fashion-MNIST, or 2,400 drawn faces.

    Raises:
        InputError: there is no such set.
    """
    if name not in EMBEDDED:
        raise InputError(f"The embedded sets are {', '.join(EMBEDDED)}. Received: {name}")
    file, channels, description, classes = EMBEDDED[name]
    with (importlib.resources.files("kgan.data") / file).open("rb") as stream:
        with np.load(stream) as arrays:
            array, labels = arrays["images"], arrays["labels" if classes else "attributes"]
            names = None if classes else arrays["attribute_names"].tolist()
    return array_source(
        array,
        None,
        _shape(image_shape, EMBEDDED_SIZE, channels),
        fit,
        background,
        description,
        # All shoes point the same way, and a face's yaw would be another.
        default_augment=(),
        labels=labels,
        class_names=classes,
        attribute_names=names,
    )


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
    image_shape = _shape(image_shape, size, _kept(channels, background))
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
    image_shape = _shape(image_shape, size, _kept(channels, background))
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


def _shape(
    image_shape: Sequence[int] | None, default_size: Sequence[int], default_channels: int
) -> decode.Shape:
    image_shape = default_size if image_shape is None else image_shape
    if isinstance(image_shape, (tuple, list)) and len(image_shape) == 2:
        image_shape = (*image_shape, default_channels)
    return decode.check_shape(image_shape)
