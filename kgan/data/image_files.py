"""Image files: what their headers say without decoding them, and remarks on them."""

from __future__ import annotations

import dataclasses
import io
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO

from PIL import Image, UnidentifiedImageError

from kgan import images
from kgan.data import decode, image_formats
from kgan.files import first_line, printable
from kgan.memory import in_words

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


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """What the first bytes of an image file say.

    Attributes:
        format: one of `kgan.data.image_formats.names`.
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


def check_file(file: str | os.PathLike[str]) -> None:
    """Raises OSError unless it is a regular file with content; reading a pipe might never end."""
    status = os.stat(file)
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a regular file")
    if not status.st_size:
        raise OSError("an empty file")
    if status.st_size > LARGEST_FILE:
        raise OSError(f"a file of {in_words(status.st_size)}, larger than any picture")


def read_header(file: str, opened: Callable[[str], str | IO[bytes]]) -> Header | Exception:
    """The `Header` of an image file, or the exception that says why it has none.

    Args:
        file: its path.
        opened: gives what Pillow opens for it, as `kgan.data.places.Place.opened`.
    """
    try:
        with Image.open(opened(file), formats=image_formats.names()) as image:
            return header_of(image)
    except Exception as problem:  # Pillow has no single class for a bad image
        return problem


def is_encoded(value: object) -> bool:
    """Whether bytes are an image that kgan decodes, by its header."""
    if not isinstance(value, bytes):
        return False
    try:
        with Image.open(io.BytesIO(value), formats=image_formats.names()):
            return True
    except Exception:  # Pillow has no single class for what is no image
        return False


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
    named = " ".join(map(with_what_is_needed, kinds))
    return f"{len(paths):,} files of kinds that kgan does not read are left out: {named}"


def with_what_is_needed(suffix: str) -> str:
    """A suffix of files that are not read, with what to install where that would help."""
    needed = image_formats.needed_for(suffix)
    return f"{suffix} (pip install {needed} reads them)" if needed else suffix


def remark_on_others(what: str, paths: Sequence[str]) -> str:
    """One line on what is left out for another reason, as `Listing.others` names it."""
    such = printable(paths[0], None) + (" ..." if len(paths) > 1 else "")
    return f"{len(paths):,} {what} are left out: {such}"


def remark_on_sets(counts: Iterable[tuple[str, int]]) -> str:
    """One line on shards of several sets, from (name, number of shards) of each."""
    sets = ", ".join(f"{printable(name)} ({count})" for name, count in counts)
    return f"shards of several sets, all of which are read: {sets}"


def remark_on_closed(closed: Sequence[tuple[str, OSError]]) -> str:
    """One line on folders that cannot be read."""
    path, problem = closed[0]
    such = f"{printable(path, None)}: {reason(problem)}" + (" ..." if len(closed) > 1 else "")
    return f"{len(closed):,} folders cannot be read and are left out: {such}"
