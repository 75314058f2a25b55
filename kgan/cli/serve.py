"""`kgan serve`."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from kgan.cli.arguments import add_options, given_options
from kgan.errors import NotInstalled
from kgan.http_server.serve_options import ServeOptions
from kgan.installed import is_whole
from kgan.manifest import PRECISIONS

HELP = "serve an export's pictures over HTTP"
DESCRIPTION = """\
Serves an export's pictures over HTTP, drawn by onnxruntime, to this machine alone
unless --host says another address. What is asked for at the same time is drawn
together; a seed's picture stays what kgan generate draws. GET /generate?seed=7
is a PNG, POST /generate takes JSON; /health and /metrics (Prometheus) are for
machines. SIGTERM and Ctrl-C end it when what has begun is answered. Needs
pip install kgan[serve], or kgan-runtime[serve] (docs/serving.md).

  kgan serve saved_models/NAME
  kgan serve saved_models/NAME --host 0.0.0.0 --port 80 --batch-size 32
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("export", metavar="EXPORT", type=Path, help="an export, or its .onnx file")
    parser.add_argument(
        "--precision", choices=PRECISIONS, help="which of its ONNX files draws (float32)"
    )
    add_options(parser, ServeOptions)


def run(arguments: argparse.Namespace) -> None:
    """Prints the address and serves until SIGTERM or Ctrl-C."""
    options = ServeOptions(**given_options(arguments, ServeOptions))
    try:
        from kgan.http_server.export_server import ExportServer
    except ModuleNotFoundError as missing:
        distribution = "kgan" if is_whole() else "kgan-runtime"
        raise NotInstalled(
            "kgan serve needs starlette, uvicorn and prometheus_client: pip install "
            f"{distribution}[serve]. Not found: {missing.name}"
        ) from None
    from kgan.runtime import Generator

    server = ExportServer(Generator(arguments.export, arguments.precision), options)
    with contextlib.suppress(KeyboardInterrupt):  # how a server is ended
        print(f"{server.url}   (Ctrl-C ends it)", flush=True)
        server.serve_forever()
