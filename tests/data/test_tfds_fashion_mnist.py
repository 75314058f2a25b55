"""`tfds:fashion_mnist`, whole and without network, from Debian's dataset-fashion-mnist.

tensorflow_datasets takes them for the originals only when their SHA-256 is that of its own list.
"""

import gzip
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kgan

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
# Debian packs the files without name and time; the originals' headers have both.
TIMES = {"train": 1504176606, "t10k": 1504176627}
SCRIPT = """
import sys
import numpy as np
import kgan

directory, result = sys.argv[1:]
arrays = {}
for split in ("train", "test"):
    source = kgan.data.open_source("tfds:fashion_mnist", split=split, manual_dir=directory)
    assert source.image_shape == (28, 28, 1), source.image_shape
    parts = list(source.read(source.examples().batch(1000)))
    arrays[split] = np.concatenate([pictures for pictures, _ in parts])
    arrays[f"{split}_labels"] = np.concatenate([labels for _, labels in parts])
np.savez(result, **arrays, classes=source.class_names)
"""


def with_original_header(path):
    """The bytes of the file as its authors published it."""
    packed = path.read_bytes()
    flags, end = packed[3], 10
    if flags & 8:  # a name
        end = packed.index(b"\0", end) + 1
    seconds = TIMES[path.name.split("-")[0]]
    header = b"\x1f\x8b\x08\x08" + struct.pack("<I", seconds) + packed[8:9] + b"\x03"
    return header + path.name.removesuffix(".gz").encode() + b"\0" + packed[end:]


def idx(name, offset):
    """The numbers of an IDX file, read here without any library for it."""
    with gzip.open(DEBIAN / f"{name}.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


@pytest.mark.slow
@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_the_whole_set_is_prepared_from_a_manual_dir(tmp_path):
    manual = tmp_path / "manual"
    manual.mkdir()
    for path in DEBIAN.glob("*.gz"):
        (manual / path.name).write_bytes(with_original_header(path))
    environment = os.environ | {
        "TFDS_DATA_DIR": str(tmp_path / "prepared"),
        "PYTHONPATH": str(Path(kgan.__file__).parents[1]),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, manual, tmp_path / "all.npz"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(tmp_path / "all.npz") as found:
        for split, name, count in (("train", "train", 60_000), ("test", "t10k", 10_000)):
            pictures = idx(f"{name}-images-idx3-ubyte", 16).reshape(count, 28, 28)
            labels = idx(f"{name}-labels-idx1-ubyte", 8)
            # tfds shuffles as it prepares: the same pictures with the same classes, as sets.
            expected = sorted(
                picture.tobytes() + bytes([label])
                for picture, label in zip(pictures, labels, strict=True)
            )
            received = sorted(
                picture.tobytes() + bytes([label])
                for picture, label in zip(
                    found[split][..., 0], found[f"{split}_labels"], strict=True
                )
            )
            assert received == expected
        assert found["classes"].tolist()[:2] == ["T-shirt/top", "Trouser"]
