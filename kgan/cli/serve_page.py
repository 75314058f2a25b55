"""`kgan serve-page`."""

from __future__ import annotations

import argparse
from pathlib import Path

from kgan.cli import page_options
from kgan.loopback import PAGE_PORT
from kgan.page_server import PageServer

HELP = "serve a page of kgan export --web on this machine"
DESCRIPTION = """\
Serves a page that kgan export --web wrote, to this machine's browsers alone, with
the headers that let its network run in several threads. Ctrl-C ends it. On the web
any server of files does (docs/browser.md).

  kgan export saved_models/NAME --web page/
  kgan serve-page page/ --open
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("directory", type=Path, metavar="DIR", help="the page's folder")
    page_options.add_arguments(parser, PAGE_PORT)


def run(arguments: argparse.Namespace) -> None:
    """Prints the page's address and serves it until Ctrl-C."""
    page_options.serve(PageServer(arguments.directory, arguments.port), arguments)
