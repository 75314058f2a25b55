"""The pickles of CIFAR-10 and CIFAR-100, read without running anything that they name."""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable
from typing import Any

import numpy as np

MOST_TUPLES = 1000  # an array has four; the hash of one in another and so on takes Python's stack
UNSIGNED_BYTE = ("u1", "uint8", b"u1", b"uint8")


class _Type:
    """What stands for numpy.dtype: its name alone."""

    def __init__(self, name: str | bytes, *_: Any) -> None:
        self.name = name

    def __setstate__(self, state: Any) -> None:
        """Takes the byte order and what else NumPy keeps, which a byte has no use for."""


class _Array:
    """What stands for an array: its state, of which any number can share one long text."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        """Takes (version, shape, type, whether by columns, bytes)."""
        self.state = state

    def content(self) -> np.ndarray:
        """The array, made anew each time."""
        _, shape, kind, by_columns, data = self.state
        if not isinstance(kind, _Type) or kind.name not in UNSIGNED_BYTE:
            raise pickle.UnpicklingError("an array of something else than unsigned bytes")
        raw = data.encode("latin-1") if isinstance(data, str) else data
        flat = np.frombuffer(raw, np.uint8)
        return flat.reshape(shape[::-1]).T if by_columns else flat.reshape(shape)


def _reconstruct(*_: Any) -> _Array:
    return _Array()


KNOWN: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
}


class _Reader(pickle.Unpickler):
    """An Unpickler that knows what an array of NumPy's is made of, and no other global.

    Even that is never called: what stands for it here keeps what it is given.
    """

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        """As `pickle.Unpickler.find_class`; raises an UnpicklingError for anything else."""
        if (module, name) not in KNOWN:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is not run")
        return KNOWN[module, name]


def read_pickle(data: bytes) -> dict[str, Any]:
    """The dict in one of the files of a CIFAR archive.

    Args:
        data: the file.

    Returns:
        Its entries; texts are decoded as Latin-1, and `data` is a uint8 array.

    Raises:
        Exception: it holds something else, is damaged or names a global that such files do not
            have; `pickle` has no single class for that.
    """
    tuples = 0
    for code, argument, _ in pickletools.genops(data):
        tuples += code.name.startswith("TUPLE")
        # Python makes room for every number up to this one.
        if code.name in ("PUT", "LONG_BINPUT") and int(argument or 0) > len(data):
            raise pickle.UnpicklingError(f"a note numbered {argument:,}")
    if tuples > MOST_TUPLES:
        raise pickle.UnpicklingError(f"{tuples:,} tuples")
    content = _Reader(io.BytesIO(data), encoding="latin-1").load()
    if not isinstance(content, dict):
        raise pickle.UnpicklingError(f"a {type(content).__name__} and no dict")
    texts = {k.decode("latin-1") if isinstance(k, bytes) else k: v for k, v in content.items()}
    array = texts.get("data")
    return {**texts, "data": array.content()} if isinstance(array, _Array) else texts
