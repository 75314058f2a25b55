#!/usr/bin/env python3
"""Draws the embedded faces: cartoon portraits in colour, 32x32, with what is seen in each.

    tools/make_embedded_faces.py OUTPUT.npz [COUNT]

OUTPUT.npz has `images` uint8 (COUNT, 32, 32, 3), `attributes` float32 (COUNT, 4) and
`attribute_names`: smile and glasses, 0 or 1; yaw, from -1 (the face is turned to the picture's
left) to 1; blond, from 0 (black hair) over brown to 1. Each is drawn on its own, and all else in
a picture (skin, face, hairstyle, clothes, background) is drawn independently of them. One version
of numpy and Pillow gives the same bytes each time. The first 2,400 ship with kgan.
"""

import colorsys
import io
import math
import sys
import zipfile

import numpy as np
from PIL import Image, ImageChops, ImageDraw

COUNT = 2400
SEED = 1
SIDE = 32
FINE = 8  # drawn at so many times the size, then averaged
NAMES = ("smile", "glasses", "yaw", "blond")
TURN = 0.6  # radians at a yaw of 1
SKIN = (
    (255, 226, 200),
    (249, 207, 172),
    (238, 184, 142),
    (217, 157, 112),
    (178, 118, 80),
    (138, 90, 62),
    (100, 66, 48),
)
HAIR = (  # blond -> colour
    (0.0, (30, 26, 30)),
    (0.3, (78, 48, 34)),
    (0.55, (146, 80, 40)),
    (0.75, (202, 136, 64)),
    (1.0, (248, 218, 132)),
)
FRAMES = ((28, 28, 34), (96, 50, 30), (176, 36, 48), (36, 70, 150))
STYLES = ("short", "parted", "fringe", "bob", "long", "curly", "bun", "spiky")


def mixed(colour, other, share):
    """A colour with a share of another."""
    return tuple(round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))


def hair_colour(blond):
    """Along `HAIR`."""
    channels = zip(*(colour for _, colour in HAIR), strict=True)
    places = [place for place, _ in HAIR]
    return tuple(round(float(np.interp(blond, places, channel))) for channel in channels)


class Easel:
    """A picture that shapes are drawn on; lengths are in pixels of the small picture."""

    def __init__(self, background):
        self.image = Image.new("RGB", (SIDE * FINE, SIDE * FINE), background)

    def paint(self, mask, colour, opacity=1.0):
        """Colours what a mask has."""
        if opacity < 1.0:
            mask = mask.point(lambda level: round(level * opacity))
        self.image.paste(colour, mask=mask)

    @staticmethod
    def mask(shape, *arguments, **options):
        """A mask of one shape of Pillow's, such as "ellipse", by its coordinates."""
        mask = Image.new("L", (SIDE * FINE, SIDE * FINE), 0)
        points = [tuple(FINE * value for value in point) for point in arguments[0]]
        getattr(ImageDraw.Draw(mask), shape)(points, *arguments[1:], fill=255, **options)
        return mask

    def oval(self, x, y, width, height, colour, opacity=1.0):
        """An ellipse by its centre and its half axes."""
        self.paint(oval(x, y, width, height), colour, opacity)

    def stroke(self, points, colour, width):
        """A line with round ends."""
        self.paint(self.mask("line", points, width=round(width * FINE), joint="curve"), colour)
        for x, y in (points[0], points[-1]):
            self.oval(x, y, width / 2, width / 2, colour)

    def small(self):
        """The picture at its own size, uint8 (SIDE, SIDE, 3)."""
        return np.asarray(self.image.reduce(FINE))


def oval(x, y, width, height):
    """The mask of an ellipse by its centre and its half axes."""
    return Easel.mask("ellipse", [(x - width, y - height), (x + width, y + height)])


def above(y):
    """The mask of all that lies above a height."""
    return Easel.mask("rectangle", [(0, 0), (SIDE, y)])


def joined(*masks):
    """What any of some masks has."""
    whole = masks[0]
    for mask in masks[1:]:
        whole = ImageChops.lighter(whole, mask)
    return whole


