"""Packages that only some kinds of data need: those of `kgan[data]`."""

from __future__ import annotations

import importlib
from typing import Any

from kgan.errors import InputError


def import_extra(module: str, what: str) -> Any:
    """Imports a module of a package that not everybody has.

    Args:
        module: its name.
        what: needs it, for the message, such as "A .parquet file".

    Raises:
        InputError: it is not installed.
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ImportError:
        raise InputError(
            f"{what} needs {package}: pip install 'kgan[data]'. Received: no {package}"
        ) from None
