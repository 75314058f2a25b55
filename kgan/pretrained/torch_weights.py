"""Reads the weights in a file of `torch.save`, without torch.

Such a file is a pickle, a program that could do anything: this reader lets it make an
OrderedDict of tensors and nothing else.
"""

from __future__ import annotations

import collections
import io
import pickle
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from kgan.errors import InputError
from kgan.files import first_line, printable

# What a file of PyTorch 0.1 to 1.5 begins with.
MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001


class _Kind(NamedTuple):
    """A class of storages."""

    dtype: str


class _Storage:
    """The values that tensors are views of; the file has them after its pickles."""

    def __init__(self, kind: _Kind, count: int) -> None:
        self.kind = kind
        self.count = count
        self.values = np.zeros(0, kind.dtype)


class _Tensor(NamedTuple):
    """A view of a storage: offset, shape and strides in values."""

    storage: _Storage
    offset: int
    shape: Sequence[int]
    strides: Sequence[int]

    def array(self) -> np.ndarray:
        last = self.offset + sum(
            (size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True)
        )
        if self.offset < 0 or min(self.strides, default=0) < 0 or last >= self.storage.count:
            raise ValueError("a tensor reaches beyond its storage")
        values = self.storage.values[self.offset :]
        steps = [stride * values.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(values, self.shape, steps).copy()


def _tensor(
    storage: _Storage,
    offset: int,
    shape: Sequence[int],
    strides: Sequence[int],
    requires_grad: bool,
    hooks: Mapping[str, Any],
) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


# What the pickles may name.
GLOBALS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): _Kind("<f4"),
    ("torch", "LongStorage"): _Kind("<i8"),
}


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        try:
            return GLOBALS[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module}.{name}") from None

    def persistent_load(self, saved: Any) -> _Storage:
        what, kind, key, _, count, view = saved
        if what != "storage" or not isinstance(kind, _Kind) or view is not None:
            raise pickle.UnpicklingError("it has something that is no storage")
        return self.storages.setdefault(key, _Storage(kind, count))


def read_weights(data: bytes) -> dict[str, np.ndarray]:
    """The tensors of a state dict as `torch.save` wrote it before PyTorch 1.6.

    Args:
        data: the file.

    Returns:
        Dict of name -> array, float32 or int64.

    Raises:
        InputError: it is no such file, or has anything but tensors in it.
    """
    file = io.BytesIO(data)
    try:
        if [_Reader(file).load(), _Reader(file).load()] != [MAGIC, PROTOCOL]:
            raise ValueError("it is not of PyTorch before 1.6")
        _Reader(file).load()  # sizes of C's types on the machine that wrote it
        reader = _Reader(file)
        tensors = reader.load()
        for key in _Reader(file).load():
            storage = reader.storages[key]
            count = int.from_bytes(file.read(8), "little")
            if count != storage.count:
                raise ValueError("a storage has another size than its tensors say")
            kind = np.dtype(storage.kind.dtype)
            storage.values = np.frombuffer(file.read(count * kind.itemsize), kind)
        if any(len(each.values) != each.count for each in reader.storages.values()):
            raise ValueError("a storage is missing")
        return {str(name): tensor.array() for name, tensor in tensors.items()}
    except Exception as error:  # a damaged pickle raises any class
        raise InputError(
            "Not readable as weights of PyTorch. Received: a file of which "
            f"{printable(first_line(error))}"
        ) from None
