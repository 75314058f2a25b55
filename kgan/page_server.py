"""Serves a page that `kgan export --web` wrote, with what lets its network run in threads."""

from __future__ import annotations

import http.server
import os
from http import HTTPStatus
from pathlib import Path
from typing import Any

from kgan.errors import InputError
from kgan.loopback import PAGE_PORT, LoopbackAnswer, LoopbackServer

FIRST_FILE = "index.html"


class PageServer(LoopbackServer):
    """Serves the files of a folder on 127.0.0.1, ready when it is made; `serve_forever` answers.

    Args:
        directory: the folder, with an index.html.
        port: where; None for 8000, or any other that is free where that one is taken.

    Raises:
        InputError: there is no page, or `port` is taken.
    """

    def __init__(self, directory: str | os.PathLike[str], port: int | None = None) -> None:
        self.directory = Path(directory)
        if not (self.directory / FIRST_FILE).is_file():
            raise InputError(
                f"Not a page: a folder with {FIRST_FILE}, as kgan export --web writes it, was "
                f"expected. Received: {directory}"
            )
        super().__init__(PageAnswer, PAGE_PORT, port)


class PageAnswer(LoopbackAnswer, http.server.SimpleHTTPRequestHandler):
    """An answer of a `PageServer`: a file below its folder."""

    server: PageServer

    def __init__(self, request: Any, client_address: Any, server: PageServer) -> None:
        # As a machine's own table may not know them, or say something else.
        self.extensions_map = {
            **http.server.SimpleHTTPRequestHandler.extensions_map,
            ".js": "text/javascript",
            ".mjs": "text/javascript",
            ".wasm": "application/wasm",
        }
        super().__init__(request, client_address, server, directory=os.fspath(server.directory))

    def do_GET(self) -> None:
        """Sends the file."""
        if self.is_asked_here():
            super().do_GET()

    def do_HEAD(self) -> None:
        """Sends the file's headers."""
        if self.is_asked_here():
            super().do_HEAD()

    def list_directory(self, path: str | os.PathLike[str]) -> None:
        """Nothing: a page asks for its files by name."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        """As its own, after those of cross-origin isolation: with them a browser shares memory."""
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()
