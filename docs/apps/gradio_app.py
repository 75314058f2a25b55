"""A page that draws with an export, by Gradio: sliders for what `kgan generate` takes.

pip install gradio kgan
python docs/apps/gradio_app.py saved_models/fashion_dcgan
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

import numpy as np

import kgan

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # or Gradio reports its use
EACH = "each in turn"
SIDE = 512  # of the sheet, in pixels at least


def drawer(generator: kgan.runtime.Generator) -> Callable[..., np.ndarray]:
    """The function behind the page.

    Args:
        generator: what draws.

    Returns:
        Function of a seed, None for 0, a number of pictures, a truncation and, where the
        generator has classes, the name of one, or `EACH`; it gives one sheet, uint8 (H, W) or
        (H, W, C).
    """

    def draw(seed: float | None, n: float, truncation: float, name: str = EACH) -> np.ndarray:
        label = None if name == EACH else classes_of(generator).index(name)
        pictures = generator.generate(int(n), int(seed or 0), label, truncation=truncation)
        sheet = kgan.images.grid(pictures)
        sheet = kgan.images.repeat_pixels(sheet[None], -(-SIDE // max(sheet.shape[:2])))[0]
        return sheet[..., 0] if sheet.shape[-1] == 1 else sheet

    return draw


def classes_of(generator: kgan.runtime.Generator) -> list[str]:
    """The names of a generator's classes, their numbers where they have none."""
    return list(generator.class_names or map(str, range(generator.num_classes or 0)))


def page(generator: kgan.runtime.Generator) -> Any:
    """The page, a `gradio.Interface`."""
    import gradio

    inputs = [
        gradio.Number(0, precision=0, minimum=0, label="seed of the first"),
        gradio.Slider(1, 64, 16, step=1, label="pictures"),
        gradio.Slider(0.1, 1, 1, label="truncation"),
    ]
    if generator.num_classes:
        inputs.append(gradio.Dropdown([EACH, *classes_of(generator)], value=EACH, label="class"))
    words = f"{generator.info['name']}, version {generator.info['version']}"
    output = gradio.Image(label="drawn", format="png")
    return gradio.Interface(drawer(generator), inputs, output, title=words, flagging_mode="never")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A page that draws with an export.")
    parser.add_argument("export", help="such as saved_models/fashion_dcgan")
    page(kgan.runtime.Generator(parser.parse_args().export)).launch()
