"""Curves over the steps of a training, drawn one panel below another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour: TypeAlias = tuple[int, int, int]
BLUE: Colour = (31, 95, 191)
ORANGE: Colour = (214, 98, 16)
DARK, GREY, LIGHT = (40, 44, 52), (120, 124, 130), (226, 228, 231)
WIDTH, HEIGHT = 900, 230  # of a panel, in pixels
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 30, 26  # around where the curves are
FONT_SIZE = 13
SCALE = 2  # drawn larger, and made smaller for smooth lines
SHOWN = (1, 99)  # percentiles: a few steps far off do not flatten the rest
DASH = 6  # pixels


class Curve(NamedTuple):
    """A named curve through points (step, figure), by ascending steps."""

    name: str
    colour: Colour
    points: Sequence[tuple[int, float]]


class Panel(NamedTuple):
    """Curves in one pair of axes.

    Attributes:
        title: what stands above.
        curves: which; those without points are left out.
        level: what the figures are at the equilibrium of the game, drawn dashed; None for none.
        ends: of the axis; None for those of the figures.
    """

    title: str
    curves: Sequence[Curve]
    level: float | None = None
    ends: tuple[float, float] | None = None


def draw_panels(panels: Sequence[Panel]) -> np.ndarray:
    """Draws panels one below another; their steps are one axis.

    Args:
        panels: at least one; those without a point stay empty.

    Returns:
        uint8 array (H, W, 3), dark on white.
    """
    size = (SCALE * WIDTH, SCALE * HEIGHT * len(panels))
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    steps = [step for panel in panels for curve in panel.curves for step, _ in curve.points]
    last = max([1, *steps])
    for index, panel in enumerate(panels):
        _draw_panel(draw, panel, SCALE * HEIGHT * index, last)
    return np.asarray(picture.resize((size[0] // SCALE, size[1] // SCALE), Image.Resampling.BOX))


def _draw_panel(draw: ImageDraw.ImageDraw, panel: Panel, top: int, last: int) -> None:
    font = ImageFont.load_default(SCALE * FONT_SIZE)
    low, high = panel.ends or _ends(panel)
    left, right = SCALE * LEFT, SCALE * (WIDTH - RIGHT)
    above, below = top + SCALE * TOP, top + SCALE * (HEIGHT - BOTTOM)

    def place(step: float, figure: float) -> tuple[float, float]:
        up = min(1.0, max(0.0, (figure - low) / (high - low)))
        return left + (right - left) * step / last, below - (below - above) * up

    for tick in ticks(low, high):
        _, y = place(0, tick)
        draw.line((left, y, right, y), fill=LIGHT, width=SCALE)
        draw.text((left - 8, y), f"{tick:.6g}", fill=GREY, font=font, anchor="rm")
    for tick in ticks(0, last):
        x, _ = place(tick, low)
        anchor = "mt" if x < right - 60 else "rt"
        draw.text((x, below + 8), f"{tick:,.0f}", fill=GREY, font=font, anchor=anchor)
    draw.line((left, below, right, below), fill=GREY, width=SCALE)
    head = top + SCALE * TOP // 2
    draw.text((left, head), panel.title, fill=DARK, font=font, anchor="lm")
    words: list[tuple[str, Colour]] = []
    if panel.level is not None:
        _, y = place(0, panel.level)
        for x in range(left, right, 2 * SCALE * DASH):
            draw.line((x, y, min(right, x + SCALE * DASH), y), fill=DARK, width=SCALE)
        words.append((f"equilibrium {panel.level:.4g}", DARK))
    for curve in reversed(panel.curves):  # the first above the others
        points = [point for point in curve.points if math.isfinite(point[1])]
        if not points:
            continue
        places = [place(*point) for point in points]
        if len(places) > 1:
            draw.line(places, fill=curve.colour, width=round(1.5 * SCALE), joint="curve")
        x, y = places[-1]
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=curve.colour)
        words.append((f"{curve.name} {points[-1][1]:.3g}", curve.colour))
    x = right
    for text, colour in words:
        draw.text((x, head), text, fill=colour, font=font, anchor="rm")
        x -= int(draw.textlength(text, font=font)) + SCALE * 16


def _ends(panel: Panel) -> tuple[float, float]:
    """The ends of a panel's axis by its figures, the equilibrium included."""
    figures = [f for curve in panel.curves for _, f in curve.points if math.isfinite(f)]
    ends = list(np.percentile(figures, SHOWN)) if figures else []
    if panel.level is not None:
        ends.append(panel.level)
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    margin = 0.05 * (high - low) or max(0.5, 0.05 * abs(low))
    return float(low - margin), float(high + margin)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from `low` to `high`: 1, 2 or 5 times a power of ten apart, at most `most`."""
    least = (high - low) / most
    power = 10.0 ** math.floor(math.log10(least))
    apart = next(power * times for times in (1, 2, 5, 10) if power * times >= least)
    first, last = math.ceil(low / apart), math.floor(high / apart)
    return [0.0 if n == 0 else n * apart for n in range(first, last + 1)][: most + 1]
