"""Docstrings, which are written in Markdown, as the reStructuredText that Sphinx reads."""

import re
from collections.abc import Callable, Sequence

SECTIONS = ("Args:", "Attributes:", "Raises:", "Reference:", "Returns:", "Yields:")
CODE = re.compile(r"`([^`]+)`(?=(\w?))")
# What would be emphasis, a substitution, an escape or the name of a target.
MARKUP = re.compile(r"[\\*|]|(?<=\w)_(?!\w)")


def prose(text: str, link: Callable[[str], str | None] = lambda code: None) -> str:
    """A line of Markdown; `link` gives the object that a piece of code is to lead to, or None."""
    parts, end = [], 0
    for match in CODE.finditer(text):
        code, joined = match[1], "\\ " if match[2] else ""
        target = link(code)
        shown = f"``{code}``" if target is None else f":py:obj:`{code} <{target}>`"
        parts += [MARKUP.sub(r"\\\g<0>", text[end : match.start()]), shown, joined]
        end = match.end()
    return "".join([*parts, MARKUP.sub(r"\\\g<0>", text[end:])])


def restructured(lines: Sequence[str], link: Callable[[str], str | None]) -> list[str]:
    """The lines of a docstring; what is indented outside of a section is code, as in Markdown."""
    made: list[str] = []
    in_section = in_code = False
    for line in lines:
        indented = line.startswith(" ") or not line
        if not indented:
            in_section, in_code = line in SECTIONS, False
        elif line.startswith("    ") and not in_section and not in_code and made[-1:] == [""]:
            in_code = True
            made += [".. code-block:: python", ""]
        made.append(line if in_code else prose(line, link))
    return made