class Face:
    """One face: what it is like is drawn once, then the parts, from the back to the front."""

    def __init__(self, rng, attributes):
        self.rng, (self.smile, self.glasses, yaw, blond) = rng, attributes
        self.turn = TURN * yaw
        self.x, self.y = 16 + rng.normal(0, 0.4), 15.6 + rng.normal(0, 0.3)
        self.width, self.height = rng.uniform(7.6, 8.6), rng.uniform(8.8, 9.9)
        tone = rng.uniform(0, len(SKIN) - 1)
        self.skin = mixed(SKIN[int(tone)], SKIN[int(tone) + 1], tone % 1)
        self.shade = mixed(self.skin, (90, 30, 30), 0.25)
        self.hair = hair_colour(blond)
        self.dark = mixed(self.hair, (0, 0, 0), 0.3)
        self.style = STYLES[rng.integers(len(STYLES))]
        hue, cloth = rng.random(2)
        self.easel = Easel(_hsv(hue, rng.uniform(0.1, 0.36), rng.uniform(0.86, 1.0)))
        self.cloth = _hsv(cloth, rng.uniform(0.3, 0.7), rng.uniform(0.45, 0.95))
        self.iris = ((40, 26, 20), (66, 40, 24), (36, 78, 120), (44, 96, 62))[rng.integers(4)]

    def at(self, angle, radius=1.0):
        """(x of a place on the head, by its angle from the nose; how much of its width shows)."""
        return (
            self.x + radius * self.width * math.sin(self.turn + angle),
            math.cos(self.turn + angle),
        )

    def draw(self):
        """The picture, uint8 (SIDE, SIDE, 3)."""
        self.hair_behind()
        self.body()
        self.head()
        self.hair_before()
        self.eyes()
        self.nose_and_mouth()
        if self.glasses:
            self.spectacles()
        return self.easel.small()

    def body(self):
        easel, x = self.easel, self.x
        easel.oval(x, 34, 13, 8.4, self.cloth)
        neck = [(x - 3, self.y + 5), (x + 3, 28)]
        easel.paint(Easel.mask("rounded_rectangle", neck, 2.5 * FINE), self.shade)
        easel.oval(x, 27.4, 3.9, 2.2, self.shade)

    def ears(self, front):
        for side in (-1, 1):
            x, depth = self.at(side * 1.5)
            if (depth > 0) == front:
                self.easel.oval(x, self.y + 0.8, 1.5, 2.0, self.skin)
                self.easel.oval(x, self.y + 0.9, 0.7, 1.1, self.shade)

    def head(self):
        self.ears(front=False)
        self.easel.oval(self.x, self.y, self.width, self.height, self.skin)
        self.ears(front=True)
        for side in (-1, 1):
            x, seen = self.at(side * 0.72, 0.95)
            if seen > 0.15:
                pink = mixed(self.skin, (255, 70, 80), 0.5)
                self.easel.oval(x, self.y + 3.6, 1.9 * seen, 1.3, pink, 0.45)

    def hair_behind(self):
        easel, x, y, width, height = self.easel, self.x, self.y, self.width, self.height
        back = x - 0.25 * width * math.sin(self.turn)
        if self.style in ("bob", "long"):
            low = 28.5 if self.style == "long" else y + height * 0.72
            box = [(back - width - 1.7, y - height * 0.6), (back + width + 1.7, low)]
            easel.paint(Easel.mask("rounded_rectangle", box, 4 * FINE), self.dark)
        elif self.style == "curly":
            for angle in np.linspace(-0.25, math.pi + 0.25, 11):
                radius = self.rng.uniform(2.7, 3.5)
                across, down = math.cos(angle), math.sin(angle)
                easel.oval(
                    back + across * (width + 0.6), y - 1 - down * (height - 0.3), radius, radius,
                    self.dark,
                )  # fmt: skip
        elif self.style == "bun":
            easel.oval(back, y - height - 0.9, 3.4, 2.9, self.dark)

    def hair_before(self):
        """A cap over the skull, open where the face is."""
        x, y, width, height = self.x, self.y, self.width, self.height
        middle = x + 0.62 * width * math.sin(self.turn)
        cap = oval(x, y - 0.7, width + 0.8, height + 0.6)
        low = {"bob": 5, "long": 5, "curly": 2}.get(self.style, 0.2)
        cap = ImageChops.darker(cap, above(y + low))
        side = 1 if self.rng.random() < 0.5 else -1
        opening = oval(middle, y + 4, width * 0.86, height * 1.02)
        if self.style == "parted":
            opening = oval(middle + 1.6 * side, y + 3.4, width * 0.8, height * 1.08)
        elif self.style in ("fringe", "bob"):
            opening = ImageChops.subtract(
                oval(middle, y + 5, width * 0.84, height * 1.1), above(y - 3.4)
            )
        elif self.style == "spiky":
            tips = [
                (x + t * width * 0.98, y - height * (0.45, 1.22)[place % 2])
                for place, t in enumerate(np.linspace(-1.0, 1.0, 11))
            ]
            cap = joined(cap, Easel.mask("polygon", tips))
        self.easel.paint(ImageChops.subtract(cap, opening), self.hair)
        if self.style == "curly":
            for t in np.linspace(-0.75, 0.75, 6):
                bump = y - height * math.sqrt(1 - t * t) * 0.86
                self.easel.oval(x + t * width, bump, 2.0, 1.9, self.hair)

    def eyes(self):
        for side in (-1, 1):
            x, seen = self.at(side * 0.43, 0.98)
            y, wide = self.y + 0.2, max(0.45, seen)
            self.easel.oval(x, y, 1.65 * wide, 1.75, (255, 255, 255))
            look = x + 0.45 * math.sin(self.turn)
            self.easel.oval(look, y + 0.1, 1.1 * wide, 1.3, self.iris)
            self.easel.oval(look, y + 0.1, 0.6 * wide, 0.75, (12, 10, 12))
            self.easel.oval(look - 0.35, y - 0.4, 0.38, 0.38, (255, 255, 255))
            brow = y - 2.9 + 0.3 * self.rng.normal() * 0.5
            ends = [(x - 1.5 * wide, brow + 0.35), (x, brow - 0.1), (x + 1.5 * wide, brow + 0.35)]
            self.easel.stroke(ends, self.dark, 0.7)

    def nose_and_mouth(self):
        easel, y = self.easel, self.y
        x, _ = self.at(0.0, 1.15)
        easel.oval(x, y + 2.5, 1.0, 0.75, self.shade)
        left, middle, right = (self.at(angle, 0.98)[0] for angle in (-0.42, 0.0, 0.42))
        half = (right - left) / 2
        lips = mixed(self.skin, (150, 20, 40), 0.7)
        if not self.smile:
            short = half * 0.62
            easel.stroke([(middle - short, y + 5.7), (middle + short, y + 5.7)], lips, 0.9)
            return
        box = [(middle - half, y + 2.2), (middle + half, y + 7.6)]
        mouth = Easel.mask("chord", box, 15, 165)
        easel.paint(mouth, (128, 22, 36))
        easel.paint(ImageChops.darker(mouth, above(y + 6.3)), (255, 255, 255))
        easel.stroke([(middle - half, y + 5.35), (middle - half - 0.3, y + 4.9)], lips, 0.6)
        easel.stroke([(middle + half, y + 5.35), (middle + half + 0.3, y + 4.9)], lips, 0.6)

    def spectacles(self):
        easel, y = self.easel, self.y + 0.3
        colour = FRAMES[self.rng.integers(len(FRAMES))]
        is_round = self.rng.random() < 0.5
        inner = []
        for side in (-1, 1):
            x, seen = self.at(side * 0.44, 1.02)
            wide = 3.0 * max(0.5, seen)
            box = [(x - wide, y - 2.7), (x + wide, y + 2.7)]
            shape = ("ellipse", box) if is_round else ("rounded_rectangle", box, FINE)
            easel.paint(Easel.mask(*shape), (235, 245, 255), 0.25)
            outer, inside = (
                Easel.mask(*shape),
                [(x - wide + 0.75, y - 1.95), (x + wide - 0.75, y + 1.95)],
            )
            hole = Easel.mask(shape[0], inside, *shape[2:])
            easel.paint(ImageChops.subtract(outer, hole), colour)
            inner.append(x - side * wide)
            ear, depth = self.at(side * 1.45)
            if depth > -0.3:
                easel.stroke([(x + side * wide, y - 0.6), (ear, y - 0.3)], colour, 0.7)
        easel.stroke([(inner[0], y - 0.5), (inner[1], y - 0.5)], colour, 0.8)


def _hsv(hue, saturation, value):
    return tuple(round(255 * part) for part in colorsys.hsv_to_rgb(hue, saturation, value))


def faces(count, first=0):
    """(uint8 (count, SIDE, SIDE, 3), float32 (count, 4)), each picture from its own number."""
    images, attributes = [], []
    for number in range(first, first + count):
        rng = np.random.default_rng((SEED, number))
        smile, glasses = rng.random() < 0.5, rng.random() < 0.4
        yaw, blond = rng.uniform(-1, 1), rng.uniform(0, 1)
        values = (float(smile), float(glasses), round(yaw, 2), round(blond, 2))
        images.append(Face(rng, values).draw())
        attributes.append(values)
    return np.stack(images), np.array(attributes, np.float32)


def main(output, count=COUNT):
    """Writes the set."""
    images, attributes = faces(int(count))
    arrays = {"images": images, "attributes": attributes, "attribute_names": np.array(NAMES)}
    with zipfile.ZipFile(output, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array)
            # numpy.savez stamps the time of day into the archive; this date is the format's zero.
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, content.getvalue(), zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
