"""Checks files of images before training: what it would skip, change or see twice."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from kgan import images, memory
from kgan.data import decode, duplicates, image_files, image_formats, splits
from kgan.data.array_source import ArraySource
from kgan.data.containers import open_place
from kgan.data.folder_classes import FolderClasses, classes_in
from kgan.data.folder_listing import Listing
from kgan.data.pipeline import batches
from kgan.data.places import Place
from kgan.data.sources import WORKERS

AT_ONCE = 1024  # files handed to the threads together
UNBALANCED = 10  # times the images of the smallest class
PREVIEW_WIDTH = 1024  # pixels, roughly; at least two images per row
PREVIEW_ROWS = 3


@dataclasses.dataclass(frozen=True, slots=True)
class UsableImage:
    """An image file that training can use.

    Attributes:
        file: its path.
        header: its `kgan.data.image_files.Header`.
        animated: it has more than one frame.
        digest: sha256 of the file.
        look: its perceptual hash as the model sees it: fitted, on the background.
    """

    file: str
    header: image_files.Header
    animated: bool
    digest: bytes
    look: int


@dataclasses.dataclass
class Report:
    """What `check_folder` found.

    Attributes:
        folder: the folder or archive, a `pathlib.Path`.
        image_shape, fit, background: how the images are prepared.
        images: those that training can use.
        problems: what training skips, as (path, reason).
        remarks: what is odd but does not stop training: {what: [(path, detail), ...]}.
        classes: number of usable images per class, by `kgan.data.folder_classes`; empty without.
        class_remark: what is odd about the classes, one line, or None.
        same: groups of paths of files with the same bytes.
        alike: groups of paths of images that look alike, one path for each
            group of `same`; see `kgan.data.duplicates`.
        place: where the files lie, a `kgan.data.places.Place`.
    """

    folder: Path
    image_shape: decode.Shape
    fit: decode.Fit
    background: decode.Colour
    images: list[UsableImage]
    problems: list[tuple[str, str]]
    remarks: dict[str, list[tuple[str, str]]]
    classes: dict[str, int]
    class_remark: str | None
    same: list[list[str]]
    alike: list[list[str]]
    place: Place


def check_folder(
    directory: str | os.PathLike[str],
    *,
    image_shape: Sequence[int] = (64, 64, 3),
    fit: decode.Fit = "crop",
    background: Sequence[int] = (255, 255, 255),
    split: str | None = None,
    progress: Callable[[int, int], Any] | None = None,
) -> Report:
    """Decodes every image below a folder as training would, and reports what it finds.

    Args:
        directory: the folder, or what `kgan.data.containers.open_place` takes for one.
        image_shape: (H, W, C) of the model, or (H, W) for colour; C 1, 3 or 4.
        fit, background, split: as for `kgan.data.from_folder`.
        progress: called with (files checked, files in total) from time to time.

    Returns:
        A `Report`.

    Raises:
        InputError: no such folder, no images in it, or an argument that cannot be used.
    """
    if isinstance(image_shape, (tuple, list)) and len(image_shape) == 2:
        image_shape = (*image_shape, 3)
    colour = decode.check_background(background)
    shape = decode.check_picture(decode.check_shape(image_shape), colour)
    how = (shape, decode.check_fit(fit), colour)
    place = open_place(directory)
    listing, taken = place.listing, splits.take(place, place.listing.images, split)
    checked: list[UsableImage | tuple[str, str]] = []
    with warnings.catch_warnings(), ThreadPoolExecutor(WORKERS) as pool:
        warnings.simplefilter("ignore")  # Pillow's, about images that it reads nevertheless
        for start in range(0, len(taken.files), AT_ONCE):
            files = taken.files[start : start + AT_ONCE]
            checked += pool.map(lambda file: _look_at(place, file, *how), files)
            if progress is not None:
                progress(len(checked), len(taken.files))
    headers = {
        file: getattr(result, "header", None)
        for file, result in zip(taken.files, checked, strict=True)
    }
    drawn = image_files.drawn_among_others(headers)
    usable = [
        result for result in checked if isinstance(result, UsableImage) and result.file not in drawn
    ]
    problems = [result for result in checked if not isinstance(result, UsableImage)]
    problems += [(path, image_files.reason(problem)) for path, problem in listing.closed]
    files = [file for file in taken.files if file not in drawn]
    classes, class_remark = _count_classes(classes_in(place, files), usable)
    same = duplicates.group_equal([image.digest for image in usable])
    copies = {number for group in same for number in group[1:]}
    single = [image for number, image in enumerate(usable) if number not in copies]
    alike = duplicates.group_near([image.look for image in single])
    return Report(
        Path(directory),
        *how,
        usable,
        problems,
        _remarks(usable, listing, drawn, shape, fit) | _of_splits(taken),
        classes,
        class_remark,
        [[usable[number].file for number in group] for group in same],
        [[single[number].file for number in group] for group in alike],
        place,
    )


def _look_at(
    place: Place, file: str, image_shape: decode.Shape, fit: decode.Fit, background: decode.Colour
) -> UsableImage | tuple[str, str]:
    """A `UsableImage`, or (path, reason) of a file that cannot be used."""
    try:
        opened = place.opened(file)
        with open(opened, "rb") if isinstance(opened, str) else opened as stream:
            with Image.open(stream, formats=image_formats.names()) as image:
                header, animated = image_files.header_of(image), _is_animated(image)
            stream.seek(0)
            # Training's own decoding: a file passes here if and only if training can use it.
            fitted = decode.decode(stream, image_shape, fit, background)
            stream.seek(0)
            digest = _digest(stream)
    except MemoryError:
        raise
    except Exception as problem:  # Pillow has no single class for a bad image
        return file, image_files.reason(problem)
    return UsableImage(file, header, animated, digest, duplicates.perceptual_hash(fitted))


def _digest(stream: IO[bytes]) -> bytes:
    digest = hashlib.sha256()
    while part := stream.read(2**20):
        digest.update(part)
    return digest.digest()


def _of_splits(taken: splits.Split) -> dict[str, list[tuple[str, str]]]:
    """The remark on what other splits have."""
    others = [(path, f"{count:,} pictures") for path, count in taken.others.items()]
    what = f"splits beside {taken.name}, left out; --split NAME takes another, all everything"
    return {what: others} if others else {}


def _is_animated(image: Image.Image) -> bool:
    if image.format == "MPO":  # a phone's depth map or the like, not an animation
        return False
    try:
        return getattr(image, "is_animated", False)
    except Exception:  # damaged after the first frame, the only one that is used
        return True


def _count_classes(
    found: FolderClasses, usable: Sequence[UsableImage]
) -> tuple[dict[str, int], str | None]:
    """({class: number of usable images}, what is odd about the classes or None)."""
    counts = dict.fromkeys(sorted({name for name in found.of.values() if name is not None}), 0)
    for image in usable:
        name = found.of[image.file]
        if name is not None:
            counts[name] += 1
    if found.problem:
        return counts, f"no classes to train with: {found.problem}"
    if not counts:
        return counts, None
    if found.names is None:
        return counts, "no classes to train with: a single subfolder"
    least, most = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    if not counts[least]:
        return counts, f"a class without a picture that can be used: {least}"
    if counts[most] >= UNBALANCED * counts[least]:
        times = counts[most] // counts[least]
        return counts, f"unbalanced: {most} has {times} times as many pictures as {least}"
    return counts, None


def _remarks(
    usable: Sequence[UsableImage],
    listing: Listing,
    drawn: set[str],
    image_shape: decode.Shape,
    fit: decode.Fit,
) -> dict[str, list[tuple[str, str]]]:
    """What is odd about images and files: {what: [(path, detail), ...]}."""
    height, width, _ = image_shape
    wrong: list[tuple[str, str]] = []
    small: list[tuple[str, str]] = []
    long: list[tuple[str, str]] = []
    animated: list[tuple[str, str]] = []
    converted: list[tuple[str, str]] = []
    for image in usable:
        file, header = image.file, image.header
        size = f"{header.size[1]}x{header.size[0]}"
        own = next(one.suffixes for one in image_formats.known() if one.name == header.format)
        if os.path.splitext(file)[1] and not file.lower().endswith(own):
            wrong.append((file, f"{header.format} by its content"))
        if image_files.is_scaled_up(header.size, image_shape, fit):
            small.append((file, size))
        shape = header.size[0] / header.size[1] / (width / height)
        if min(shape, 1 / shape) < 0.5:
            long.append((file, size))
        if image.animated:
            animated.append((file, header.format))
        if header.deep or header.mode == "CMYK":
            converted.append((file, header.channels))
    remarks = {
        "named for another format": wrong,
        f"smaller than {height}x{width}, scaled up": small,
        "cut by more than half" if fit == "crop" else "padded to more than twice their area": long,
        "animated, of which the first frame alone is used": animated,
        "converted to 8 bits of grey or colour": converted,
        "of kinds that kgan does not read, left out": [
            (path, _what_reads(path)) for path in listing.unread
        ],
        "left out, as kgan made them": [
            *listing.own,
            *((path, "drawn by a model") for path in sorted(drawn)),
        ],
        "linked folders left out: of this set, around it, or gone": [
            (path, "") for path in listing.links
        ],
        **{
            f"{what}, left out": [(path, "") for path in paths]
            for what, paths in listing.others.items()
        },
    }
    return {what: files for what, files in remarks.items() if files}


def _what_reads(path: str) -> str:
    needed = image_formats.needed_for(os.path.splitext(path)[1].lower())
    return f"pip install {needed} reads it" if needed else ""


def preview(report: Report, augment: Sequence[Any] = ("flip",)) -> np.ndarray:
    """Images as the model will see them, each above its augmented version.

    Args:
        report: a `Report` with at least one image.
        augment: as for `kgan.data.from_folder`.

    Returns:
        uint8 array (H', W', C), rows of images alternating with rows of augmented ones;
        the images are taken evenly from the whole folder.
    """
    columns = max(2, min(8, PREVIEW_WIDTH // report.image_shape[1]))
    last = len(report.images) - 1
    chosen = sorted(set(np.linspace(0, last, columns * PREVIEW_ROWS).astype(int).tolist()))
    how = (report.image_shape, report.fit, report.background)
    # Beside the pictures: their augmented versions, as floats and as levels, and the sheet.
    each = 4 * math.prod(report.image_shape)
    memory.check(f"A sheet of {len(chosen)} pictures", len(chosen) * each, "a smaller size")
    files = [report.place.opened(report.images[number].file) for number in chosen]
    before = np.stack([decode.decode(file, *how) for file in files])
    changed = batches(
        ArraySource(before, "the preview"),
        batch_size=len(before),
        value_range=(-1.0, 1.0),
        augment=augment,
        cache=None,
        shuffle=False,
        seed=0,
    )
    after = images.to_uint8(next(iter(changed)), (-1.0, 1.0))
    return images.pairs(before, after, columns=min(columns, len(before)))
