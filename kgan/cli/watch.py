"""`kgan watch`."""

from __future__ import annotations

import argparse
from pathlib import Path

from kgan.cli import page_options
from kgan.errors import InputError
from kgan.files import printable
from kgan.loopback import RUN_PORT
from kgan.runs.directory import newest_run, read_options

HELP = "show a run on a page, as it trains and afterwards"
DESCRIPTION = """\
Shows a run on a page of this machine: how far it is, its samples beside earlier
ones, its curves, what the run doctor said, its settings. It reads the run's
directory alone: the run may be in training, have ended, or begin later.
Ctrl-C ends it. `kgan train --watch` shows a training from within.

  kgan watch                          the newest run in runs/
  kgan watch runs/NAME --open
  kgan watch runs/NAME -o page.html   as it is now, one file to keep or to send
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "run_directory",
        nargs="?",
        type=Path,
        metavar="RUN",
        help="the run's directory (the newest run in runs/)",
    )
    page_options.add_arguments(parser, RUN_PORT)
    parser.add_argument(
        "-o", "--output", type=Path, metavar="HTML", help="write the page to this file instead"
    )


def run(arguments: argparse.Namespace) -> None:
    """Writes the page and prints its path, or prints its address and serves it until Ctrl-C."""
    written = arguments.output
    if written is not None and (arguments.open or arguments.port):
        raise InputError(
            f"--port and --open are for a served page, -o writes one. Received: -o {written}"
        )
    directory = arguments.run_directory
    if directory is None:
        directory = newest_run()
        print(f"the newest run: {printable(directory, None)}")
    if directory.exists() or written is not None:
        read_options(directory)  # which refuses what is no run
    else:
        print(f"{printable(directory, None)} is not there yet: the page waits for it")
    from kgan import watch

    if written is not None:
        watch.save_page(directory, written)
        print(printable(written, None))
        return
    page_options.serve(watch.WatchServer(directory, arguments.port), arguments)
