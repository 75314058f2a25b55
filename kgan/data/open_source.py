"""Opens what a user names as data as a source of images."""

from __future__ import annotations

import os
from collections.abc import Sequence

from kgan.data import decode
from kgan.data.embedded_sets import CLOTHES, EMBEDDED_PREFIX
from kgan.data.kinds import KINDS, SOME_ALONE, Asked
from kgan.data.sources import Source
from kgan.data.splits import ALL
from kgan.errors import InputError


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
    label_column: str | None = None,
    feature: str | None = None,
) -> Source:
    """Opens what the command line calls DATA.

    Args:
        data: None for the embedded clothes, "embedded:faces" for the faces; a folder of
            image files, or what `kgan.data.containers.open_place` takes for one; an .npz or
            .npy file of images, uint8, uint16, or floats from 0 to 1 or from -1 to 1; IDX files,
            CIFAR's archives, folders and .bin files, SVHN's .mat; a .tfrecord file or a folder of
            them; a Parquet file or a folder of them; "hf:PATH", a set of Hugging Face's; or
            "tfds:NAME".
        image_shape: (H, W, C), or (H, W) with the data's own channels; None for
            the data's own: the arrays', the packed shards', a TFDS set's where its
            images are square and all of one size, 32x32 for the embedded sets,
            64x64 with 3 channels (tfds: the set's) for the rest. A C of 4 keeps transparency.
        fit: "crop" or "pad", how images of another shape are fitted.
        background: (R, G, B) under transparent images and around padded ones.
        strict: an image that cannot be decoded is an error.
        labels: read the labels of an array file, of tables, and of shards that kgan did not
            pack, too.
        attributes: a CSV or JSON file of attributes of a folder's images, as
            `kgan.data.attribute_files` reads it, which are then their labels.
        split: "train" (None), "test" or another: of a TFDS set, as in `kgan.data.from_tfds`, of
            "hf:", of CIFAR, of Parquet files named for theirs, or of files in subfolders of such
            names, as in `kgan.data.from_folder`. "all" is everything, of any data.
        manual_dir, download_dir: for a TFDS set, as in `kgan.data.from_tfds`.
        label_column: of a table, a list, metadata.csv or records, which holds the labels; None
            for one that is named label, class or so.
        feature: of a table or of records, which holds the images; None for the first that does.

    Returns:
        A `Source`.

    Raises:
        InputError: no such data, nothing usable in it, or an argument that cannot be used.
    """
    named = EMBEDDED_PREFIX + CLOTHES if data is None else os.fspath(data)
    where = (split, manual_dir, download_dir)
    asked = Asked(
        image_shape,
        fit,
        background,
        strict,
        labels,
        attributes,
        *where,
        label_column,
        feature,
    )
    kind = next((kind for kind in KINDS if kind.is_one(named)), None)
    if kind is None:
        words = [kind.words for kind in reversed(KINDS)]
        raise InputError(f"Data must be {', '.join(words[:-1])} or {words[-1]}. Received: {named}")
    for name in SOME_ALONE:
        value = getattr(asked, name)
        everything = name == "split" and value == ALL
        if value is not None and name not in kind.takes and not everything:
            _refuse(name, value, data)
    return kind.open(named, asked)


def _refuse(name: str, value: object, data: object) -> None:
    """Raises an InputError for an option that means nothing for the data."""
    if name == "attributes":
        raise InputError(
            "A file of attributes goes with a folder or archive of pictures; an .npz file has its "
            f"own, as attributes and attribute_names. Received: {value} for {data}"
        )
    taking = ", ".join(kind.words for kind in KINDS if name in kind.takes)
    raise InputError(f"{name} applies to {taking} only. Received: {value!r} for {data}")
