"""What the commands that serve a page on this machine have in common."""

from __future__ import annotations

import argparse

from kgan.cli.arguments import argument_type
from kgan.loopback import LoopbackServer
from kgan.option_fields import WHOLE


def add_arguments(parser: argparse.ArgumentParser, usual: int) -> None:
    """Adds --port, with the one that is taken where none is asked for, and --open."""
    parser.add_argument(
        "--port",
        type=argument_type(WHOLE),
        metavar="N",
        help=f"of the page's address ({usual}; a free one where that is taken)",
    )
    parser.add_argument("--open", action="store_true", help="open the page in the browser")


def serve(server: LoopbackServer, arguments: argparse.Namespace) -> None:
    """Prints the page's address and serves it until Ctrl-C."""
    try:
        print(f"{server.url}   (Ctrl-C ends it)", flush=True)
        if arguments.open:
            import webbrowser

            webbrowser.open(server.url)
        server.serve_forever()
    except KeyboardInterrupt:
        pass  # how a server is ended
    finally:
        server.server_close()
