"""Notebooks: whether this process runs one, and pictures below the cell that is running."""

from __future__ import annotations

import sys
from typing import Any

from PIL import Image

from kgan.errors import InputError


def check_running(instead: str) -> None:
    """Returns where this process runs a notebook.

    Asked of what is imported already: without IPython's kernel there is no notebook.

    Args:
        instead: what does the same elsewhere, in words.

    Raises:
        InputError: it runs none.
    """
    python = sys.modules.get("IPython")
    shell = None if python is None else python.get_ipython()
    if not hasattr(shell, "kernel"):
        where = "a script or a prompt" if shell is None else "IPython in a terminal"
        raise InputError(
            f"Pictures are shown in a notebook alone; elsewhere {instead}. Received: {where}"
        )


def display(picture: Image.Image, place: Any = None) -> Any:
    """Shows a picture below the running cell.

    Args:
        picture: a Pillow image.
        place: what this returned before, to show it in the place of that picture; None for a new
            one.

    Returns:
        The picture's place.
    """
    from IPython import display as notebook

    if place is None:
        return notebook.display(picture, display_id=True)
    place.update(picture)
    return place
