"""The command line's arguments from options dataclasses, and what of them was given."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kgan.json_values import finite
from kgan.option_fields import Kind, Option, options_of, spelling, typed


def add_commands(commands: Any, modules: Mapping[str, Any], key: str) -> None:
    """Adds a parser for each command.

    Args:
        commands: what `add_subparsers` gave.
        modules: name -> a module with HELP, DESCRIPTION, `add_arguments` and `run`.
        key: the name under which the parsed arguments have what runs it.
    """
    for name, command in modules.items():
        subparser = commands.add_parser(
            name,
            help=command.HELP,
            description=command.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(**{key: command.run})


def add_json(parser: argparse.ArgumentParser, words: str) -> None:
    """Adds --json, with a text of what it prints."""
    parser.add_argument("--json", action="store_true", help=words)


def print_json(value: Any) -> None:
    """Prints a value as JSON in ASCII, which no terminal obeys; infinite or no number is null."""
    print(json.dumps(finite(value), indent=2, allow_nan=False))


def add_options(
    parser: argparse.ArgumentParser, options: type[Any], names: Iterable[str] | None = None
) -> dict[str, Any]:
    """Adds an argument for each option of a dataclass, in the groups that the options name.

    What is not given leaves no trace in the parsed arguments: see `given_options`.

    Args:
        parser: where to add them.
        options: the dataclass.
        names: the options to add; None for all.

    Returns:
        Name of an option -> the argparse group that it is in.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(options)}
    groups: dict[Any, Any] = {}
    homes = {}
    for name, option in options_of(options).items():
        if names is not None and name not in names:
            continue
        if option.group not in groups:
            groups[option.group] = parser.add_argument_group(option.group)
        group = groups[option.group]
        if option.exclusive:
            key = (option.group, "exclusive")
            if key not in groups:
                groups[key] = group.add_mutually_exclusive_group()
            group = groups[key]
        homes[name] = group
        _add(group, name, option, defaults[name])
    return homes


def _add(group: Any, name: str, option: Option, default: Any) -> None:
    help = f"{option.help}{_default_in_words(option, default)}".replace("%", "%%")
    if default is True:
        help = f"do not {help}"
    keywords: dict[str, Any] = {"help": help, "default": argparse.SUPPRESS}
    if option.kind.metavar is None and not option.kind.choices:
        keywords["action"] = "store_false" if default is True else "store_true"
    else:
        keywords["type"] = argument_type(option.kind)
        if option.kind.choices:
            keywords["choices"] = option.kind.choices
        else:
            keywords["metavar"] = option.kind.metavar
        if option.without_value is not None:
            keywords |= {"nargs": "?", "const": option.without_value}
    if option.positional:
        group.add_argument(name, nargs="?", **keywords | {"metavar": typed(name, option)})
    else:
        # A switch that is on by default is typed to turn it off.
        flag = spelling(f"no-{name}") if default is True else typed(name, option)
        group.add_argument(flag, dest=name, **keywords)


def _default_in_words(option: Option, default: Any) -> str:
    words = option.default_words
    if words is None and option.kind.metavar is None and not option.kind.choices:
        return ""  # a switch is off where it is not named
    if words is None:
        words = option.without_value or default
    if isinstance(words, tuple):
        words = ",".join(map(str, words))
    return "" if words is None else f" ({words})"


def argument_type(kind: Kind) -> Callable[[str], Any]:
    """An argparse type that complains in the words of an option's kind."""

    def parse(text: str) -> Any:
        if kind.choices:  # argparse itself names them
            return text
        try:
            return kind.parse(text)
        except (ValueError, TypeError, OverflowError):
            raise argparse.ArgumentTypeError(f"{text!r} is not {kind.words}") from None

    return parse


def given_options(arguments: argparse.Namespace, options: type[Any]) -> dict[str, Any]:
    """The options of a dataclass that were given, by name."""
    return {
        name: getattr(arguments, name) for name in options_of(options) if hasattr(arguments, name)
    }
