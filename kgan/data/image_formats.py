"""The formats of images that are read: Pillow's own, and those of plugins where installed."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from typing import NamedTuple

from PIL import features


class Format(NamedTuple):
    """A format of image files.

    Attributes:
        name: Pillow's.
        suffixes: of its files' names.
        plugin: module that teaches it to Pillow; None where Pillow knows it by itself.
        needs: what is to be installed for it.
    """

    name: str
    suffixes: tuple[str, ...]
    plugin: str | None = None
    needs: str = ""


ALWAYS = (
    Format("PNG", (".png",)),
    Format("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif")),
    Format("BMP", (".bmp",)),
    Format("GIF", (".gif",)),
    Format("WEBP", (".webp",)),
)
WITH_MORE = (
    Format("AVIF", (".avif",), None, "Pillow>=11.3"),
    Format("HEIF", (".heic", ".heif", ".hif"), "pillow_heif", "pillow-heif"),
    Format("JXL", (".jxl",), "pillow_jxl", "pillow-jxl-plugin"),
)


@functools.cache
def known() -> tuple[Format, ...]:
    """The formats that are read here; plugins that are installed are made known to Pillow."""
    return (*ALWAYS, *(one for one in WITH_MORE if _is_there(one)))


@functools.cache
def names() -> tuple[str, ...]:
    """Pillow's names of the formats that are read."""
    return tuple(one.name for one in known())


@functools.cache
def suffixes() -> tuple[str, ...]:
    """The suffixes of the files that are read, in lower case."""
    return tuple(suffix for one in known() for suffix in one.suffixes)


def needed_for(suffix: str) -> str:
    """What is to be installed to read files of a suffix; "" where nothing helps."""
    return next((one.needs for one in WITH_MORE if suffix in one.suffixes), "")


def _is_there(one: Format) -> bool:
    if one.plugin is None:
        return bool("avif" in features.modules and features.check("avif"))
    if importlib.util.find_spec(one.plugin) is None:
        return False
    try:
        plugin = importlib.import_module(one.plugin)
    except ImportError:  # a library that it needs is missing
        return False
    if hasattr(plugin, "register_heif_opener"):  # the other's import is enough
        plugin.register_heif_opener()
    return True
