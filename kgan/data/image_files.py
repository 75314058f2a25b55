"""The image files below a folder, and what their headers say without decoding them."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from kgan.data import decode
from kgan.errors import InputError
from kgan.files import first_line

# Formats that people use for images and that kgan does not read.
UNREAD_SUFFIXES = tuple(
    ".apng .arw .avif .cr2 .cr3 .dng .eps .exr .heic .heif .ico .jfif .jp2 .jpe .jxl .nef .pbm "
    ".pcx .pgm .ppm .psd .svg .tga .tif .tiff".split()
)
EXIF_ORIENTATION = 0x0112
LYING = range(5, 9)  # orientations that swap height and width
CHANNELS = {
    "1": "black and white",
    "L": "grey",
    "LA": "grey + alpha",
    "P": "palette",
    "RGB": "colour",
    "RGBA": "colour + alpha",
}


@dataclasses.dataclass
class Listing:
    """What lies below a folder, hidden files and folders left out.

    Attributes:
        images: paths of the files whose names say that kgan reads them, ordered by name.
        unread: paths of images in other formats, such as .heic.
        links: paths of linked folders, which are not followed: they could loop.
        closed: folders that cannot be read, as (path, OSError).
    """

    images: list[str]
    unread: list[str]
    links: list[str]
    closed: list[tuple[str, OSError]]


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """What the first bytes of an image file say.

    Attributes:
        format: one of `decode.FORMATS`.
        mode: Pillow's name for its channels.
        size: (width, height), upright.
        deep: more than 8 bits per channel.
    """

    format: str
    mode: str
    size: tuple[int, int]
    deep: bool

    @property
    def channels(self) -> str:
        """The mode in words."""
        name = "grey" if self.mode.startswith("I") else CHANNELS.get(self.mode, self.mode)
        return f"{name}, 16 bits" if self.deep else name


def check_folder_path(folder: str | os.PathLike[str]) -> Path:
    """Returns `folder` as a `pathlib.Path`.

    Raises:
        InputError: there is no such folder.
    """
    path = Path(folder)
    if not path.is_dir():
        what = "This is a file, not a folder" if path.exists() else "No such folder"
        raise InputError(f"{what}. Received: {path}")
    return path


def list_images(folder: str | os.PathLike[str]) -> Listing:
    """The `Listing` of a folder.

    Raises:
        InputError: it contains no image that kgan reads.
    """
    listing = Listing([], [], [], [])
    closed: list[OSError] = []
    for root, folders, names in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = [os.path.join(root, name) for name in folders]
        listing.links += [path for path in paths if os.path.islink(path)]
        for name in sorted(names):
            if name.startswith("."):
                continue
            if name.lower().endswith(decode.SUFFIXES):
                listing.images.append(os.path.join(root, name))
            elif name.lower().endswith(UNREAD_SUFFIXES):
                listing.unread.append(os.path.join(root, name))
    listing.closed = [(problem.filename, problem) for problem in closed]
    if not listing.images:
        raise InputError(
            f"No pictures in this folder ({' '.join(decode.SUFFIXES)}). Received: {folder}"
        )
    return listing


def subfolder(folder: str | os.PathLike[str], file: str | os.PathLike[str]) -> str | None:
    """The name of the folder's direct subfolder that contains a file, None without one."""
    parts = os.path.relpath(file, folder).split(os.sep)
    return parts[0] if len(parts) > 1 else None


def class_names(
    folder: str | os.PathLike[str], files: Iterable[str | os.PathLike[str]]
) -> list[str] | None:
    """The names of the subfolders if every file is in one of at least two, else None."""
    places = {subfolder(folder, file) for file in files}
    names = sorted(place for place in places if place is not None)
    return names if len(names) == len(places) > 1 else None


def check_file(file: str | os.PathLike[str]) -> None:
    """Raises OSError unless it is a regular file with content; reading a pipe might never end."""
    status = os.stat(file)
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a regular file")
    if not status.st_size:
        raise OSError("an empty file")


def read_header(file: str | os.PathLike[str]) -> Header | Exception:
    """The `Header` of an image file, or the exception that says why it has none."""
    try:
        check_file(file)
        with Image.open(file, formats=decode.FORMATS) as image:
            return header_of(image)
    except Exception as problem:  # Pillow has no single class for a bad image
        return problem


def header_of(image: Image.Image) -> Header:
    """The `Header` of an open Pillow image that is not decoded yet."""
    width, height = image.size
    if _orientation(image) in LYING:
        width, height = height, width
    # Pillow has another name for a JPEG that holds several images, as some phones write it.
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    # Pillow gives 16-bit colour an 8-bit mode; only the way it is stored shows the difference.
    tile = getattr(image, "tile", "")
    deep = image.mode.startswith("I") or ";16B" in str(tile)
    return Header(kind, image.mode, (width, height), deep)


def _orientation(image: Image.Image) -> int | None:
    if "exif" not in image.info:  # getexif would decode a PNG to look for it at its end
        return None
    try:
        return image.getexif().get(EXIF_ORIENTATION)
    except Exception:  # damaged; decoding will show whether the image can be used
        return None


def reason(problem: BaseException) -> str:
    """Why an image cannot be used, in one line, from the exception."""
    if isinstance(problem, UnidentifiedImageError):  # its message contains a memory address
        return "not a picture of a known format"
    if isinstance(problem, OSError) and problem.strerror:  # without the number and path
        return problem.strerror
    return first_line(problem)


def is_scaled_up(size: tuple[int, int], image_shape: decode.Shape, fit: decode.Fit) -> bool:
    """Whether an image of (width, height) is enlarged to fit (H, W, C)."""
    ratios = image_shape[1] / size[0], image_shape[0] / size[1]
    return (max(ratios) if fit == "crop" else min(ratios)) > 1.0


def remark_on_small(count: int, total: int, image_shape: Sequence[int]) -> str:
    """One line on images that are scaled up."""
    height, width = image_shape[:2]
    return f"{count:,} of {total:,} pictures are smaller than {height}x{width} and are scaled up"


def remark_on_unread(paths: Sequence[str]) -> str:
    """One line on images of kinds that kgan does not read."""
    kinds = sorted({os.path.splitext(path)[1].lower() for path in paths})
    return f"{len(paths):,} files of kinds that kgan does not read are left out: {' '.join(kinds)}"
