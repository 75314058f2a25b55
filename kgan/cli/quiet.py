"""Importing TensorFlow without its start-up chatter."""

import os


def import_tensorflow():
    """Imports TensorFlow with the process's stderr shut.

    Its C++ part writes lines there before any log level is heeded; they would
    bury the one line that tells a user what was wrong.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import tensorflow  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
