"""TensorFlow without its chatter."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Iterator


def import_tensorflow() -> None:
    """Imports TensorFlow without the lines that it writes to stderr.

    Its C++ part writes them before any log level is heeded; they would
    bury the one line that tells a user what was wrong.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Half a million objects that stay: looking among them for garbage takes a tenth of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        with shut_stderr():
            import tensorflow  # noqa: F401
    finally:
        if collecting:
            gc.enable()


@contextlib.contextmanager
def shut_stderr() -> Iterator[None]:
    """Shuts the process's stderr, for what C++ writes there past Python."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
