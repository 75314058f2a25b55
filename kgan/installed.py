"""What of kgan is installed: the whole, or `kgan-runtime` alone, which reads exports."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from kgan.errors import NotInstalled


def is_whole() -> bool:
    """Whether the whole is: what trains is there. Imports nothing of it."""
    spec = importlib.util.find_spec("kgan.training")
    return spec is not None and spec.origin is not None  # None of a folder that was left behind


def needs_whole(what: str) -> NotInstalled:
    """The error that says what to install for something."""
    return NotInstalled(
        f"{what} needs the whole kgan; kgan-runtime, which is installed, only reads exports: "
        "pip install kgan"
    )


def import_part(module: str, what: str) -> ModuleType:
    """Imports a module of kgan's.

    Args:
        module: its full name.
        what: is in it, for the message.

    Raises:
        NotInstalled: it is not in `kgan-runtime`, or needs what that does not.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        if is_whole():
            raise
        raise needs_whole(what) from None
