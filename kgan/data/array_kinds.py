"""Which files hold arrays of images, and what reads each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kgan.data import idx_files
from kgan.data.array_files import Arrays, load_arrays
from kgan.data.cifar_files import is_cifar, load_cifar
from kgan.data.idx_files import load_idx
from kgan.data.mat_files import load_mat

Reader = Callable[[Path, bool], Arrays]  # (path, whether labels are read too)
BY_SUFFIX: dict[str, Reader] = {".npz": load_arrays, ".npy": load_arrays, ".mat": load_mat}


def array_reader(path: Path, split: str | None = None) -> Reader | None:
    """What reads the arrays at a path; None where there are none, by its name.

    Args:
        path: a .npz or .npy file, an IDX file, SVHN's .mat, or CIFAR as
            `kgan.data.cifar_files.is_cifar` knows it.
        split: of CIFAR.
    """
    if is_cifar(path):
        return lambda path, with_labels: load_cifar(path, with_labels, split)
    if path.is_dir():
        return None
    if idx_files.NAME.search(path.name):
        return load_idx
    return BY_SUFFIX.get(path.suffix.lower())
