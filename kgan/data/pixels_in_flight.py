"""A bound on the pixels that all threads together decode at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from kgan import memory

# Bytes that Pillow takes for a pixel while it is decoded, turned, made opaque and converted.
BYTES_PER_PIXEL = 16
SMALL = 2**21  # pixels of an image that any number of threads may decode together
LEAST = 2**25  # pixels that may be in flight however little memory is free
SHARE = 4  # of what is free, a part for pixels


class PixelsInFlight:
    """Lets a thread decode a large image while those under way leave room for it.

    A limit on each image is not enough: every thread may be at one. An image that is larger than
    all that may be in flight is decoded alone.

    Args:
        most: gives the pixels that may be in flight; None for a share of the memory that is free.
    """

    def __init__(self, most: Callable[[], int] | None = None) -> None:
        self._most = most or _share_of_free
        self._changed = threading.Condition()
        self._pixels = 0

    @contextlib.contextmanager
    def holding(self, pixels: int) -> Iterator[None]:
        """Context manager: waits for room for an image of so many pixels, and takes it."""
        if pixels <= SMALL:
            yield
            return
        with self._changed:
            self._changed.wait_for(
                lambda: not self._pixels or self._pixels + pixels <= self._most()
            )
            self._pixels += pixels
        try:
            yield
        finally:
            with self._changed:
                self._pixels -= pixels
                self._changed.notify_all()


def _share_of_free() -> int:
    return max(LEAST, memory.free() // (SHARE * BYTES_PER_PIXEL))
