"""`strips`: what directions in latents do to images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kgan.directions import DIRECTIONS_FILE, REACH, Direction, keep_directions
from kgan.errors import InputError
from kgan.explore.picture import UNWRITABLE, Finding, captioned, enlarged, stacked
from kgan.explore.subject import Subject, as_subject
from kgan.files import writing
from kgan.images import grid

COLUMNS = 7
SEEDS = (0, 1, 2, 3)


def strips(
    model: Any,
    directions: Sequence[Direction],
    seeds: Sequence[int] = SEEDS,
    *,
    labels: npt.ArrayLike | None = None,
    columns: int = COLUMNS,
) -> Finding:
    """The images of some seeds moved along directions, a row each, strengths from -3 to 3.

    Args:
        model: a `Subject`, or a model that one can be made of.
        directions: at least one.
        seeds: at least one; in the middle of its row is the image of `generate`.
        labels: as for `Subject.labels_of`.
        columns: images of a row, an odd number of at least 3.

    Returns:
        A `Finding`; the figures say how much images change, the root mean square of levels.

    Raises:
        InputError: no directions or seeds, or an even number of columns.
    """
    subject = as_subject(model)
    if not directions or not seeds or columns < 3 or columns % 2 == 0:
        raise InputError(
            "Strips need directions, seeds and an odd number of columns from 3 up. Received: "
            f"{len(directions)} directions, {len(seeds)} seeds, {columns} columns"
        )
    latents = subject.latents(seeds)
    classes = subject.labels_of(seeds, labels)
    strengths = np.linspace(-REACH, REACH, columns).astype(np.float32)
    strengths[columns // 2] = 0
    sheets, figures, lines = [], [], []
    for direction in directions:
        moved = latents[:, None] + strengths[:, None] * direction.vector
        repeated = None if classes is None else np.repeat(classes, columns, axis=0)
        images = subject.draw(moved.reshape(-1, moved.shape[-1]), repeated)
        rows = images.reshape(len(seeds), columns, *images.shape[1:]).astype(np.float64)
        apart = (rows - rows[:, columns // 2, None]) ** 2
        change = np.sqrt(apart.mean(axis=(2, 3, 4))).mean(axis=0)
        sheets.append(captioned(direction.name, grid(enlarged(images), columns=columns)))
        figures.append({"name": direction.name, "how": direction.how, "change": change})
        lines.append(
            f"{direction.name}: {direction.how}; pictures change by {change[0]:.1f} levels at "
            f"-{REACH:g} and {change[-1]:.1f} at {REACH:g}"
        )
    facts = {
        "experiment": "direction",
        "seeds": list(seeds),
        "labels": classes,
        "strengths": strengths,
        "directions": figures,
    }
    return Finding(stacked(sheets), facts, tuple(lines))


def keep(model: Subject, directions: Sequence[Direction]) -> Path:
    """Keeps directions beside a model, for its next export and its page.

    Args:
        model: opened from a path.
        directions: at least one; those kept before under the same names are replaced.

    Returns:
        The path of its `directions.json`.

    Raises:
        InputError: the model is in memory alone, what is there cannot be read, or it cannot be
            written there.
    """
    if model.place is None:
        raise InputError("A model in memory has no place to keep directions. Received: no path")
    path = model.place / f"{model.prefix}{DIRECTIONS_FILE}"
    with writing(UNWRITABLE, path):
        return keep_directions(path, directions)
