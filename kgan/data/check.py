"""Checks files of images before training: what it would skip, change or see twice."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from kgan import images, memory
from kgan.data import decode, image_files, image_formats, splits
from kgan.data.array_source import ArraySource
from kgan.data.checked import Report, UsableImage, look_at, remark_on_counts, remarks_on, report_of
from kgan.data.containers import open_place
from kgan.data.folder_classes import FolderClasses, classes_in
from kgan.data.folder_listing import Listing
from kgan.data.pipeline import batches
from kgan.data.places import Place
from kgan.data.sources import WORKERS

AT_ONCE = 1024  # files handed to the threads together
PREVIEW_WIDTH = 1024  # pixels, roughly; at least two images per row
PREVIEW_ROWS = 3


def check_folder(
    directory: str | os.PathLike[str],
    *,
    image_shape: Sequence[int] = (64, 64, 3),
    fit: decode.Fit = "crop",
    background: Sequence[int] = (255, 255, 255),
    split: str | None = None,
    label_column: str | None = None,
    progress: Callable[[int, int], Any] | None = None,
) -> Report:
    """Decodes every image below a folder as training would, and reports what it finds.

    Args:
        directory: the folder, or what `kgan.data.containers.open_place` takes for one.
        image_shape: (H, W, C) of the model, or (H, W) for colour; C 1, 3 or 4.
        fit, background, split, label_column: as for `kgan.data.open_source`.
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
    place = open_place(directory, label_column)
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
    classes, class_remark = _count_classes(classes_in(place, files, label_column), usable)
    return report_of(
        Path(directory),
        how,
        usable,
        problems,
        _remarks(usable, listing, drawn, shape, fit) | _of_splits(taken),
        (classes, class_remark),
        place,
    )


def _look_at(
    place: Place, file: str, image_shape: decode.Shape, fit: decode.Fit, background: decode.Colour
) -> UsableImage | tuple[str, str]:
    """A `UsableImage`, or (path, reason) of a file that cannot be used."""
    try:
        opened = place.opened(file)
        with open(opened, "rb") if isinstance(opened, str) else opened as stream:
            return look_at(file, stream, image_shape, fit, background)
    except MemoryError:
        raise
    except Exception as problem:  # Pillow has no single class for a bad image
        return file, image_files.reason(problem)


def _of_splits(taken: splits.Split) -> dict[str, list[tuple[str, str]]]:
    """The remark on what other splits have."""
    others = [(path, f"{count:,} pictures") for path, count in taken.others.items()]
    what = f"splits beside {taken.name}, left out; --split NAME takes another, all everything"
    return {what: others} if others else {}


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
    return counts, remark_on_counts(counts)


def _remarks(
    usable: Sequence[UsableImage],
    listing: Listing,
    drawn: set[str],
    image_shape: decode.Shape,
    fit: decode.Fit,
) -> dict[str, list[tuple[str, str]]]:
    """What is odd about images and files: {what: [(path, detail), ...]}."""
    wrong = []
    for image in usable:
        own = next(one.suffixes for one in image_formats.known() if one.name == image.header.format)
        if os.path.splitext(image.file)[1] and not image.file.lower().endswith(own):
            wrong.append((image.file, f"{image.header.format} by its content"))
    remarks = {
        "named for another format": wrong,
        **remarks_on(usable, image_shape, fit),
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
    how = (report.image_shape, report.fit, report.background)
    chosen = places_of_preview(len(report.images), report.image_shape)
    assert report.place is not None  # of a folder's report
    files = [report.place.opened(report.images[number].file) for number in chosen]
    before = np.stack([decode.decode(file, *how) for file in files])
    return sheet_of(before, augment)


def places_of_preview(count: int, image_shape: decode.Shape) -> list[int]:
    """Which of so many images are shown: some rows, taken evenly.

    Raises:
        InputError: the sheet does not fit into memory.
    """
    wanted = _columns(image_shape[1]) * PREVIEW_ROWS
    chosen = sorted(set(np.linspace(0, count - 1, wanted).astype(int).tolist()))
    # Beside the pictures: their augmented versions, as floats and as levels, and the sheet.
    each = 4 * math.prod(image_shape)
    memory.check(f"A sheet of {len(chosen)} pictures", len(chosen) * each, "a smaller size")
    return chosen


def sheet_of(before: np.ndarray, augment: Sequence[Any]) -> np.ndarray:
    """Images above their augmented versions, uint8 (H', W', C).

    Args:
        before: uint8 (N, H, W, C).
        augment: as for `kgan.data.from_folder`.
    """
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
    return images.pairs(before, after, columns=min(_columns(before.shape[2]), len(before)))


def _columns(width: int) -> int:
    return max(2, min(8, PREVIEW_WIDTH // width))
