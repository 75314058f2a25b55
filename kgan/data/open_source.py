"""Opens what a user names as data as a source of images."""

from __future__ import annotations

import importlib.resources
import os
import zipfile
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kgan.data import decode, tfds
from kgan.data.folder import FolderSource
from kgan.data.image_files import check_folder_path
from kgan.data.records import SHARD_NAME, RecordSource, find_shards, shards_in
from kgan.data.sources import WORKERS, ArraySource, Source
from kgan.data.tfds import TFDSSource
from kgan.errors import InputError
from kgan.images import check_range, to_pil, to_uint8
from kgan.labels import check_class_names

EMBEDDED_SIZE = (32, 32)
FILES_SIZE = (64, 64)
ARRAY_NAMES = ("images", "x_train")
LABEL_NAMES = ("labels", "y_train")
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


def open_source(
    data: str | os.PathLike[str] | None,
    *,
    image_shape: Sequence[int] | None = None,
    fit: decode.Fit = "crop",
    background: Sequence[int] = (255, 255, 255),
    strict: bool = False,
    labels: bool = False,
    split: str | None = None,
    manual_dir: str | os.PathLike[str] | None = None,
    download_dir: str | os.PathLike[str] | None = None,
) -> Source:
    """Opens what the command line calls DATA.

    Args:
        data: None for the embedded set; a folder of image files; an .npz or
            .npy file of uint8 images; a .tfrecord file or a folder of them; or
            "tfds:NAME".
        image_shape: (H, W, C), or (H, W) with the data's own channels; None for
            the data's own: the arrays', the packed shards', a TFDS set's where its
            images are square and all of one size, 32x32x1 for the embedded set,
            64x64 with 3 channels (tfds: the set's) for the rest.
        fit: "crop" or "pad", how images of another shape are fitted.
        background: (R, G, B) under transparent images and around padded ones.
        strict: an image that cannot be decoded is an error.
        labels: read the labels of an array file too.
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
    if data is None:
        return embedded_source(image_shape, fit, background)
    if str(data).startswith("tfds:"):
        name = str(data).removeprefix("tfds:")
        split = split or "train"
        return tfds_source(name, image_shape, fit, background, split, manual_dir, download_dir)
    path = Path(data)
    if path.suffix.lower() in (".npz", ".npy") and not path.is_dir():
        description = f"array file {path.name}"
        array, classes = _load_array(path, labels)
        return array_source(array, None, image_shape, fit, background, description, labels=classes)
    if shards_in(path) if path.is_dir() else SHARD_NAME.search(path.name):
        return record_source(path, image_shape, fit, background, strict)
    if path.is_file():
        raise InputError(
            "Data must be a folder, an .npz or .npy file, TFRecord shards or tfds:NAME. "
            f"Received: {path}"
        )
    return folder_source(path, image_shape, fit, background, strict)


def folder_source(
    folder: str | os.PathLike[str],
    image_shape: Sequence[int] | None,
    fit: decode.Fit,
    background: Sequence[int],
    strict: bool,
) -> FolderSource:
    """A `FolderSource`; for the arguments see `open_source`."""
    fit, background = decode.check_fit(fit), decode.check_background(background)
    folder = check_folder_path(folder)
    return FolderSource(folder, _shape(image_shape, FILES_SIZE, 3), fit, background, strict)


def record_source(
    path: str | os.PathLike[str],
    image_shape: Sequence[int] | None,
    fit: decode.Fit,
    background: Sequence[int],
    strict: bool,
) -> RecordSource:
    """A `RecordSource` of one .tfrecord file or of all in a folder."""
    fit, background = decode.check_fit(fit), decode.check_background(background)
    shards, counts, manifest = find_shards(path)
    height, width, channels = manifest["image_shape"] if manifest else (*FILES_SIZE, 3)
    image_shape = _shape(image_shape, (height, width), channels)
    return RecordSource(shards, counts, manifest, image_shape, fit, background, strict)


def embedded_source(
    image_shape: Sequence[int] | None, fit: decode.Fit, background: Sequence[int]
) -> ArraySource:
    """The 6,000 pictures of Fashion-MNIST that ship with kgan."""
    file = importlib.resources.files("kgan.data") / "fashion_mnist" / "fashion_mnist_6000.npz"
    with file.open("rb") as stream, np.load(stream) as arrays:
        array, labels = arrays["images"], arrays["labels"]
    # All shoes of the set point the same way; flipping would undo that.
    return array_source(
        array,
        None,
        _shape(image_shape, EMBEDDED_SIZE, 1),
        fit,
        background,
        "the embedded 6,000 pictures of Fashion-MNIST",
        default_augment=(),
        labels=labels,
        class_names=FASHION,
    )


def array_source(
    array: npt.ArrayLike,
    array_range: tuple[float, float] | None,
    image_shape: Sequence[int] | None,
    fit: decode.Fit,
    background: Sequence[int],
    description: str,
    default_augment: Sequence[str] = ("flip",),
    labels: npt.ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
) -> ArraySource:
    """An `ArraySource` of uint8 images, or of floats in a stated range."""
    fit, background = decode.check_fit(fit), decode.check_background(background)
    array = np.asarray(array)
    if array.ndim == 3:
        array = array[..., np.newaxis]
    if array.ndim != 4 or array.shape[-1] not in (1, 3) or not array.size:
        raise InputError(
            "Pictures in an array must have the shape (N, H, W) or (N, H, W, C) with C 1 or 3. "
            f"Received: {array.shape}"
        )
    array = _to_levels(array, array_range)
    image_shape = _shape(image_shape, array.shape[1:3], array.shape[3])
    if array.shape[1:] != image_shape:

        def fit_one(image: np.ndarray) -> np.ndarray:
            return decode.fit_image(to_pil(image), image_shape, fit, background)

        with ThreadPoolExecutor(WORKERS) as pool:
            array = np.stack(list(pool.map(fit_one, array)))
    if labels is not None:
        labels, class_names = _classes(labels, len(array), class_names)
    return ArraySource(array, description, default_augment, labels, class_names)


def _classes(labels: Any, count: int, class_names: Any) -> tuple[np.ndarray, list[str] | None]:
    """Labels as int32 (N,) from 0 up, and a name per class.

    Args:
        labels: whole numbers from 0 up, or strings, which are then the names.
        count: number of images.
        class_names: a name per class; None for the numbers themselves.

    Raises:
        InputError: not one per image, of another kind, below 0, or with a class
            that no image has.
    """
    labels = np.asarray(labels)
    if labels.shape == (count, 1):
        labels = labels[:, 0]
    if labels.shape != (count,) or labels.dtype.kind not in "uiSU":
        raise InputError(
            f"labels must be {count} whole numbers or names, one per picture. "
            f"Received: {labels.dtype} {labels.shape}"
        )
    if labels.dtype.kind in "SU":
        names, labels = np.unique(labels.astype(str), return_inverse=True)
        class_names = names.tolist()
    if labels.min() < 0:
        raise InputError(f"Labels are whole numbers from 0 up. Received: {labels.min()}")
    num_classes = len(class_names) if class_names else int(labels.max()) + 1
    if labels.max() >= num_classes:
        raise InputError(
            f"A label is a whole number from 0 to {num_classes - 1}. Received: {labels.max()}"
        )
    missing = sorted(set(range(num_classes)) - set(labels.tolist()))
    if missing:
        raise InputError(
            f"Every label from 0 to {num_classes - 1} needs at least one picture; "
            f"label {missing[0]} has none."
        )
    if num_classes < 2:
        raise InputError("Labels must have at least two classes. Received: 1")
    class_names = class_names or [str(label) for label in range(num_classes)]
    return labels.astype(np.int32), check_class_names(class_names, num_classes)


def _to_levels(array: np.ndarray, array_range: Any) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"Pictures in an array must be uint8 or floats. Received: {array.dtype}")
    if array_range is None:
        raise InputError(
            "Float pictures need their range stated, such as array_range=(0.0, 1.0). Received: None"
        )
    low, high = check_range("array_range", array_range)
    smallest, largest = array.min(), array.max()
    if not (low <= smallest and largest <= high):
        raise InputError(
            f"Float pictures must lie within their array_range {low} to {high}. "
            f"Received: {smallest} to {largest}"
        )
    return to_uint8(array, array_range)


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
    image_shape = _shape(image_shape, tfds.own_size(builder) or FILES_SIZE, channels)
    return TFDSSource(name, split, builder, count, image_shape, fit, background, class_names)


def _shape(
    image_shape: Sequence[int] | None, default_size: Sequence[int], default_channels: int
) -> decode.Shape:
    image_shape = default_size if image_shape is None else image_shape
    if isinstance(image_shape, (tuple, list)) and len(image_shape) == 2:
        image_shape = (*image_shape, default_channels)
    return decode.check_shape(image_shape)


def _load_array(path: Path, with_labels: bool) -> tuple[Any, Any]:
    """(images, labels or None) of an array file."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded, None
        with loaded:
            labels = _load_labels(loaded) if with_labels else None
            for name in ARRAY_NAMES:
                if name in loaded:
                    return loaded[name], labels  # without reading the other arrays
            arrays = dict(loaded)
    except FileNotFoundError:
        raise InputError(f"No such file. Received: {path}") from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as problem:
        raise InputError(f"Not a readable array file: {path} ({problem})") from None
    candidates = [array for array in arrays.values() if array.ndim in (3, 4)]
    if len(candidates) != 1:
        raise InputError(
            f"This file needs one array of pictures, named {' or '.join(ARRAY_NAMES)}. "
            f"Received: {path} with {', '.join(arrays) or 'nothing'}"
        )
    return candidates[0], labels


def _load_labels(arrays: Any) -> Any:
    for name in LABEL_NAMES:
        if name in arrays:
            try:
                return arrays[name]
            except ValueError:  # Python objects, which are never loaded
                return None
    return None
