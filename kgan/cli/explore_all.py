"""`kgan explore all`."""

from __future__ import annotations

import argparse

from kgan.cli.explore_arguments import add_data, add_model_and_output, opened
from kgan.files import printable

HELP = "every experiment that applies, on one page"
DESCRIPTION = """\
Runs every experiment that applies to a model, smaller than its own command does,
and writes DIR/index.html, a page for people that opens from the disk, without a
network: pictures, captions and figures are in it. What does not apply is named
with the reason. Beside it are each experiment's .png and .json. Takes minutes.

  kgan explore all runs/NAME -o report/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_model_and_output(parser, "report", "the folder of the page", "DIR")
    add_data(parser)


def run(arguments: argparse.Namespace) -> None:
    """Prints each experiment as it ends and, last, the page's path."""
    subject = opened(arguments.model, networks=True)
    from kgan.runs.exploring_all import report

    page = report(
        arguments.model,
        subject,
        arguments.output,
        arguments.data,
        told=lambda line: print(printable(line, None), flush=True),
    )
    print(printable(page, None))
