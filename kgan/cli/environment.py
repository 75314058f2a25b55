"""`kgan environment`."""

from __future__ import annotations

import argparse

from kgan.cli import quiet_tensorflow
from kgan.files import aligned, printable

HELP = "show versions, processors, GPUs and room of this machine"
DESCRIPTION = """\
Shows what a training finds on this machine: versions, processors, GPUs or why
there are none, free memory and disk, and the precision that --precision auto takes.

  kgan environment
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(arguments: argparse.Namespace) -> None:
    """Prints a line for each."""
    quiet_tensorflow.import_tensorflow()
    from kgan.training.this_machine import described

    print(*aligned([(what, printable(words)) for what, words in described()]), sep="\n")
