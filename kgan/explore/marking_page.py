"""A page on which a person draws boxes around an object in generated images."""

from __future__ import annotations

import base64
import html
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kgan.explore.picture import Finding, enlarged
from kgan.explore.subject import Subject, as_subject
from kgan.files import printable, whole_file
from kgan.images import grid, png_bytes

TEMPLATE = Path(__file__).with_name("marking_page.html")
BATCH = 64


def marking(model: Any, seeds: Sequence[int]) -> tuple[Finding, str]:
    """A sheet of images of seeds, and a page to draw boxes in them.

    Args:
        model: a `Subject`, a `kgan.GAN` or a `kgan.runtime.Generator`.
        seeds: of the images.

    Returns:
        (the sheet, HTML that needs nothing else: it opens as a file and saves boxes.json, as
        `read_boxes` reads it).

    Raises:
        InputError: it is no generator, or its images are no pictures.
    """
    subject = as_subject(model)
    subject.check_pictures()
    images = np.concatenate(
        [_drawn(subject, seeds[at : at + BATCH]) for at in range(0, len(seeds), BATCH)]
    )
    data = {
        "image_shape": list(images.shape[1:3]),
        "seeds": list(seeds),
        "images": [_data_uri(image) for image in images],
    }
    page = TEMPLATE.read_text(encoding="utf-8")
    page = page.replace("NAME OF THE MODEL", html.escape(printable(subject.name)))
    page = page.replace('"DATA"', json.dumps(data))
    sheet = grid(enlarged(images))
    figures = {"experiment": "forget", "image_shape": data["image_shape"], "seeds": list(seeds)}
    return Finding(sheet, figures, (f"{len(seeds)} pictures to mark",)), page


def save_page(path: str | os.PathLike[str], page: str) -> None:
    """Writes the page, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _drawn(subject: Subject, seeds: Sequence[int]) -> np.ndarray:
    return subject.draw(subject.latents(seeds), subject.labels_of(seeds))


def _data_uri(image: np.ndarray) -> str:
    return "data:image/png;base64," + base64.b64encode(png_bytes(image)).decode("ascii")
