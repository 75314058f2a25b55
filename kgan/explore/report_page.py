"""The page of `kgan explore all`: every experiment with its picture, its words and its figures."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from kgan.files import printable

TEMPLATE = Path(__file__).with_name("report_page.html")
MADE_BY = 'content="kgan explore all"'  # in the page, by which it is known again
MEDIA = {".png": "image/png", ".webp": "image/webp"}


class Section(NamedTuple):
    """One experiment on the page.

    Attributes:
        name: of its command, and of its files.
        title: of its part of the page.
        caption: what it shows and how to read it, for people.
        lines: what it found, or the one reason why it is not there.
        files: its pictures and its figures, a .json file; none where it is not there.
    """

    name: str
    title: str
    caption: str
    lines: Sequence[str]
    files: Sequence[Path] = ()


def report_page(model: str, facts: str, sections: Sequence[Section]) -> str:
    """HTML that needs nothing else: pictures are in it, and no address but its own places.

    Args:
        model: what the model is called.
        facts: what it is, a line.
        sections: the experiments; those without files are told at the end.
    """
    shown = [section for section in sections if section.files]
    absent = [section for section in sections if not section.files]
    parts = [_section(section) for section in shown]
    links = [f'<li><a href="#{each.name}">{html.escape(each.title)}</a></li>' for each in shown]
    if absent:
        links.append('<li><a href="#absent">What is not here</a></li>')
        rows = [
            f"<li><b>{html.escape(each.title)}</b>: {_line(' '.join(each.lines))}</li>"
            for each in absent
        ]
        parts.append(
            f'<section id="absent"><h2>What is not here</h2><ul>{"".join(rows)}</ul></section>'
        )
    page = TEMPLATE.read_text(encoding="utf-8")
    for place, text in (
        ("NAME OF THE MODEL", _line(model)),
        ("FACTS", _line(facts)),
        ("CONTENTS", "\n".join(links)),
        ("SECTIONS", "\n".join(parts)),  # last: what it holds comes from anywhere
    ):
        page = page.replace(place, text)
    return page


def is_report(path: Path) -> bool:
    """Whether a file is a page that `report_page` made."""
    try:
        with path.open(encoding="utf-8") as file:
            return MADE_BY in file.read(2000)
    except (OSError, UnicodeDecodeError):
        return False


def _section(section: Section) -> str:
    pictures = "".join(
        f'<div class="picture" tabindex="0"><img src="{_data_uri(path)}" '
        f'alt="{html.escape(section.title)}: {_alternative(path)}" /></div>'
        for path in section.files
        if path.suffix in MEDIA
    )
    found = "".join(f"<li>{_line(line)}</li>" for line in section.lines)
    figures = "".join(
        f"<details><summary>Figures ({html.escape(path.name)})</summary>"
        f"<pre>{html.escape(path.read_text(encoding='utf-8'))}</pre></details>"
        for path in section.files
        if path.suffix == ".json"
    )
    return (
        f'<section id="{section.name}"><h2>{html.escape(section.title)}</h2>'
        f"<p>{html.escape(section.caption)}</p>{pictures}<ul>{found}</ul>{figures}</section>"
    )


def _alternative(path: Path) -> str:
    return "the walk, moving" if path.suffix == ".webp" else "its sheet"


def _line(text: str) -> str:
    return html.escape(printable(text, None))


def _data_uri(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:{MEDIA[path.suffix]};base64,{data}"
