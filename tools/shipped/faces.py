"""How well a generator draws the attributes of faces that are asked of it."""

import keras
import numpy as np
from make_embedded_faces import NAMES, faces

from shipped.judge import distances, network

TEST = 2_000
JUDGED = 8_000  # the judge learns from as many, which no model was trained on
FIRST = 1_000_000  # of the numbers of faces that are drawn for the judge alone
FIRST_SEED = 3_000_000
SWITCHES = 2  # the first of NAMES are 0 or 1


def loss(asked, seen):
    """Binary cross-entropy of the switches and squared error of the numbers."""
    ops = keras.ops
    switches = keras.losses.binary_crossentropy(
        asked[:, :SWITCHES], seen[:, :SWITCHES], from_logits=True
    )
    return switches + ops.mean(ops.square(asked[:, SWITCHES:] - seen[:, SWITCHES:]), -1)


def agreement(asked, seen):
    """What is right of the switches, r of the numbers, as one text."""
    said = []
    for place, name in enumerate(NAMES):
        if place < SWITCHES:
            right = ((seen[:, place] > 0) == (asked[:, place] > 0.5)).mean()
            said.append(f"{name} {right:.1%}")
        else:
            said.append(f"{name} r {np.corrcoef(asked[:, place], seen[:, place])[0, 1]:.3f}")
    return ", ".join(said)


def quality(model, directory):
    """What the judge says, as lines of the card; `directory` is not needed."""
    images, attributes = faces(JUDGED + TEST, first=FIRST)
    train, test = (slice(JUDGED), slice(JUDGED, None))
    judge, features = network(images.shape[1:], len(NAMES))
    judge.compile("adam", loss)
    judge.fit(images[train], attributes[train], batch_size=128, epochs=12, verbose=2)
    drawn = model.generate(TEST, seed=FIRST_SEED, labels=attributes[test])
    of_drawn, of_real = (
        agreement(attributes[test], judge.predict(pictures, verbose=0))
        for pictures in (drawn, images[test])
    )
    return {
        "attributes a judge sees": (
            f"{of_drawn}, of {TEST:,} drawn pictures; of as many real ones: {of_real}"
        )
    } | distances(features, drawn, images[test], images[:TEST])
