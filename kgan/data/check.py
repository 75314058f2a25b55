"""The pre-flight of a folder of pictures: what training would skip, change or see twice."""

import dataclasses
import hashlib
import io
import os
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from kgan import images
from kgan.data import decode, duplicates, image_files
from kgan.data.pipeline import batches
from kgan.data.sources import WORKERS, ArraySource

SUFFIXES_OF = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "WEBP": (".webp",),
}
AT_ONCE = 1024  # files that are handed to the threads together
UNBALANCED = 10  # times the pictures of the smallest class
PREVIEW_WIDTH = 1024  # pixels, about; two pictures a row at least
PREVIEW_ROWS = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
    """One picture that training can use.

    Attributes:
        file: its path.
        header: its `kgan.data.image_files.Header`.
        animated: it has more than one frame.
        digest: sha256 of the file.
        look: its perceptual hash as the model sees it, fitted and on the background.
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
        folder: the folder, a `pathlib.Path`.
        image_shape, fit, background: how the pictures are made ready.
        pictures: list of `Picture`, those that training can use.
        problems: what training skips, as (path, reason).
        remarks: what is odd, yet can be used or is no matter: {what: [(path, detail), ...]}.
        classes: pictures by subfolder; empty without subfolders.
        class_remark: what is odd about the classes, one line, or None.
        same: groups of paths of files with the same bytes.
        alike: groups of paths of pictures that look alike, one path for each
            group of `same`; see `kgan.data.duplicates`.
    """

    folder: os.PathLike
    image_shape: tuple
    fit: str
    background: tuple
    pictures: list
    problems: list
    remarks: dict
    classes: dict
    class_remark: str | None
    same: list
    alike: list


def check_folder(
    directory,
    *,
    image_shape=(64, 64, 3),
    fit="crop",
    background=(255, 255, 255),
    progress=None,
):
    """Decodes every picture below a folder as training would, and reports what it finds.

    Args:
        directory: the folder.
        image_shape: (H, W, C) of the model, or (H, W) for colour.
        fit, background: as for `kgan.data.from_folder`.
        progress: called with (files checked, files) from time to time.

    Returns:
        A `Report`.

    Raises:
        InputError: no such folder, no pictures in it, or an argument that cannot be used.
    """
    if isinstance(image_shape, (tuple, list)) and len(image_shape) == 2:
        image_shape = (*image_shape, 3)
    image_shape = decode.check_shape(image_shape)
    how = (image_shape, decode.check_fit(fit), decode.check_background(background))
    folder = image_files.check_folder_path(directory)
    listing = image_files.list_pictures(folder)
    checked = []
    with warnings.catch_warnings(), ThreadPoolExecutor(WORKERS) as pool:
        warnings.simplefilter("ignore")  # Pillow's, of pictures that it reads all the same
        for start in range(0, len(listing.pictures), AT_ONCE):
            some = listing.pictures[start : start + AT_ONCE]
            checked += pool.map(lambda file: _look_at(file, *how), some)
            if progress is not None:
                progress(len(checked), len(listing.pictures))
    pictures = [found for found in checked if isinstance(found, Picture)]
    problems = [found for found in checked if not isinstance(found, Picture)]
    problems += [(place, image_files.reason(problem)) for place, problem in listing.closed]
    classes, class_remark = _count_classes(folder, listing.pictures, pictures)
    same = duplicates.group_equal([picture.digest for picture in pictures])
    copies = {place for group in same for place in group[1:]}
    single = [picture for place, picture in enumerate(pictures) if place not in copies]
    alike = duplicates.group_near([picture.look for picture in single])
    return Report(
        folder,
        *how,
        pictures,
        problems,
        _remarks(pictures, listing, image_shape, fit),
        classes,
        class_remark,
        [[pictures[place].file for place in group] for group in same],
        [[single[place].file for place in group] for group in alike],
    )


