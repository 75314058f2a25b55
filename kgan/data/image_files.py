"""The picture files below a folder, and what their headers tell without decoding them."""

import dataclasses
import os
import stat
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from kgan.data import decode
from kgan.errors import InputError
from kgan.files import first_line

# What people call pictures too, and kgan does not read.
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
        pictures: paths of the files whose names say that kgan reads them, in the
            order of their names.
        unread: paths of other pictures, such as .heic.
        links: paths of linked folders, which are not followed: they could loop.
        closed: folders that cannot be read, as (path, OSError).
    """

    pictures: list
    unread: list
    links: list
    closed: list


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """What the first bytes of a picture tell.

    Attributes:
        format: one of `decode.FORMATS`.
        mode: Pillow's name for its channels.
        size: (width, height), upright.
        deep: more than 8 bits a channel.
    """

    format: str
    mode: str
    size: tuple
    deep: bool

    @property
    def channels(self):
        """The mode in words."""
        name = "grey" if self.mode.startswith("I") else CHANNELS.get(self.mode, self.mode)
        return f"{name}, 16 bits" if self.deep else name


def check_folder_path(folder):
    """Returns `folder` as a `pathlib.Path`.

    Raises:
        InputError: no folder is there.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "This is a file, not a folder" if folder.exists() else "No such folder"
        raise InputError(f"{what}. Received: {folder}")
    return folder


def list_pictures(folder):
    """The `Listing` of a folder.

    Raises:
        InputError: no picture that kgan reads lies below it.
    """
    found, closed = Listing([], [], [], []), []
    for root, folders, names in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = [os.path.join(root, name) for name in folders]
        found.links += [path for path in paths if os.path.islink(path)]
        for name in sorted(names):
            if name.startswith("."):
                continue
            if name.lower().endswith(decode.SUFFIXES):
                found.pictures.append(os.path.join(root, name))
            elif name.lower().endswith(UNREAD_SUFFIXES):
                found.unread.append(os.path.join(root, name))
    found.closed = [(problem.filename, problem) for problem in closed]
    if not found.pictures:
        raise InputError(
            f"No pictures in this folder ({' '.join(decode.SUFFIXES)}). Received: {folder}"
        )
    return found


def subfolder(folder, file):
    """The name of the folder's own subfolder that a file lies in, None for none."""
    parts = os.path.relpath(file, folder).split(os.sep)
    return parts[0] if len(parts) > 1 else None


def class_names(folder, files):
    """The subfolders' names where every file lies in one of at least two, else None."""
    places = {subfolder(folder, file) for file in files}
    return sorted(places) if None not in places and len(places) > 1 else None


def check_file(file):
    """Raises OSError for what is not a file with something in it; a pipe would be read for ever."""
    status = os.stat(file)
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a regular file")
    if not status.st_size:
        raise OSError("an empty file")


def read_header(file):
    """The `Header` of a picture file, or the exception that tells why it has none."""
    try:
        check_file(file)
        with Image.open(file, formats=decode.FORMATS) as image:
            return header_of(image)
    except Exception as problem:  # Pillow has no one class for a bad picture
        return problem


def header_of(image):
    """The `Header` of an open Pillow image that is not decoded yet."""
    width, height = image.size
    if _orientation(image) in LYING:
        width, height = height, width
    # A JPEG with more pictures in it, as some phones write, is another format to Pillow.
    kind = "JPEG" if image.format == "MPO" else image.format
    # Colour of 16 bits has an 8-bit mode in Pillow; only how it is stored tells.
    deep = image.mode.startswith("I") or ";16B" in str(image.tile)
    return Header(kind, image.mode, (width, height), deep)


def _orientation(image):
    if "exif" not in image.info:  # getexif would decode a PNG to look for it at its end
        return None
    try:
        return image.getexif().get(EXIF_ORIENTATION)
    except Exception:  # damaged; whether the picture can be used is for decoding to tell
        return None


def reason(problem):
    """Why a picture cannot be used, in one line, from the exception."""
    if isinstance(problem, UnidentifiedImageError):  # its own words quote a memory address
        return "not a picture of a known format"
    if isinstance(problem, OSError) and problem.strerror:  # without number and path
        return problem.strerror
    return first_line(problem)


def is_scaled_up(size, image_shape, fit):
    """Whether a picture of (width, height) is enlarged to fit (H, W, C)."""
    ratios = image_shape[1] / size[0], image_shape[0] / size[1]
    return (max(ratios) if fit == "crop" else min(ratios)) > 1.0


def remark_on_small(count, total, image_shape):
    """One line on pictures that are scaled up."""
    height, width = image_shape[:2]
    return f"{count:,} of {total:,} pictures are smaller than {height}x{width} and are scaled up"


def remark_on_unread(paths):
    """One line on pictures of kinds that kgan does not read."""
    kinds = sorted({os.path.splitext(path)[1].lower() for path in paths})
    return f"{len(paths):,} files of kinds that kgan does not read are left out: {' '.join(kinds)}"
