"""`kgan data`: commands on pictures, before any training."""

import argparse

from kgan.cli import data_check, data_pack
from kgan.cli.arguments import add_commands

HELP = "look at pictures before training"
DESCRIPTION = """\
Commands on pictures, before any training.

  kgan data check photos/
  kgan data pack photos/ --size 64x64 -o shards/
"""
COMMANDS = {"check": data_check, "pack": data_pack}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the commands, each with its own arguments."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_commands(commands, COMMANDS, "run_data")


def run(arguments: argparse.Namespace) -> int | None:
    """Runs the command that was chosen."""
    return arguments.run_data(arguments)
