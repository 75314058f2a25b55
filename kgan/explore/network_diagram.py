"""`diagram`: a network's layers, shapes and numbers of parameters as a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras

from kgan.errors import InputError
from kgan.explore.picture import UNWRITABLE, save_figures
from kgan.explore.subject import as_subject
from kgan.explore.vector_drawing import Arrow, Colour, Drawing, Rectangle, Shape, Text, cut_to
from kgan.files import put_in_place, staging_directory, writing
from kgan.images import save_png

WIDTH, HEIGHT = 250, 50  # of a box, in pixels
ABOVE, BETWEEN = 20, 44  # from box to box, and from column to column
MARGIN, TITLE = 24, 44
LINE = 17
ASPECT = 16 / 9  # of a slide
# What a class's name has in it -> the colour of its box; the first that fits.
COLOURS: tuple[tuple[str, Colour], ...] = (
    ("Input", (236, 236, 236)),
    ("Attention", (246, 214, 234)),
    ("Norm", (253, 243, 208)),
    ("Conv", (208, 226, 249)),
    ("Dense", (212, 238, 214)),
    ("Embedding", (212, 238, 214)),
    ("ReLU", (252, 224, 206)),
    ("Activation", (252, 224, 206)),
)
PLAIN: Colour = (250, 250, 250)


class Box(NamedTuple):
    """One layer.

    Attributes:
        name: of the layer.
        kind: its class, with the class that it wraps.
        shape: of its output, without the batch; None where the network does not say.
        parameters: numbers in it, trained or not.
        sources: names of the layers whose outputs it takes.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...] | None
    parameters: int
    sources: tuple[str, ...]


class Diagram(NamedTuple):
    """A network as a picture.

    Attributes:
        role: what the network is, such as "generator".
        drawing: the picture.
        boxes: its layers, in the order of their computation.
        parameters: of the whole network.
    """

    role: str
    drawing: Drawing
    boxes: list[Box]
    parameters: int

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.drawing.to_svg()


def diagram(model: Any) -> list[Diagram]:
    """The diagrams of a model's networks: its generator and discriminator, or those it has.

    Args:
        model: a `Subject`, or a model that one can be made of.

    Raises:
        InputError: no Keras network is at hand.
    """
    subject = as_subject(model)
    networks = subject.require_networks()
    own = getattr(subject.model, "roles", ())
    roles = list(own) if own and subject.is_autoencoder else ["network"]
    if len(networks) == 2 and not subject.is_autoencoder:
        roles = ["discriminator", "generator"]
    return [_diagram(role, network) for role, network in zip(roles, networks, strict=True)]


def _diagram(role: str, network: keras.Model) -> Diagram:
    boxes = boxes_of(network)
    parameters = network.count_params()
    title = f"{role}: {len(boxes)} layers, {parameters:,} parameters"
    return Diagram(role, drawn(boxes, title), boxes, parameters)


def boxes_of(network: keras.Model) -> list[Box]:
    """The layers of a network as boxes; those of a layer made of layers are in its own box."""
    boxes = []
    network = getattr(network, "_functional", None) or network  # that a Sequential makes of itself
    depths = getattr(network, "_nodes_by_depth", {})  # of the functional API alone
    inner = {id(node) for nodes in depths.values() for node in nodes}
    for layer in getattr(network, "operations", network.layers):
        kind = type(layer).__name__
        if hasattr(layer, "layer"):
            kind += f" of {type(layer.layer).__name__}"
        nodes = [node for node in layer._inbound_nodes if id(node) in inner]
        sources = [parent.operation.name for node in nodes for parent in node.parent_nodes]
        shape = tuple(nodes[0].output_tensors[0].shape[1:]) if nodes else None
        count = layer.count_params() if isinstance(layer, keras.Layer) and layer.built else 0
        boxes.append(Box(layer.name, kind, shape, count, tuple(dict.fromkeys(sources))))
    return boxes


