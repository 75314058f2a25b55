"""What is logged of images that are skipped: a line each, or few where the disk fails."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

from kgan.files import printable

LOG = logging.getLogger("kgan")
FOLDERS_TOLD = 10  # of which the disk fails to give images
MORE = f"pictures of more folders than these {FOLDERS_TOLD}"


class SkippedLines:
    """Says that images are skipped; of those that the disk fails to give, once a folder.

    Args:
        gone: how many of the images in a folder are no longer there; None to say nothing.
    """

    def __init__(self, gone: Callable[[str], int] | None) -> None:
        self._gone = gone
        self._one = threading.Lock()  # of the threads that decode
        self._told: set[tuple[str, str]] = set()  # (folder, why its images cannot be read)

    def tell(self, name: str, reason: str, problem: Exception, count: int) -> None:
        """Logs a line, or none where its folder has been told.

        Args:
            name: which image.
            reason, problem: why, in words, and as the exception.
            count: images skipped so far.
        """
        if self._gone is None:
            return
        with self._one:
            others = self._others(os.path.dirname(name), reason, problem)
            if others is not None:
                what = f"{printable(name, None)}{others}: {reason}" if others != MORE else MORE
                LOG.warning("skipped %s (%d skipped so far)", what, count)

    def _others(self, place: str, reason: str, problem: Exception) -> str | None:
        """What is said beside an image: of others of its folder, `MORE`, or None for no line."""
        if not getattr(problem, "errno", None):
            return ""
        if (place, reason) in self._told or len(self._told) > FOLDERS_TOLD:
            return None
        self._told.add((place, reason))
        if len(self._told) > FOLDERS_TOLD:
            return MORE
        lost = isinstance(problem, FileNotFoundError)
        gone = self._gone(place) if self._gone is not None and lost else 0
        return f", and {gone - 1:,} more of its folder" if gone > 1 else ""
