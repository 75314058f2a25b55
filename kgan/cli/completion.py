"""`--print-completion`: a script with which a shell completes commands, options and files."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kgan.preset_list import LISTED

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")
# What stands for files and folders in help, where the type is no path.
FILES = ("DATA", "DIR", "FILE", "PICTURE", "PICTURES")


class PrintCompletion(argparse.Action):
    """Prints the script for a shell, and ends."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Prints what `shtab` makes of the parser."""
        import shtab

        for action in _actions(parser):
            metavar = action.metavar or ""
            if action.type is Path or metavar in FILES:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            elif "--preset" in action.option_strings:
                action.choices = list(LISTED)
        print(shtab.complete(parser, shell=values))
        parser.exit()


def add_completion(parser: argparse.ArgumentParser) -> None:
    """Adds the option."""
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        choices=SHELLS,
        help="print what lets a shell complete commands and options",
    )


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Those of a parser and of every command below it."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _actions(below)
