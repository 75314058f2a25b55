"""What Sphinx's autodoc asks for, answered for kgan's docstrings and signatures."""

from __future__ import annotations

import inspect
import re
from typing import Any

from docutils import nodes
from sphinx.util.inspect import stringify_signature
from sphinx.util.typing import stringify_annotation

from website import pages, public_face
from website.docstrings import restructured

CLASS = re.compile(r"(?<![\w.\"'])[A-Z]\w+")  # in an annotation


def setup(app: Any) -> None:
    """Connects the answers; docstrings become reStructuredText before napoleon reads them."""
    app.connect("source-read", add_contents)
    app.connect("autodoc-process-docstring", in_markdown, priority=400)
    app.connect("autodoc-process-signature", as_written)
    app.connect("autodoc-skip-member", skip_others)
    app.connect("missing-reference", leave)
    app.connect("doctree-read", with_dashes)


def add_contents(app: Any, page: str, source: list[str]) -> None:
    """Gives the index the site's table of contents."""
    if page == app.config.root_doc:
        source[0] += pages.contents(source[0])


def in_markdown(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Turns the lines of a docstring into reStructuredText, in place."""
    own = set()  # an argument is no link to what has its name
    if what in ("function", "method"):
        own = set(inspect.signature(value).parameters)
    elif what == "class":
        own = set(inspect.signature(value.__init__).parameters)

    def link(code: str) -> str | None:
        return None if code in own else public_face.target_of(code, name)

    lines[:] = restructured(lines, link)


def skip_others(
    app: Any, what: str, name: str, value: Any, skip: bool, options: Any
) -> bool | None:
    """Leaves out methods that have Keras's own help."""
    return True if public_face.of_others(value) else None


def as_written(
    app: Any, what: str, name: str, value: Any, options: Any, signature: str | None, returns: str
) -> tuple[str, str | None] | None:
    """The signature with its annotations as they stand in the source: `npt.ArrayLike`."""
    if what not in ("class", "function", "method") or signature is None:
        return None
    method = value.__init__ if inspect.isclass(value) else value
    found = inspect.signature(value if method is object.__init__ else method)
    parameters = [
        each.replace(annotation=_linked(each.annotation, name))
        for each in found.parameters.values()
        if each.name not in ("self", "cls")
    ]
    nothing = inspect.Signature.empty
    text = stringify_signature(found.replace(parameters=parameters, return_annotation=nothing))
    if inspect.isclass(value) or found.return_annotation is nothing:
        return text, None
    return text, stringify_annotation(_linked(found.return_annotation, name), "smart")


def _linked(annotation: Any, scope: str) -> Any:
    """An annotation with the full names of kgan's public classes; ~ shows the last part alone."""

    def full(match: re.Match[str]) -> str:
        known = public_face.class_of(match[0], scope)
        return match[0] if known is None else f"~{known}"

    return CLASS.sub(full, annotation) if isinstance(annotation, str) else annotation


def leave(app: Any, env: Any, node: Any, shown: Any) -> Any:
    """Leaves what is not public in an annotation as text; what a docstring names must be there."""
    return shown if node.get("refdomain") == "py" and node["reftype"] != "obj" else None


def with_dashes(app: Any, page: nodes.document) -> None:
    """Writes the dash between an argument and what is said of it as one."""
    for text in page.findall(nodes.Text):
        if text.startswith(" -- "):
            text.parent.replace(text, nodes.Text(text.replace(" -- ", " \N{EN DASH} ", 1)))
