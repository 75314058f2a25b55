"""Loads and runs spoiled exports one after the other; its parent sees where it dies.

Arguments: a good .onnx file, a place for spoiled ones, the first seed, how many. A line is printed
before each seed and one after it, with what came of it; the last one is the most memory it took.
"""

import sys
import time
import warnings
from pathlib import Path

import numpy as np

from kgan.errors import InputError
from kgan.runtime import Generator
from tests.untrusted.mutations import mutated


def outcome(path):
    """What a spoiled file comes to: "refused" or "drawn", as promised; anything else raises."""
    try:
        generator = Generator(path)
        made = generator.generate(3)
    except InputError as error:
        text = str(error)
        assert text.isprintable(), f"not one clear line: {text!r}"
        assert len(text) < 1500, f"no short line: {len(text)}"
        return "refused " + text
    promised = generator.info["output"]["shape"][1:]
    assert made.dtype == np.uint8
    assert list(made.shape) == [3, *promised]
    return "drawn"


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # weights that are not finite any more
    good, place = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
    first, count = map(int, sys.argv[3:])
    for seed in range(first, first + count):
        name, data = mutated(good, seed)
        path = place / "spoiled.onnx"
        path.write_bytes(data)
        print(f"{seed} {name}", flush=True)
        start = time.perf_counter()
        result = outcome(path)
        print(f"{seed} {time.perf_counter() - start:.3f} {result}", flush=True)
    # Of this program; ru_maxrss would begin with what its parent had when it forked.
    print(next(line.split()[1] for line in open("/proc/self/status") if line[:6] == "VmHWM:"))
