"""The page that shows a run: served and kept up to date, or one file that needs nothing else."""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

from PIL import Image

from kgan.errors import InputError
from kgan.files import whole_file
from kgan.runs.directory import SAMPLES
from kgan.watch.followed_run import FollowedRun
from kgan.watch.sheet_files import Sheet, read_sheet, sheets

PARTS = Path(__file__).parent / "page"
HOUSE = Path(__file__).parents[1] / "export" / "web"  # the style of all of kgan's pages
SCRIPTS = ("curve.js", "sheets.js", "watch.js")
MOST_SHEETS = 24  # in a file
MOST_BYTES = 8 * 10**6  # of their pictures
LARGEST_SIDE = 1024  # pixels of a sheet that is made smaller
MOST_PIXELS = 2**26  # of a sheet that is opened for it
QUALITIES = (85, 60, 30)  # of WebP, until it is small enough


def live_page() -> str:
    """The page as a server gives it, which asks that server for the run."""
    return _page(None)


def save_page(directory: str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """Writes the page of a run as it is now, whole or not at all: one HTML file, without network.

    Curves are as the live page has them; of the sheets up to 24 are in it, the first, the last
    and others between them, with at most 8 MB together: large ones are made smaller.

    Args:
        directory: the run's.
        path: the file.

    Raises:
        InputError: it is no directory.
        OSError: the file cannot be written.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise InputError(f"There is no run. Received: {directory}")
    news = FollowedRun(directory).news()
    chosen = sheets(directory / SAMPLES, MOST_SHEETS)
    room = MOST_BYTES // max(1, len(chosen))
    addresses = [(sheet.step, _inline(directory / SAMPLES, sheet, room)) for sheet in chosen]
    news["sheets"] = [[step, address] for step, address in addresses if address is not None]
    text = _page(news)
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def content_policy(live: bool) -> str:
    """The Content-Security-Policy: the page's own script and style, by their hashes, and no other.

    Args:
        live: of the served page; else of the file.
    """
    images, asked = ("data: 'self'", "'self'") if live else ("data:", "'none'")
    return (
        f"default-src 'none'; script-src {_hash(_script())}; style-src {_hash(_style())}; "
        f"img-src {images}; connect-src {asked}; base-uri 'none'; form-action 'none'"
    )


def _page(news: dict[str, Any] | None) -> str:
    page = (PARTS / "page.html").read_text(encoding="utf-8")
    icon = base64.b64encode((HOUSE / "icon.svg").read_bytes()).decode("ascii")
    data = json.dumps(news).replace("<", "\\u003c")  # nothing in it ends its element
    for place, text in (
        ("POLICY", content_policy(live=news is None)),
        ("ICON", f"data:image/svg+xml;base64,{icon}"),
        ("STYLE", _style()),
        ("SCRIPT", _script()),
        ("DATA", data),  # last: what it holds comes from anywhere
    ):
        page = page.replace(f"@{place}@", text)
    return page


@functools.cache
def _style() -> str:
    files = (HOUSE / "style.css", PARTS / "watch.css")
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


@functools.cache
def _script() -> str:
    return "\n".join((PARTS / name).read_text(encoding="utf-8") for name in SCRIPTS)


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _inline(directory: Path, sheet: Sheet, room: int) -> str | None:
    """A sheet as an address that holds it; None where it is no picture that fits."""
    try:
        data, kind = read_sheet(directory, sheet.name), "png"
        if len(data) > room:
            data, kind = _smaller(data, room), "webp"
    except (InputError, OSError, ValueError, Image.DecompressionBombError):
        return None
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _smaller(data: bytes, room: int) -> bytes:
    """A picture in fewer bytes."""
    with Image.open(io.BytesIO(data), formats=["PNG"]) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise InputError(f"A sheet has at most {MOST_PIXELS:,} pixels. Received: {opened.size}")
        picture = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    for quality in QUALITIES:
        file = io.BytesIO()
        picture.save(file, "WEBP", quality=quality)
        if file.tell() <= room:
            return file.getvalue()
    raise InputError(f"This sheet does not fit into {room:,} bytes. Received: {len(data):,} bytes")
