"""The commands `kgan` and `kgan-export`; nothing heavy is imported to show help."""

from __future__ import annotations

import argparse
import errno
import re
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

from kgan.cli import export, generate, serve, serve_page
from kgan.cli.arguments import add_commands
from kgan.cli.completion import add_completion
from kgan.cli.interruptible import Interruptible
from kgan.cli.of_the_whole import command
from kgan.errors import KganError, NotInstalled
from kgan.file_systems import no_room
from kgan.files import printable
from kgan.installed import is_whole, needs_whole
from kgan.memory import out_of_memory
from kgan.streams import logged_in_lines, steady_output
from kgan.version import __version__

DESCRIPTION = """\
Train GANs with Keras and deliver the generator as a file any application can run.

  kgan train photos/ --size 64x64 --epochs 25
  kgan watch runs/NAME
  kgan generate runs/NAME -n 64 -o grid.png
  kgan export runs/NAME
  kgan data check photos/
"""
DESCRIPTION_OF_THE_RUNTIME = """\
Draw from generators that kgan exported.

  kgan generate saved_models/photos --seed 7 -n 16 -o grid.png
  kgan export --inspect saved_models/photos
  kgan export saved_models/photos --web page/
  kgan serve-page page/
"""
NUMBERS = re.compile(r"-[\d.][\d.,eE+-]*,[\d.,eE+-]*")  # the first below 0
OPTION = re.compile(r"--[a-z][a-z0-9-]*")

COMMANDS = {
    "train": command("train"),
    "watch": command("watch"),
    "generate": generate,
    "export": export,
    "evaluate": command("evaluate"),
    "explore": command("explore"),
    "data": command("data"),
    "serve": serve,
    "serve-page": serve_page,
    "environment": command("environment"),
}


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaints are one line; every command takes -v.

    Attributes:
        refusal: what is raised in place of parsing; None for a command that is installed.
    """

    refusal: NotInstalled | None = None

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.add_argument(
            "-v",
            "--verbose",
            action="store_true",
            default=argparse.SUPPRESS,
            help="show the traceback of an error too",
        )

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """As argparse's own, to which a value such as -1,1 would look like an option."""
        if self.refusal is not None:
            raise self.refusal
        return super().parse_known_args(_joined(sys.argv[1:] if args is None else args), namespace)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {printable(message, None)} (see {self.prog} --help)\n")


def _joined(arguments: Sequence[str]) -> list[str]:
    """Arguments, `--name -1,1` as `--name=-1,1`."""
    joined: list[str] = []
    for text in arguments:
        if NUMBERS.fullmatch(text) and joined and OPTION.fullmatch(joined[-1]):
            joined[-1] += f"={text}"
        else:
            joined.append(text)
    return joined


def make_parser() -> argparse.ArgumentParser:
    """The parser of `kgan`: every command, its options, and as `run` what carries it out."""
    parser = Parser(
        prog="kgan",
        description=DESCRIPTION if is_whole() else DESCRIPTION_OF_THE_RUNTIME,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"kgan {__version__}")
    add_completion(parser)
    parser.set_defaults(run=lambda _: parser.print_help())  # where no command is given
    add_commands(parser.add_subparsers(title="commands", metavar="COMMAND"), COMMANDS, "run")
    return parser


def make_export_parser() -> argparse.ArgumentParser:
    """The parser of `kgan-export`, which is `kgan export`."""
    parser = Parser(
        prog="kgan-export",
        description=export.DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    export.add_arguments(parser)
    add_completion(parser)
    parser.set_defaults(run=export.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs `kgan`; returns the exit code: 0 done, 2 the user's mistake, 1 else."""
    return call(make_parser(), arguments)


def export_main(arguments: Sequence[str] | None = None) -> int:
    """Runs `kgan-export`."""
    return call(make_export_parser(), arguments)


def call(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> int:
    """Parses and runs; what is known to go wrong becomes one line on stderr and an exit code.

    With -v its traceback comes first.
    """
    with steady_output() as (output, _), logged_in_lines(), Interruptible() as interruption:
        try:
            try:
                code = _run(parser, arguments, interruption)
            except Exception:  # a fault of kgan's own: here, where no terminal obeys what it quotes
                traceback.print_exc()
                code = 1
            output.flush()
        except KeyboardInterrupt:
            print(f"\n{parser.prog}: interrupted", file=sys.stderr)
            code = 1
        # A reader that has seen enough, as `head`, is no mistake.
        if output.problem is not None and output.problem.errno != errno.EPIPE:
            reason = output.problem.strerror
            print(f"{parser.prog}: error: Cannot write the output ({reason})", file=sys.stderr)
            code = code or 1
        return code


def _run(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None,
    interruption: Interruptible,
) -> int:
    parsed = None
    try:
        parsed = parser.parse_args(arguments)
        return parsed.run(parsed) or 0
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) or interruption.came:
            raise KeyboardInterrupt from error
        known = _meaning(error)
        if known is None:
            raise
        code, message = known
    if getattr(parsed, "verbose", False):
        traceback.print_exc()
    print(f"{parser.prog}: error: {printable(message, None)}", file=sys.stderr)
    return code


def _meaning(error: BaseException) -> tuple[int, str] | None:
    """(exit code, one line) of an exception whose meaning is known; None for any other."""
    if isinstance(error, ModuleNotFoundError) and not is_whole():
        error = needs_whole("This")
    if isinstance(error, KganError):
        return error.exit_code, str(error)
    full = no_room(error)
    if full is not None:
        return 1, f"{full.strerror}: {full.filename}" if full.filename else str(full.strerror)
    if isinstance(error, OSError) and error.filename is not None:
        return 2, f"{error.strerror}: {error.filename}"
    exhausted = out_of_memory(error)
    return None if exhausted is None else (exhausted.exit_code, str(exhausted))
