"""What is public in kgan, and what a piece of code in a docstring of it stands for."""

from __future__ import annotations

import functools
import importlib
import inspect
from types import FunctionType, ModuleType
from typing import Any

import kgan


@functools.cache
def modules() -> dict[str, ModuleType]:
    """Name -> module: `kgan`, the packages that it names, and the one its models come from."""
    named = [name for name in kgan.__all__ if inspect.ismodule(getattr(kgan, name))]
    return {
        name: importlib.import_module(name)
        for name in ("kgan", *sorted(f"kgan.{name}" for name in [*named, "training"]))
    }


@functools.cache
def objects() -> dict[str, dict[str, Any]]:
    """Name of a module -> name -> object; each stands where it is named first."""
    seen: set[int] = set()
    found: dict[str, dict[str, Any]] = {}
    for where, module in modules().items():
        found[where] = {}
        for name in module.__all__:
            value = getattr(module, name)
            if name.startswith("_") or inspect.ismodule(value) or id(value) in seen:
                continue
            seen.add(id(value))
            found[where][name] = value
    return found


@functools.cache
def members() -> frozenset[str]:
    """The full names of all that has an entry: modules, objects, and what classes define."""
    names = set(modules())
    for where, values in objects().items():
        for name, value in values.items():
            names.add(f"{where}.{name}")
            if inspect.isclass(value):
                names |= {f"{where}.{name}.{member}" for member in own_members(value)}
    return frozenset(names)


def own_members(kind: type) -> list[str]:
    """The documented public methods and properties of a class that are kgan's own."""
    names = dict.fromkeys(
        name
        for base in kind.__mro__
        if not of_others(base)
        for name in vars(base)
        if not name.startswith("_")
    )
    return [name for name in names if _is_documented(inspect.getattr_static(kind, name))]


def _is_documented(member: Any) -> bool:
    methods = property | classmethod | staticmethod | FunctionType
    return isinstance(member, methods) and bool(member.__doc__) and not of_others(member)


def of_others(value: Any) -> bool:
    """Whether a class or a function is not kgan's own."""
    return not (getattr(value, "__module__", None) or "kgan").startswith("kgan")


def class_of(name: str, scope: str) -> str | None:
    """Full name of the public class that an annotation calls by its short one, if it is one."""
    near = target_of(name, scope)
    return _classes().get(name) if near is None else near


@functools.cache
def _classes() -> dict[str, str]:
    """Short name of a public class -> its full name; the first has it."""
    names: dict[str, str] = {}
    for where, values in objects().items():
        for name, value in values.items():
            if inspect.isclass(value):
                names.setdefault(name, f"{where}.{name}")
    return names


def target_of(code: str, scope: str) -> str | None:
    """What a piece of code leads to.

    Args:
        code: what stands between backticks.
        scope: full name of the object whose docstring it is in.

    Returns:
        The full name of a public object. A name of kgan's that is not there comes back as it is,
        so that Sphinx complains of it. None for any other code.
    """
    name = code.removesuffix("()")
    if name in members():
        return name
    if name.startswith("kgan.") and name.replace(".", "").isidentifier():
        return None if _is_there(name) else name
    if not name.replace(".", "").isidentifier():
        return None
    around = scope.split(".")
    for depth in range(len(around), 0, -1):
        full = ".".join([*around[:depth], name])
        if full in members() and full != scope and full not in modules():
            return full
    return None


def _is_there(name: str) -> bool:
    """Whether a full name is that of something in kgan, public or not."""
    parts = name.split(".")
    for depth in range(len(parts), 0, -1):
        try:
            value: Any = importlib.import_module(".".join(parts[:depth]))
        except ModuleNotFoundError:
            continue
        try:
            functools.reduce(getattr, parts[depth:], value)
        except AttributeError:
            return False
        return True
    return False
