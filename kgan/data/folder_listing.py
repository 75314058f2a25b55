"""The image files below a folder."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from kgan import own_places
from kgan.data import image_formats
from kgan.data.image_files import left_out
from kgan.errors import InputError

# Formats that people use for images and that kgan does not read.
UNREAD_SUFFIXES = tuple(
    ".apng .arw .avif .cr2 .cr3 .dng .eps .exr .heic .heif .ico .jp2 .jxl .nef .pbm "
    ".pcx .pgm .ppm .psd .svg .tga .tif .tiff .hif".split()
)
ARCHIVE_SUFFIXES = tuple(".7z .bz2 .gz .lmdb .mdb .rar .tar .tgz .xz .zip .zst".split())
HIDDEN, ARCHIVES = "hidden pictures and folders", "archives among the pictures"
APPLES = "__MACOSX"  # beside what a Mac packed; it holds no pictures, though their names say so


@dataclasses.dataclass
class Listing:
    """What lies below a folder, or in an archive.

    Attributes:
        images: paths of the files whose names say that kgan reads them, ordered by name.
        unread: paths of images in other formats, such as .heic.
        links: paths of links that are left out: to folders that the set has already, to
            a folder around it, or to nothing.
        closed: folders that cannot be read, as (path, OSError).
        own: folders that kgan wrote, as (path, "run" or "export"); nothing in them is listed.
        others: what else is left out that may have been meant: {what: paths}.
    """

    images: list[str]
    unread: list[str]
    links: list[str]
    closed: list[tuple[str, OSError]]
    own: list[tuple[str, str]]
    others: dict[str, list[str]]

    def leave_out(self, what: str, path: str) -> None:
        """Adds a path to `others`."""
        self.others.setdefault(what, []).append(path)

    def add_file(self, path: str) -> bool:
        """Adds a file by its name; whether that says that it is a picture or could hold some."""
        name = os.path.basename(path).lower()
        if name.startswith("."):
            if name.endswith(image_formats.suffixes()) and not name.startswith("._"):
                self.leave_out(HIDDEN, path)
        elif name.endswith(image_formats.suffixes()):
            self.images.append(path)
        elif name.endswith(UNREAD_SUFFIXES):
            self.unread.append(path)
        elif name.endswith(ARCHIVE_SUFFIXES):
            self.leave_out(ARCHIVES, path)
        else:
            return name.startswith(".")
        return True

    def check(self, where: str, path: object) -> None:
        """Raises an InputError where there is no picture.

        Args:
            where: such as "in this folder".
            path: for the message.
        """
        if not self.images:
            beside = f", {left_out(self.own)} aside" if self.own else ""
            suffixes = " ".join(image_formats.suffixes())
            raise InputError(f"No pictures {where} ({suffixes}){beside}. Received: {path}")


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
    listing = Listing([], [], [], [], [], {})
    top = os.path.realpath(folder)
    seen: set[str] = set()
    links = _walk(folder, listing, seen)
    for link in links:  # grows by the links within linked folders
        target = os.path.realpath(link)
        if target in seen or Path(top).is_relative_to(target):
            listing.links.append(link)
        else:
            links += _walk(link, listing, seen)
    hidden = listing.others.get(HIDDEN, [])
    hidden[:] = [path for path in hidden if os.path.realpath(path) not in seen]  # else linked to
    if not hidden:
        listing.others.pop(HIDDEN, None)
    listing.check("in this folder", folder)
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
        for name in sorted(folders):
            if name.startswith("."):
                listing.leave_out(HIDDEN, os.path.join(root, name))
        shown = [name for name in sorted(folders) if name[0] != "." and name != APPLES]
        paths = [os.path.join(root, name) for name in shown]
        links += [path for path in paths if os.path.islink(path)]
        folders[:] = [
            os.path.basename(path) for path in paths if os.path.realpath(path) not in seen
        ]
        for name in sorted(names):
            path = os.path.join(root, name)
            known = listing.add_file(path)
            if not known and os.path.islink(path) and not os.path.exists(path):
                listing.links.append(path)
    listing.closed += [(problem.filename, problem) for problem in closed]
    return links
