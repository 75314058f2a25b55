"""`kgan environment`."""

from __future__ import annotations

import argparse

from kgan.cli import quiet_tensorflow
from kgan.files import aligned, printable
from kgan.telling import telling

HELP = "show versions, processors, GPUs and room of this machine, and train for 5 seconds"
DESCRIPTION = """\
Shows what a training finds on this machine: versions, processors, GPUs or why
there are none, free memory and disk, and the precision that --precision auto takes.
Then it trains for 5 seconds on the pictures that ship with kgan, and says how fast.

  kgan environment
"""
SECONDS = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(arguments: argparse.Namespace) -> None:
    """Prints a line for each, the training's when it is done."""
    quiet_tensorflow.import_tensorflow()
    from kgan.runs.short_training import short_training
    from kgan.training.this_machine import described

    rows = [(what, printable(words)) for what, words in described()]
    print(*aligned(rows), sep="\n", flush=True)  # a training that fails may take the process along
    with telling():
        rows.append(("training", short_training(SECONDS)))
    print(aligned(rows)[-1])