def drawn(boxes: Sequence[Box], title: str) -> Drawing:
    """Boxes in columns, about as wide as a slide, an arrow from each to the next.

    A layer that takes another output than the one before it says which.
    """
    joins = [_join(boxes, index) for index in range(len(boxes))]
    height = HEIGHT + (LINE if any(joins) else 0)
    rows = _rows(len(boxes), height)
    columns = -(-len(boxes) // rows)
    shapes: list[Shape] = [Text(MARGIN, MARGIN - 8, title, 20)]
    corners = []
    for index, (box, join) in enumerate(zip(boxes, joins, strict=True)):
        left = MARGIN + index // rows * (WIDTH + BETWEEN)
        top = MARGIN + TITLE + index % rows * (height + ABOVE)
        corners.append((left, top))
        shapes.append(Rectangle(left, top, WIDTH, height, _colour(box.kind)))
        for place, (text, size) in enumerate(_words(box, join)):
            fitting = cut_to(text, WIDTH - 16, size)
            shapes.append(Text(left + 8, top + 6 + place * LINE, fitting, size))
        if index and boxes[index - 1].name in box.sources:
            shapes.append(_arrow(corners[index - 1], corners[index], height))
    width = 2 * MARGIN + columns * (WIDTH + BETWEEN) - BETWEEN
    return Drawing(width, 2 * MARGIN + TITLE + rows * (height + ABOVE) - ABOVE, tuple(shapes))


def _join(boxes: Sequence[Box], index: int) -> str:
    """What a layer takes beside the output of the layer before it, in words; mostly empty."""
    before = boxes[index - 1].name if index else None
    others = [name for name in boxes[index].sources if name != before]
    if not others:
        return ""
    return f"{'and ' if before in boxes[index].sources else ''}from {', '.join(others)}"


def _rows(count: int, height: int) -> int:
    """The number of rows whose columns make a picture of the form of a slide."""

    def apart(rows: int) -> float:
        columns = -(-count // rows)
        return abs(columns * (WIDTH + BETWEEN) - ASPECT * (rows * (height + ABOVE) + TITLE))

    columns = -(-count // min(range(1, count + 1), key=apart))
    return -(-count // columns)  # no column is much shorter than the others


def _words(box: Box, join: str) -> list[tuple[str, int]]:
    shape = (
        "?" if box.shape is None else " x ".join("?" if s is None else str(s) for s in box.shape)
    )
    numbers = f"{box.parameters:,} parameters" if box.parameters else "no parameters"
    lines = [(f"{box.name}  ({box.kind})", 13), (f"{shape or 'scalar'}   {numbers}", 12)]
    return [*lines, (join, 11)] if join else lines


def _colour(kind: str) -> Colour:
    return next((colour for part, colour in COLOURS if part in kind), PLAIN)


def _arrow(start: tuple[float, float], end: tuple[float, float], height: float) -> Arrow:
    """From a box to the one below, or to the first of the next column."""
    (x0, y0), (x1, y1) = start, end
    if x0 == x1:
        middle = x0 + WIDTH / 2
        return Arrow(((middle, y0 + height), (middle, y1)))
    between = x1 - BETWEEN / 2
    across = (x0 + WIDTH, y0 + height / 2)
    return Arrow((across, (between, across[1]), (between, y1 + height / 2), (x1, y1 + height / 2)))


def save_diagrams(diagrams: Sequence[Diagram], directory: str | os.PathLike[str]) -> list[Path]:
    """Writes ROLE.png, ROLE.svg and ROLE.json of each, all of them or nothing.

    Raises:
        InputError: they cannot be written there.
    """
    place = Path(directory)
    if place.exists() and not place.is_dir():
        raise InputError(f"Diagrams go into a folder. Received: {place}")
    written = []
    with writing(UNWRITABLE, place), staging_directory(place) as staging:
        for each in diagrams:
            save_png(staging / f"{each.role}.png", each.drawing.to_pixels())
            (staging / f"{each.role}.svg").write_text(each.drawing.to_svg(), encoding="utf-8")
            layers = [box._asdict() for box in each.boxes]
            facts = {"experiment": "diagram", "parameters": each.parameters, "layers": layers}
            save_figures(staging / f"{each.role}.json", facts)
            written += [place / f"{each.role}{suffix}" for suffix in (".png", ".svg", ".json")]
        put_in_place(staging)
    return written
