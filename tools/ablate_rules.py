#!/usr/bin/env python3
"""Trains DCGANs that each leave out one of the paper's rules, for the same processor time.

    .venv/bin/python tools/ablate_rules.py TRAIN TEST OUT [--features JUDGE.onnx]
        [--cpu-minutes 10] [--seeds 0 1 2] [--arms "ReLU in D" ...]

What is each rule for? Beside the paper's own: real and fake images in one batch of the
discriminator, ReLU in it, max pooling in the place of strides, a Dense layer kept in both
networks, and spectral or no normalisation in the place of batch normalisation. TRAIN and TEST are
pictures of 28x28x1, as tools/bench_peers.py takes them; the widths are an eighth of the paper's.
OUT keeps each arm's images (.npz) and results as they come; what is there is not repeated. The
table is printed at the end, and OUT/rules.png has a row of each arm's first pictures.
"""

import numpy as np
from bench_peers import NARROW, compare, images_of, train_other

ARMS = [
    "as in the paper",
    "real and fake in one batch",
    "ReLU in D",
    "max pooling in D",
    "a Dense layer kept in G and D",
    "spectral norm in D",
    "no norm in D",
]
SHOWN = 16


def sheet(out, arms, seed):
    """Writes a row of each arm's first pictures; the arms that there are, in their order."""
    from kgan.explore.picture import captioned, enlarged, stacked
    from kgan.images import grid, save_png

    rows = []
    for arm in arms:
        file = images_of(out, ARMS, arm, seed)
        if file.exists():
            with np.load(file) as made:
                shown = enlarged(made["images"][:SHOWN])
            rows.append(captioned(arm, grid(shown, columns=SHOWN)))
    save_png(out / "rules.png", stacked(rows), drawn=True)


def train_arm(arm, seed, settings, results, pictures, images):
    """Trains an arm; facts of the training."""
    return train_other(("rules", arm, NARROW), settings, seed, pictures, images)


def main():
    """Trains what is missing, prints the table and draws the sheet."""
    arguments = compare(__doc__.splitlines()[0], ARMS, train_arm)
    sheet(arguments.out, arguments.arms, arguments.seeds[0])


if __name__ == "__main__":
    main()