def _look_at(file, image_shape, fit, background):
    """A `Picture`, or (path, reason) of a file that cannot be used."""
    try:
        image_files.check_file(file)
        with open(file, "rb") as stream:
            data = stream.read()
        with Image.open(io.BytesIO(data), formats=decode.FORMATS) as image:
            header, animated = image_files.header_of(image), _is_animated(image)
        # Training's own decoding: what it takes is what training takes.
        fitted = decode.decode(io.BytesIO(data), image_shape, fit, background)
    except Exception as problem:  # Pillow has no one class for a bad picture
        return file, image_files.reason(problem)
    digest = hashlib.sha256(data).digest()
    return Picture(file, header, animated, digest, duplicates.perceptual_hash(fitted))


def _is_animated(image):
    if image.format == "MPO":  # a phone's depth map or the like, and no animation
        return False
    try:
        return getattr(image, "is_animated", False)
    except Exception:  # damaged behind the first frame, which alone is used
        return True


def _count_classes(folder, paths, pictures):
    """({subfolder: pictures that can be used}, what is odd about it or None)."""
    places = [image_files.subfolder(folder, path) for path in paths]
    counts = dict.fromkeys(sorted(set(places) - {None}), 0)
    for picture in pictures:
        place = image_files.subfolder(folder, picture.file)
        if place is not None:
            counts[place] += 1
    beside = places.count(None)
    if not counts:
        return counts, None
    if beside:
        return counts, f"no classes to train with: beside the subfolders lie {beside:,} files"
    if len(counts) == 1:
        return counts, "no classes to train with: a single subfolder"
    least, most = min(counts, key=counts.get), max(counts, key=counts.get)
    if not counts[least]:
        return counts, f"a class without a picture that can be used: {least}"
    if counts[most] >= UNBALANCED * counts[least]:
        times = counts[most] // counts[least]
        return counts, f"unbalanced: {most} has {times} times the pictures of {least}"
    return counts, None


def _remarks(pictures, listing, image_shape, fit):
    """{what: [(path, detail), ...]} of what is odd about pictures and files."""
    height, width, _ = image_shape
    wrong, small, long, animated, converted = [], [], [], [], []
    for picture in pictures:
        file, header = picture.file, picture.header
        size = f"{header.size[1]}x{header.size[0]}"
        if not file.lower().endswith(SUFFIXES_OF[header.format]):
            wrong.append((file, f"{header.format} by its content"))
        if image_files.is_scaled_up(header.size, image_shape, fit):
            small.append((file, size))
        shape = header.size[0] / header.size[1] / (width / height)
        if min(shape, 1 / shape) < 0.5:
            long.append((file, size))
        if picture.animated:
            animated.append((file, header.format))
        if header.deep or header.mode == "CMYK":
            converted.append((file, header.channels))
    remarks = {
        "named for another format": wrong,
        f"smaller than {height}x{width}, scaled up": small,
        "cut by more than half" if fit == "crop" else "padded to more than twice their area": long,
        "animated, of which the first frame alone is used": animated,
        "converted to 8 bits of grey or colour": converted,
        "of kinds that kgan does not read, left out": [(path, "") for path in listing.unread],
        "linked folders, not followed": [(path, "") for path in listing.links],
    }
    return {what: found for what, found in remarks.items() if found}


def preview(report, augment=("flip",)):
    """Pictures as the model will see them, each over itself after augmentation.

    Args:
        report: a `Report` with at least one picture.
        augment: as for `kgan.data.from_folder`.

    Returns:
        uint8 array (H', W', C), rows of pictures and of augmented ones in turn;
        the pictures are taken evenly from the whole folder.
    """
    columns = max(2, min(8, PREVIEW_WIDTH // report.image_shape[1]))
    last = len(report.pictures) - 1
    chosen = sorted(set(np.linspace(0, last, columns * PREVIEW_ROWS).astype(int).tolist()))
    how = (report.image_shape, report.fit, report.background)
    before = np.stack([decode.decode(report.pictures[place].file, *how) for place in chosen])
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
