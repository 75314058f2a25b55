"""What Sphinx's autodoc asks for, answered for kgan's docstrings and signatures."""

from __future__ import annotations

import inspect
from typing import Any

from sphinx.util.inspect import stringify_signature
from sphinx.util.typing import stringify_annotation

from website import pages, public_face
from website.docstrings import restructured


def setup(app: Any) -> None:
    """Connects the answers; docstrings become reStructuredText before napoleon reads them."""
    app.connect("source-read", add_contents)
    app.connect("autodoc-process-docstring", in_markdown, priority=400)
    app.connect("autodoc-process-signature", as_written)
    app.connect("missing-reference", leave)


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


def as_written(
    app: Any, what: str, name: str, value: Any, options: Any, signature: str, returns: str
) -> tuple[str, str | None] | None:
    """The signature with its annotations as they stand in the source: `npt.ArrayLike`."""
    if what not in ("class", "exception", "function", "method"):
        return None
    if inspect.isclass(value) and value.__init__ is not object.__init__:
        found = inspect.signature(value.__init__)
        found = found.replace(parameters=list(found.parameters.values())[1:])
    else:
        found = inspect.signature(value)
    first = next(iter(found.parameters), None)
    if what == "method" and first in ("self", "cls"):
        found = found.replace(parameters=list(found.parameters.values())[1:])
    returned, nothing = found.return_annotation, inspect.Signature.empty
    text = stringify_signature(found.replace(return_annotation=nothing))
    if inspect.isclass(value) or returned is nothing:
        return text, None
    return text, stringify_annotation(returned, "smart")


def leave(app: Any, env: Any, node: Any, shown: Any) -> Any:
    """Leaves an annotation that names a class of others as text, and finds kgan's own."""
    if node.get("refdomain") != "py" or node["reftype"] == "obj":
        return None  # what a docstring or a page names must be there
    full = public_face.real_names().get(node["reftarget"])
    if full is None:
        return shown
    domain = env.domains["py"]
    return domain.resolve_xref(env, node["refdoc"], app.builder, "class", full, node, shown)
