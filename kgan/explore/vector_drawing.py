"""Rectangles, lines and text, as SVG and as pixels alike."""

from __future__ import annotations

import html
from typing import NamedTuple, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kgan.explore.picture import text_width

Colour: TypeAlias = tuple[int, int, int]
DARK: Colour = (40, 44, 52)
ARROW = 5  # half the width of an arrow's head, in pixels
ELLIPSIS = "..."


class Rectangle(NamedTuple):
    """A filled rectangle with a thin dark edge."""

    left: float
    top: float
    width: float
    height: float
    fill: Colour


class Arrow(NamedTuple):
    """Lines through points (x, y), with a head at the last, which is reached straight."""

    points: tuple[tuple[float, float], ...]


class Line(NamedTuple):
    """Lines through points (x, y)."""

    points: tuple[tuple[float, float], ...]
    colour: Colour = DARK


class Area(NamedTuple):
    """What points (x, y) enclose, without an edge."""

    points: tuple[tuple[float, float], ...]
    fill: Colour


class Text(NamedTuple):
    """One line of text; `left` and `top` are the corner of it, `size` its height in pixels."""

    left: float
    top: float
    text: str
    size: int
    colour: Colour = DARK


Shape: TypeAlias = Rectangle | Arrow | Line | Area | Text


class Drawing(NamedTuple):
    """Shapes on white.

    Attributes:
        width, height: in pixels.
        shapes: what is drawn, in that order.
    """

    width: int
    height: int
    shapes: tuple[Shape, ...]

    def to_svg(self) -> str:
        """The text of an SVG file, which needs no font and no file beside it."""
        size = f'width="{self.width}" height="{self.height}"'
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
            f'viewBox="0 0 {self.width} {self.height}" '
            'font-family="Helvetica, Arial, sans-serif">',
            f'<rect {size} fill="white"/>',
            *map(_svg, self.shapes),
            "</svg>",
        ]
        return "\n".join(lines) + "\n"

    def to_pixels(self, scale: int = 2) -> np.ndarray:
        """uint8 array (height * scale, width * scale, 3)."""
        picture = Image.new("RGB", (self.width * scale, self.height * scale), "white")
        draw = ImageDraw.Draw(picture)
        for shape in self.shapes:
            _paint(draw, shape, scale)
        return np.asarray(picture)


def cut_to(text: str, width: float, size: int) -> str:
    """The text, or as much of its beginning as is that wide, and dots."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + ELLIPSIS, size) > width:
        text = text[:-1]
    return text + ELLIPSIS


def _head(arrow: Arrow) -> list[tuple[float, float]]:
    """The corners of an arrow's head."""
    (x0, y0), (x, y) = arrow.points[-2:]
    across, down = np.sign(x - x0), np.sign(y - y0)
    back = (x - across * 2 * ARROW, y - down * 2 * ARROW)
    aside = (down * ARROW, across * ARROW)
    return [
        (x, y),
        (back[0] + aside[0], back[1] + aside[1]),
        (back[0] - aside[0], back[1] - aside[1]),
    ]


def _svg(shape: Shape) -> str:
    if isinstance(shape, Rectangle):
        left, top, width, height, fill = shape
        return (
            f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="4" '
            f'fill="rgb{fill}" stroke="rgb{DARK}"/>'
        )
    if isinstance(shape, Arrow):
        return _svg(Line(shape.points)) + _svg(Area(tuple(_head(shape)), DARK))
    if isinstance(shape, (Line, Area)):
        points = " ".join(f"{x:g},{y:g}" for x, y in shape.points)
        if isinstance(shape, Area):
            return f'<polygon points="{points}" fill="rgb{shape.fill}"/>'
        stroke = f'stroke="rgb{shape.colour}" stroke-width="1.5"'
        return f'<polyline points="{points}" fill="none" {stroke}/>'
    left, top, text, size, colour = shape
    words = html.escape(text, quote=False)
    baseline = top + 0.8 * size
    return (
        f'<text x="{left:g}" y="{baseline:g}" font-size="{size}" fill="rgb{colour}">{words}</text>'
    )


def _paint(draw: ImageDraw.ImageDraw, shape: Shape, scale: int) -> None:
    if isinstance(shape, Rectangle):
        left, top, width, height, fill = shape
        box = tuple(scale * edge for edge in (left, top, left + width, top + height))
        draw.rounded_rectangle(box, 4 * scale, fill=fill, outline=DARK, width=scale)
    elif isinstance(shape, Arrow):
        _paint(draw, Line(shape.points), scale)
        _paint(draw, Area(tuple(_head(shape)), DARK), scale)
    elif isinstance(shape, (Line, Area)):
        points = [(scale * x, scale * y) for x, y in shape.points]
        if isinstance(shape, Area):
            draw.polygon(points, fill=shape.fill)
        else:
            draw.line(points, fill=shape.colour, width=round(1.5 * scale))
    else:
        font = ImageFont.load_default(scale * shape.size)
        place = (scale * shape.left, scale * shape.top)
        draw.text(place, shape.text, fill=shape.colour, font=font)
