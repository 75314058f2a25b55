"""One figure over the steps of a training, as a small picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

LABEL_HEIGHT = 14  # pixels, of Pillow's own font


def curve(
    points: Sequence[tuple[int, float]], title: str, width: int, height: int = 120
) -> np.ndarray:
    """Draws points with lines between them, the smallest marked.

    Args:
        points: (step, figure), at least one, by ascending steps.
        title: what stands above.
        width, height: of the picture in pixels.

    Returns:
        uint8 array (height, width, 1), dark on white.
    """
    picture = Image.new("L", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    steps, figures = (np.array(column, float) for column in zip(*points, strict=True))
    left, right, top, bottom = 4, width - 5, 2 * LABEL_HEIGHT, height - LABEL_HEIGHT - 4
    low, high = figures.min(), figures.max()
    across = (steps - steps[0]) / max(1.0, steps[-1] - steps[0])
    up = (figures - low) / (high - low if high > low else 1.0)
    places = [
        (left + (right - left) * x, bottom - (bottom - top) * y)
        for x, y in zip(across, up, strict=True)
    ]
    if len(places) > 1:
        draw.line(places, fill=90, width=1)
    for x, y in places:
        draw.ellipse((x - 1, y - 1, x + 1, y + 1), fill=0)
    best = int(figures.argmin())
    x, y = places[best]
    draw.ellipse((x - 3, y - 3, x + 3, y + 3), outline=0)
    draw.text((2, 1), f"{title}: {high:.3g} to {low:.3g}, at step {int(steps[best]):,}", fill=0)
    draw.text((2, height - LABEL_HEIGHT), f"step {int(steps[0]):,}", fill=0)
    last = f"{int(steps[-1]):,}"
    draw.text((width - 2 - draw.textlength(last), height - LABEL_HEIGHT), last, fill=0)
    return np.asarray(picture)[..., None]
