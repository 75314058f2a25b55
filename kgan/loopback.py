"""Servers of pages for this machine alone."""

from __future__ import annotations

import http.server
import os
import socketserver
from http import HTTPStatus
from typing import Any

from kgan.errors import InputError

HOST = "127.0.0.1"
# Ports that stay can be forwarded, or kept in a tab. Of a run: K, G, A, N on a telephone's keys.
RUN_PORT, PAGE_PORT = 5426, 8000
# A page of another site can let a browser ask under a name of its own that leads to this machine.
OWN_NAMES = (HOST, "localhost")
ASK_HERE = f"Ask for {' or '.join(OWN_NAMES)}."


def is_own_name(host: str) -> bool:
    """Whether a request's Host header, with a port or without, is a name of this machine."""
    return (host.rpartition(":")[0] or host) in OWN_NAMES


class LoopbackServer(http.server.ThreadingHTTPServer):
    """A server on 127.0.0.1, ready when it is made; `serve_forever` answers.

    Args:
        answer: the class that answers, a `LoopbackAnswer`.
        usual: the port where none is asked for, or any other that is free where it is taken.
        port: the one that is asked for; None for none.

    Raises:
        InputError: `port` is taken, or this process may not listen there.
    """

    daemon_threads = True
    block_on_close = False  # a browser may keep a connection open
    allow_reuse_address = os.name != "nt"  # on Windows it would mean a port that another one has

    def __init__(self, answer: type[LoopbackAnswer], usual: int, port: int | None = None) -> None:
        try:
            super().__init__((HOST, usual if port is None else port), answer)
        except (OSError, OverflowError) as problem:
            if port is not None:
                raise InputError(
                    f"No page can be served there ({problem}); --port takes one that is free. "
                    f"Received: {port}"
                ) from None
            super().__init__((HOST, 0), answer)

    def server_bind(self) -> None:
        """As its own, which also asks the network for this machine's name, and may wait for it."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a browser that goes away is no news, and a training's output is not for it."""

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{HOST}:{self.server_port}/"


class LoopbackAnswer(http.server.BaseHTTPRequestHandler):
    """An answer of a `LoopbackServer`, which asks `is_asked_here` before all else."""

    timeout = 30  # seconds for a request to come
    server_version, sys_version = "kgan", ""

    def is_asked_here(self) -> bool:
        """Whether it is this machine's own name that was asked; else refuses, and that is all."""
        if is_own_name(self.headers.get("Host", "")):
            return True
        self.send_content(HTTPStatus.FORBIDDEN, "text/plain", ASK_HERE.encode(), {})
        return False

    def send_content(self, status: int, kind: str, data: bytes, more: dict[str, str]) -> None:
        """Sends data of a media type, with more headers."""
        self.send_response(status)
        text = "" if kind == "image/png" else "; charset=utf-8"
        headers = {"Content-Type": kind + text, "Content-Length": str(len(data)), **more}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is logged."""
