"""The pictures of SVHN, from the .mat files that it is given out as, where SciPy is installed."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from kgan import memory
from kgan.data.array_files import Arrays
from kgan.data.extras import import_extra
from kgan.errors import InputError, KganError
from kgan.files import first_line, printable
from kgan.reading import check_file

# Nothing else is read: cells lie in one another, and SciPy follows them until the stack ends.
NUMBERS = ("uint8", "uint16", "int8", "int16", "int32", "uint32", "single", "double")
ZERO = 10  # the label of the digit 0 in these files


def load_mat(path: Path, with_labels: bool) -> Arrays:
    """`X` of a .mat file, pictures (H, W, C, N), and `y`, their labels, of which 10 is digit 0.

    Raises:
        InputError: no SciPy, no such file, one that cannot be read or has something else in it, or
            more than fits into memory.
    """
    reader = import_extra("scipy.io", "A .mat file")
    try:
        check_file(path)
        there = {name: of for name, *of in reversed(reader.whosmat(path))}  # the first of a name
        shapes = {name: shape for name, (shape, kind) in there.items() if kind in NUMBERS}
        if len(shapes.get("X", ())) != 4:
            raise InputError(
                "A .mat file is one of SVHN's, with pictures X (32, 32, 3, N). "
                f"Received: {path} with {printable(', '.join(there), 60) or 'nothing'}"
            )
        memory.check(f"The array X {shapes['X']}", 2 * math.prod(shapes["X"]), "fewer", path)
        wanted = ["X", "y"] if with_labels and "y" in shapes else ["X"]
        count = math.prod(shapes["y"]) if "y" in wanted else shapes["X"][-1]
        if count != shapes["X"][-1]:
            raise InputError(
                f"One label per picture is needed. Received: {shapes['X'][-1]:,} pictures and "
                f"{count:,} labels in {path}"
            )
        found = reader.loadmat(path, variable_names=wanted)
    except (KganError, MemoryError):
        raise
    except FileNotFoundError:
        raise InputError(f"No such file. Received: {path}") from None
    except Exception as problem:  # SciPy, zlib and struct each have their own
        raise InputError(f"Not a readable .mat file: {path} ({first_line(problem)})") from None
    images = np.ascontiguousarray(np.moveaxis(found["X"], -1, 0))
    if "y" not in found:
        return Arrays(images)
    labels = np.ravel(found["y"])
    return Arrays(images, np.where(labels == ZERO, 0, labels))
