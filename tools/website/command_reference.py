"""The pages of the command line's reference, from the parsers that the commands run by."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from kgan.cli.main import make_export_parser, make_parser
from website.docstrings import prose

TITLE = "Command-line reference"
UNDERLINES = "=-~"
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


def pages() -> dict[str, str]:
    """Name of a page -> its text: `kgan` itself, which leads to the others, and one a command."""
    program = make_parser()
    commands = {parser.prog: parser for parser in commands_of(program)}
    names = [prog.replace(" ", "-") for prog in commands]
    same = f"``{make_export_parser().prog}`` is ``kgan export``, by itself."
    tree = [".. toctree::", "", *(f"   {name}" for name in names)]
    first = [*_heading(TITLE, 0), *_body(program, 0), same, "", *tree, ""]
    made = [_section(parser, 0) for parser in commands.values()]
    return {"command-line": "\n".join(first), **dict(zip(names, map("\n".join, made), strict=True))}


def commands_of(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parsers of a parser's commands, in their order."""
    return [
        command
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for command in action.choices.values()
    ]


def _section(parser: argparse.ArgumentParser, depth: int) -> list[str]:
    lines = [*_heading(parser.prog, depth), *_body(parser, depth)]
    for command in commands_of(parser):
        lines += _section(command, depth + 1)
    return lines


def _heading(text: str, depth: int) -> list[str]:
    return [text, UNDERLINES[depth] * len(text), ""]


def _body(parser: argparse.ArgumentParser, depth: int) -> list[str]:
    lines = [*_description(parser.description or ""), f".. program:: {parser.prog}", ""]
    unnamed = (parser._positionals.title, parser._optionals.title)
    for group in parser._action_groups:
        shown = [
            action
            for action in group._group_actions
            if action.help is not argparse.SUPPRESS
            and not isinstance(action, argparse._SubParsersAction | argparse._HelpAction)
        ]
        if shown and group.title in unnamed:
            lines += [f".. rubric:: {group.title.capitalize()}", ""]
        elif shown:
            lines += _heading(group.title[0].upper() + group.title[1:], depth + 1)
        for action in shown:
            lines += [f".. option:: {invocation(action)}", "", f"   {_help(parser, action)}", ""]
    return lines


def _description(text: str) -> Iterator[str]:
    """The paragraphs of a description; lines that are indented are commands to type."""
    for paragraph in text.strip("\n").split("\n\n"):
        lines = paragraph.splitlines()
        if lines[0].startswith("  "):
            yield from ("::", "", *(f" {line}" for line in lines), "")
        else:
            yield from (*map(_said, lines), "")


def _said(text: str) -> str:
    """A line of help, options in it as code."""
    return prose(OPTION.sub(r"`\g<0>`", text))


def invocation(action: argparse.Action) -> str:
    """How an argument is typed: "-o FILE, --output FILE"."""
    value = action.metavar or action.dest.upper()
    if action.choices is not None and action.metavar is None:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    shapes = {0: "", "?": f"[{value}]", "*": f"[{value} ...]", "+": f"{value} ..."}
    if action.nargs in shapes:
        value = shapes[action.nargs]
    elif isinstance(action.nargs, int):
        value = " ".join([value] * action.nargs)
    return ", ".join(f"{option} {value}".strip() for option in action.option_strings) or value


def _help(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = _said(parser._get_formatter()._expand_help(action))
    rivals = [
        f":option:`{other.option_strings[-1]}`" if other.option_strings else f"``{other.metavar}``"
        for group in parser._mutually_exclusive_groups
        if action in group._group_actions
        for other in group._group_actions
        if other is not action and other.help is not argparse.SUPPRESS
    ]
    return f"{text}. Not with {', '.join(rivals)}." if rivals else text
