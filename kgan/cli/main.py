"""The commands `kgan` and `kgan-export`; nothing heavy is imported to show help."""

import argparse
import sys

from kgan.cli import data, export, generate, train
from kgan.errors import KganError
from kgan.version import __version__

DESCRIPTION = """\
Train GANs with Keras and deliver the generator as a file any application can run.

  kgan train photos/ --size 64x64 --epochs 25
  kgan generate runs/NAME -n 64 -o grid.png
  kgan export runs/NAME
  kgan data check photos/
"""


COMMANDS = {"train": train, "generate": generate, "export": export, "data": data}


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose complaints are one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def main(arguments=None):
    """Runs `kgan`; returns the exit code: 0 done, 2 the user's mistake, 1 interrupted."""
    parser = Parser(
        prog="kgan", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"kgan {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        subparser = commands.add_parser(
            name,
            help=command.HELP,
            description=command.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return call(parser, arguments)


def export_main(arguments=None):
    """Runs `kgan-export`, which is `kgan export`."""
    parser = Parser(
        prog="kgan-export",
        description=export.DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    export.add_arguments(parser)
    parser.set_defaults(run=export.run)
    return call(parser, arguments)


def call(parser, arguments):
    """Parses and runs; a user's mistake becomes one line on stderr and exit code 2."""
    arguments = parser.parse_args(arguments)
    try:
        return arguments.run(arguments) or 0
    except KganError as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        if error.filename is None:
            raise
        print(f"{parser.prog}: error: {error.strerror}: {error.filename}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\n{parser.prog}: interrupted", file=sys.stderr)
        return 1
