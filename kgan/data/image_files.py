"""The image files below a folder, and what their headers say without decoding them."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from kgan import images, own_places
from kgan.data import decode
from kgan.errors import InputError
from kgan.files import first_line, printable
from kgan.memory import in_words

# Formats that people use for images and that kgan does not read.
UNREAD_SUFFIXES = tuple(
    ".apng .arw .avif .cr2 .cr3 .dng .eps .exr .heic .heif .ico .jp2 .jxl .nef .pbm "
    ".pcx .pgm .ppm .psd .svg .tga .tif .tiff".split()
)
EXIF_ORIENTATION = 0x0112
LARGEST_FILE = 2**31  # bytes: more than Pillow's limit on pixels lets any image have
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
        links: paths of links that are left out: to folders that the set has already, to
            a folder around it, or to nothing.
        closed: folders that cannot be read, as (path, OSError).
        own: folders that kgan wrote, as (path, "run" or "export"); nothing in them is listed.
    """

    images: list[str]
    unread: list[str]
    links: list[str]
    closed: list[tuple[str, OSError]]
    own: list[tuple[str, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """What the first bytes of an image file say.

    Attributes:
        format: one of `decode.FORMATS`.
        mode: Pillow's name for its channels.
        size: (width, height), upright.
        deep: more than 8 bits per channel.
        transparent: it has an alpha channel or a transparent colour.
        drawn: a model of kgan's drew it.
    """

    format: str
    mode: str
    size: tuple[int, int]
    deep: bool
    transparent: bool
    drawn: bool

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
    """The `Listing` of a folder, linked folders included.

    Raises:
        InputError: it contains no image that kgan reads.
    """
    listing = Listing([], [], [], [], [])
    top = os.path.realpath(folder)
    seen: set[str] = set()
    links = _walk(folder, listing, seen)
    for link in links:  # grows by the links within linked folders
        target = os.path.realpath(link)
        if target in seen or Path(top).is_relative_to(target):
            listing.links.append(link)
        else:
            links += _walk(link, listing, seen)
    if not listing.images:
        beside = f", {left_out(listing.own)} aside" if listing.own else ""
        raise InputError(
            f"No pictures in this folder ({' '.join(decode.SUFFIXES)}){beside}. Received: {folder}"
        )
    return listing


def _walk(folder: str | os.PathLike[str], listing: Listing, seen: set[str]) -> list[str]:
    """Adds what lies below a folder to a listing; returns the linked folders, not followed yet.

    Args:
        folder: the folder.
        listing: the listing.
        seen: real paths of folders, which are not entered again; those that are get added.
    """
    links = []
    closed: list[OSError] = []
    for root, folders, names in os.walk(folder, onerror=closed.append):
        seen.add(os.path.realpath(root))
        kind = own_places.kind_of(root, names)
        if kind is not None:
            listing.own.append((root, kind))
            folders.clear()
            continue
        paths = [os.path.join(root, name) for name in sorted(folders) if name[0] != "."]
        links += [path for path in paths if os.path.islink(path)]
        folders[:] = [
            os.path.basename(path) for path in paths if os.path.realpath(path) not in seen
        ]
        for name in sorted(names):
            path = os.path.join(root, name)
            if name.startswith("."):
                continue
            if name.lower().endswith(decode.SUFFIXES):
                listing.images.append(path)
            elif name.lower().endswith(UNREAD_SUFFIXES):
                listing.unread.append(path)
            elif os.path.islink(path) and not os.path.exists(path):
                listing.links.append(path)
    listing.closed += [(problem.filename, problem) for problem in closed]
    return links


def check_file(file: str | os.PathLike[str]) -> None:
    """Raises OSError unless it is a regular file with content; reading a pipe might never end."""
    status = os.stat(file)
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a regular file")
    if not status.st_size:
        raise OSError("an empty file")
    if status.st_size > LARGEST_FILE:
        raise OSError(f"a file of {in_words(status.st_size)}, larger than any picture")


def read_header(file: str | os.PathLike[str]) -> Header | Exception:
    """The `Header` of an image file, or the exception that says why it has none."""
    try:
        check_file(file)
        with Image.open(file, formats=decode.FORMATS) as image:
            return header_of(image)
    except Exception as problem:  # Pillow has no single class for a bad image
        return problem


def drawn_among_others(headers: Mapping[str, object]) -> set[str]:
    """Paths of images that a model drew; none where there is nothing else, as those are meant.

    Args:
        headers: path -> what `read_header` gives.
    """
    drawn = {path for path, header in headers.items() if getattr(header, "drawn", False)}
    return drawn if len(drawn) < len(headers) else set()


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
    see_through, drawn = image.has_transparency_data, images.is_drawn(image)
    return Header(kind, image.mode, (width, height), deep, see_through, drawn)


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


def remark_on_transparent(count: int, total: int, background: Sequence[int]) -> str:
    """One line on images with transparency."""
    colour = ",".join(map(str, background))
    return (
        f"{count:,} of {total:,} pictures have transparency: it is filled with the background "
        f"colour {colour}"
    )


def remark_on_opaque(count: int, total: int) -> str:
    """One line on images without transparency, where it is kept."""
    return f"{count:,} of {total:,} pictures have no transparency: they are opaque"


def left_out(own: Sequence[tuple[str, str]], drawn: int = 0) -> str:
    """What kgan wrote itself, in words.

    Args:
        own: as `Listing.own`.
        drawn: number of single images that a model drew.
    """
    kinds = [kind for _, kind in own]
    counts = {"run": kinds.count("run"), "export": kinds.count("export"), "drawn picture": drawn}
    return ", ".join(f"{n:,} {kind}{'s' * (n != 1)}" for kind, n in counts.items() if n)


def remark_on_own(own: Sequence[tuple[str, str]], drawn: int) -> str:
    """One line on what is left out because kgan wrote it; for the arguments see `left_out`."""
    return f"left out, as kgan made them: {left_out(own, drawn)}"


def remark_on_links(paths: Sequence[str]) -> str:
    """One line on linked folders that are not followed."""
    such = printable(paths[0], None) + (" ..." if len(paths) > 1 else "")
    return f"{len(paths):,} linked folders are left out: of this set, around it, or gone: {such}"


def remark_on_unread(paths: Sequence[str]) -> str:
    """One line on images of kinds that kgan does not read."""
    kinds = sorted({os.path.splitext(path)[1].lower() for path in paths})
    return f"{len(paths):,} files of kinds that kgan does not read are left out: {' '.join(kinds)}"
