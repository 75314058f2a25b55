"""Animations as MP4, where `kgan[explore]` is installed."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kgan.errors import InputError
from kgan.explore.picture import UNWRITABLE, in_colour
from kgan.files import whole_file, writing


def check_mp4() -> None:
    """Raises an InputError where imageio-ffmpeg is not installed."""
    try:
        import imageio_ffmpeg  # noqa: F401
    except ImportError:
        raise InputError(
            "An .mp4 file needs imageio-ffmpeg: pip install 'kgan[explore]'. "
            "Received: no imageio-ffmpeg"
        ) from None


def save_mp4(
    path: str | os.PathLike[str], frames: Iterable[np.ndarray], milliseconds: int = 60
) -> Path:
    """Writes a video of H.264, whole or not at all.

    Args:
        path: the .mp4 file to write.
        frames: uint8 arrays (H, W, C), C 1, 3 or 4, of one shape, at least one. Of an odd side
            the last row or column is repeated, as the codec takes even ones.
        milliseconds: how long each frame is shown.

    Raises:
        InputError: imageio-ffmpeg is not installed, or it cannot be written there.
    """
    check_mp4()
    import imageio_ffmpeg

    rest = iter(frames)
    first = next(rest)
    height, width = first.shape[:2]
    odd = ((0, height % 2), (0, width % 2), (0, 0))
    size = (width + width % 2, height + height % 2)
    with writing(UNWRITABLE, path), whole_file(path) as temporary:
        writer = imageio_ffmpeg.write_frames(
            str(temporary),
            size,
            fps=1000 / milliseconds,
            macro_block_size=2,
            ffmpeg_log_level="quiet",  # what it says names the temporary file
        )
        writer.send(None)
        try:
            for frame in itertools.chain([first], rest):
                writer.send(np.ascontiguousarray(np.pad(in_colour(frame), odd, mode="edge")))
            writer.close()
            if not temporary.stat().st_size:
                raise OSError
        except OSError:  # ffmpeg has ended; its command, which names that file too, is the message
            raise OSError(errno.EIO, "ffmpeg cannot write it") from None
    return Path(path)
