"""What of the command line `kgan-runtime` has not, and what is said of it there."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgan.errors import InputError
from kgan.files import printable
from kgan.installed import is_whole, needs_whole

if TYPE_CHECKING:
    from kgan.cli.main import Parser

# Of the command in whose place this module stands.
HELP = DESCRIPTION = "needs the whole kgan: pip install kgan"


def command(name: str) -> Any:
    """The module of a command, or this one where `kgan-runtime` alone is installed."""
    return importlib.import_module(f"kgan.cli.{name}") if is_whole() else sys.modules[__name__]


def add_arguments(parser: Parser) -> None:
    """Whatever is asked for, --help too, what to install is said instead."""
    parser.refusal = needs_whole(parser.prog)


def run(arguments: argparse.Namespace) -> None:
    """Never: the parser has refused."""


def check_model(model: Path) -> None:
    """Refuses a model that is no export where `kgan-runtime` alone is installed.

    Raises:
        InputError: there is nothing at that path.
        NotInstalled: there is something.
    """
    if is_whole():
        return
    if not model.exists():
        raise InputError(f"No such model. Received: {model}")
    raise needs_whole(f"{printable(model)}, which is no export,")
