"""What a check of images finds: each that training can use, and a report of all."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from PIL import Image

from kgan.data import decode, duplicates, image_files, image_formats
from kgan.data.places import Place

UNBALANCED = 10  # times the images of the smallest class


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
    """What a check found.

    Attributes:
        folder: the folder, archive or what else the images are in, a `pathlib.Path`.
        image_shape, fit, background: how the images are prepared.
        images: those that training can use.
        problems: what training skips, as (path, reason).
        remarks: what is odd but does not stop training: {what: [(path, detail), ...]}.
        classes: number of usable images per class, by `kgan.data.folder_classes`; empty without.
        class_remark: what is odd about the classes, one line, or None.
        same: groups of paths of files with the same bytes.
        alike: groups of paths of images that look alike, one path for each
            group of `same`; see `kgan.data.duplicates`.
        place: where files lie, a `kgan.data.places.Place`; None for what are no files.
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
    place: Place | None = None


def report_of(
    folder: Path,
    how: tuple[decode.Shape, decode.Fit, decode.Colour],
    usable: list[UsableImage],
    problems: list[tuple[str, str]],
    remarks: dict[str, list[tuple[str, str]]],
    classes: tuple[dict[str, int], str | None],
    place: Place | None = None,
) -> Report:
    """A `Report` of images, with their duplicates.

    Args:
        folder, usable, problems, remarks: as its attributes.
        how: its image_shape, fit and background.
        classes: its classes and class_remark.
        place: as its attribute.
    """
    same = duplicates.group_equal([image.digest for image in usable])
    copies = {number for group in same for number in group[1:]}
    single = [image for number, image in enumerate(usable) if number not in copies]
    alike = duplicates.group_near([image.look for image in single])
    return Report(
        folder,
        *how,
        usable,
        problems,
        remarks,
        *classes,
        [[usable[number].file for number in group] for group in same],
        [[single[number].file for number in group] for group in alike],
        place,
    )


def look_at(
    name: str,
    stream: IO[bytes],
    image_shape: decode.Shape,
    fit: decode.Fit,
    background: Sequence[int],
) -> UsableImage:
    """An image that training can use.

    Args:
        name: what it is called.
        stream: an encoded image.
        image_shape, fit, background: how it is prepared.

    Raises:
        Exception: training cannot use it; Pillow has no single class for that.
    """
    with Image.open(stream, formats=image_formats.names()) as image:
        header, animated = image_files.header_of(image), _is_animated(image)
    stream.seek(0)
    # Training's own decoding: an image passes here if and only if training can use it.
    fitted = decode.decode(stream, image_shape, fit, background)
    stream.seek(0)
    digest = _digest(stream)
    return UsableImage(name, header, animated, digest, duplicates.perceptual_hash(fitted))


def _digest(stream: IO[bytes]) -> bytes:
    digest = hashlib.sha256()
    while part := stream.read(2**20):
        digest.update(part)
    return digest.digest()


def _is_animated(image: Image.Image) -> bool:
    if image.format == "MPO":  # a phone's depth map or the like, not an animation
        return False
    try:
        return getattr(image, "is_animated", False)
    except Exception:  # damaged after the first frame, the only one that is used
        return True


def remarks_on(
    usable: Sequence[UsableImage], image_shape: decode.Shape, fit: decode.Fit
) -> dict[str, list[tuple[str, str]]]:
    """What is odd about images: {what: [(path, detail), ...]}, of each what is so."""
    height, width, _ = image_shape
    small: list[tuple[str, str]] = []
    long: list[tuple[str, str]] = []
    animated: list[tuple[str, str]] = []
    converted: list[tuple[str, str]] = []
    for image in usable:
        file, header = image.file, image.header
        size = f"{header.size[1]}x{header.size[0]}"
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
        f"smaller than {height}x{width}, scaled up": small,
        "cut by more than half" if fit == "crop" else "padded to more than twice their area": long,
        "animated, of which the first frame alone is used": animated,
        "converted to 8 bits of grey or colour": converted,
    }
    return {what: files for what, files in remarks.items() if files}


def remark_on_counts(counts: Mapping[str, int]) -> str | None:
    """What is odd about the numbers of images of classes, one line; None where nothing is."""
    least, most = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    if not counts[least]:
        return f"a class without a picture that can be used: {least}"
    if counts[most] >= UNBALANCED * counts[least]:
        times = counts[most] // counts[least]
        return f"unbalanced: {most} has {times} times as many pictures as {least}"
    return None
