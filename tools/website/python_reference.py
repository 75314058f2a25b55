"""The pages of the Python API's reference: a module's docstring, a table, and every object."""

from __future__ import annotations

import inspect
from typing import Any

from website import public_face
from website.docstrings import prose

TITLE = "Python reference"


def pages() -> dict[str, str]:
    """Name of a page -> its text: `kgan`'s own, which leads to the others, and one a module."""
    first, *others = public_face.modules()
    tree = [".. toctree::", "   :caption: Packages", "", *(f"   {name}" for name in others)]
    made = {name: _page(name, name) for name in others}
    return {"python": "\n".join([_page(first, TITLE), *tree, ""]), **made}


def _page(module: str, title: str) -> str:
    objects = public_face.objects()[module]
    lines = [title, "=" * len(title), "", f".. automodule:: {module}", ""]
    lines += [".. list-table::", "   :class: names", ""]
    for name, value in objects.items():
        said = _first_line(module, name, value)
        lines += [f"   * - :py:obj:`~{module}.{name}`", f"     - {said}"]
    kinds: dict[str, list[list[str]]] = {"Classes": [], "Functions": [], "Values": []}
    for name, value in objects.items():
        if inspect.isclass(value):
            kinds["Classes"].append(_class(f"{module}.{name}", value))
        elif callable(value):
            kinds["Functions"].append([f".. autofunction:: {module}.{name}"])
        else:
            kinds["Values"].append([f".. py:data:: {name}", "", f"   {_contents(value)}"])
    for kind, entries in kinds.items():
        if entries:
            lines += ["", kind, "-" * len(kind)]
            lines += [line for entry in entries for line in ("", *entry)]
    return "\n".join([*lines, ""])


def _first_line(module: str, name: str, value: Any) -> str:
    if not callable(value):
        return _contents(value)
    text = (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ")
    return prose(text, lambda code: public_face.target_of(code, f"{module}.{name}"))


def _class(name: str, kind: type) -> list[str]:
    bases = sorted({base.__name__ for base in kind.__mro__ if public_face.of_others(base)})
    lines = [f".. autoclass:: {name}", "   :members:", f"   :inherited-members: {', '.join(bases)}"]
    fields = getattr(kind, "_fields", ())  # of a named tuple: its docstring has them
    return [*lines, f"   :exclude-members: {', '.join(fields)}"] if fields else lines


def _contents(value: Any) -> str:
    if isinstance(value, dict):
        return f"A dict with {', '.join(f'``{name}``' for name in value)}."
    return f"``{value!r}``"
