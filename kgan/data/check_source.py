"""Checks any source of images before training, as `kgan.data.check` does a folder."""

from __future__ import annotations

import collections
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from kgan.channels import PICTURES
from kgan.data import decode, duplicates, image_files
from kgan.data.check import places_of_preview, sheet_of
from kgan.data.checked import (
    Report,
    UsableImage,
    look_at,
    remark_on_counts,
    remarks_on,
    report_of,
)
from kgan.data.sources import WORKERS, Source, StreamSource
from kgan.reading import read_bytes

AT_ONCE = 256  # images handed to the threads together
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
Checked = tuple[int, UsableImage | tuple[str, str]]  # (label, the image or why there is none)


def check_source(
    source: Source,
    data: str = "",
    progress: Callable[[int, int], Any] | None = None,
) -> Report:
    """Decodes every image of a source as training would, and reports what it finds.

    Of what is no folder of files: tables, records, lists, arrays. The images of arrays are looked
    at as they are fitted.

    Args:
        source: it.
        data: what the user calls it.
        progress: called with (images checked, images in total) from time to time.

    Returns:
        A `Report`, whose images are called as the source calls them.

    Raises:
        InputError: the data are damaged.
    """
    usable, problems = [], []
    counts: collections.Counter[int] = collections.Counter()
    parts = _of_stream(source) if isinstance(source, StreamSource) else _of_arrays(source)
    for part in parts:
        for label, result in part:
            if isinstance(result, UsableImage):
                usable.append(result)
                counts[label] += 1
            else:
                problems.append(result)
        if progress is not None:
            progress(len(usable) + len(problems), source.count)
    known = {name for name, _ in problems}
    problems += [(name, why) for name, why in source.skipped.items() if name not in known]
    classes = {name: counts[label] for label, name in enumerate(source.class_names or ())}
    fit: decode.Fit = source.fit if isinstance(source, StreamSource) else "crop"
    colour = decode.check_background(getattr(source, "background", decode.WHITE))
    return report_of(
        Path(data or source.description),
        (source.image_shape, fit, colour),
        usable,
        problems,
        remarks_on(usable, source.image_shape, fit),
        (classes, remark_on_counts(classes) if classes else None),
    )


def preview_source(source: Source, count: int, augment: Sequence[Any] = ("flip",)) -> np.ndarray:
    """As `kgan.data.check.preview`, of a source of which `count` images can be used."""
    chosen = set(places_of_preview(count, source.image_shape))
    quiet = source.aside() if isinstance(source, StreamSource) else source  # the report has told
    examples = quiet.examples().take(max(chosen) + 1)
    images = [image for n, (image, _) in enumerate(quiet.read(examples)) if n in chosen]
    return sheet_of(np.stack(images), augment)


def _of_stream(source: StreamSource) -> Iterator[list[Checked]]:
    aside = source.aside()

    def look(index: int, data: bytes) -> UsableImage | tuple[str, str]:
        name = source.name(index)
        try:
            file = aside.to_file(data)
            if isinstance(file, str):
                file = io.BytesIO(read_bytes(file, image_files.LARGEST_FILE))
            return look_at(name, file, source.image_shape, source.fit, source.background)
        except MemoryError:
            raise
        except Exception as problem:  # Pillow has no single class for a bad image
            return name, image_files.reason(problem)

    with ThreadPoolExecutor(WORKERS) as pool:
        for indices, data, labels in aside.read(aside.encoded(None).batch(AT_ONCE)):
            found = pool.map(look, indices.tolist(), data)
            yield list(zip(_classes(labels), found, strict=True))


def _of_arrays(source: Source) -> Iterator[list[Checked]]:
    height, width, channels = source.image_shape
    mode = MODES.get(channels, PICTURES.get(channels, f"{channels} channels"))
    header = image_files.Header("array", mode, (width, height), False, channels == 4, False)
    place = 0
    for images, labels in source.read(source.examples().batch(AT_ONCE)):
        found: list[Checked] = []
        for image, label in zip(images, _classes(labels), strict=True):
            grey = image if channels in PICTURES else image.mean(-1, keepdims=True).astype(np.uint8)
            digest = hashlib.sha256(np.ascontiguousarray(image).data).digest()
            look = duplicates.perceptual_hash(grey)
            found.append((label, UsableImage(source.name(place), header, False, digest, look)))
            place += 1
        yield found


def _classes(labels: np.ndarray) -> list[int]:
    """Labels that are classes; -1 for attributes."""
    return labels.tolist() if labels.ndim == 1 else [-1] * len(labels)
