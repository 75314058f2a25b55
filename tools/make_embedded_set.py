#!/usr/bin/env python3
"""Makes the embedded set: the first 600 pictures of each class of Fashion-MNIST's training set.

    tools/make_embedded_set.py DIRECTORY OUTPUT.npz [PER_CLASS]

PER_CLASS other than 600, such as all 6000, makes a file for `kgan train`, which has the names of
the classes too. DIRECTORY holds train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz, as
Debian's package dataset-fashion-mnist installs them. The same input gives the
same bytes.
"""

import io
import sys
import zipfile
from pathlib import Path

import numpy as np

from kgan.data.embedded_sets import FASHION
from kgan.data.idx_files import read_idx

PER_CLASS = 600


def main(directory, output, per_class=PER_CLASS):
    """Writes the set."""
    per_class = int(per_class)
    labels = read_idx(Path(directory) / "train-labels-idx1-ubyte.gz")
    images = read_idx(Path(directory) / "train-images-idx3-ubyte.gz")
    rows = np.sort(np.concatenate([np.flatnonzero(labels == c)[:per_class] for c in range(10)]))
    arrays = {"images": images[rows], "labels": labels[rows]}
    if per_class != PER_CLASS:  # kgan has them for its own
        arrays["class_names"] = np.array(FASHION)
    with zipfile.ZipFile(output, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array)
            # numpy.savez stamps the time of day into the archive; this date is the format's zero.
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, content.getvalue(), zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
