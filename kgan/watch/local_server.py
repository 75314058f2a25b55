"""The server of a run's page: of this machine alone, and it only reads."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import re
import socketserver
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from kgan.errors import InputError
from kgan.files import first_line
from kgan.runs.directory import SAMPLES
from kgan.watch.followed_run import FollowedRun
from kgan.watch.sheet_files import read_sheet
from kgan.watch.watch_page import content_policy, live_page

HOST = "127.0.0.1"
PORT = 5426  # the keys K, G, A, N of a telephone; one that stays can be forwarded, or kept in a tab
READING = 0.2  # seconds that an answer may read for: in a training it takes no more from its steps
SHEET = re.compile(rf"/{SAMPLES}/([^/]+)")
# A page of another site can let a browser ask under a name of its own that leads to this machine.
OWN_NAMES = ("127.0.0.1", "localhost")


class WatchServer(http.server.ThreadingHTTPServer):
    """Serves a run's page on 127.0.0.1, ready when it is made; `serve_forever` answers.

    Args:
        directory: the run's, which may not be there yet.
        port: where; None for 5426, or any other that is free where that one is taken.

    Raises:
        InputError: `port` is taken, or this process may not listen there.
    """

    daemon_threads = True
    block_on_close = False  # a browser may keep a connection open
    allow_reuse_address = os.name != "nt"  # on Windows it would mean a port that another one has

    def __init__(self, directory: str | os.PathLike[str], port: int | None = None) -> None:
        self.run = FollowedRun(Path(directory))
        self.page = live_page().encode()
        try:
            super().__init__((HOST, PORT if port is None else port), Answer)
        except (OSError, OverflowError) as problem:
            if port is not None:
                raise InputError(
                    f"No page can be served there ({problem}); --port takes one that is free. "
                    f"Received: {port}"
                ) from None
            super().__init__((HOST, 0), Answer)

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


class Answer(http.server.BaseHTTPRequestHandler):
    """An answer of a `WatchServer`: its page, what is new in the run, or a sheet of samples."""

    server: WatchServer
    timeout = 30  # seconds for a request to come
    server_version, sys_version = "kgan", ""

    def do_GET(self) -> None:
        """Answers; what goes wrong is the answer too."""
        try:
            self._answer()
        except (InputError, FileNotFoundError) as problem:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", first_line(problem).encode())
        except ConnectionError:
            raise  # nobody is there
        except Exception as problem:
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", first_line(problem).encode())

    do_HEAD = do_GET

    def _answer(self) -> None:
        name = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if name not in OWN_NAMES:
            self._send(HTTPStatus.FORBIDDEN, "text/plain", b"Ask for 127.0.0.1 or localhost.")
            return
        address = urllib.parse.urlsplit(self.path)
        sheet = SHEET.fullmatch(address.path)
        if address.path == "/":
            self._send(HTTPStatus.OK, "text/html", self.server.page)
        elif address.path == "/news":
            asked = dict(urllib.parse.parse_qsl(address.query))
            after = asked.get("after", "")
            serial = int(after) if re.fullmatch(r"\d{1,15}", after) else None
            news = self.server.run.news(serial, asked.get("session"), READING)
            self._send(HTTPStatus.OK, "application/json", json.dumps(news).encode())
        elif sheet:
            data = read_sheet(self.server.run.directory / SAMPLES, sheet[1])
            # The address has the time of its change in it.
            self._send(HTTPStatus.OK, "image/png", data, "private, max-age=86400")
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"Nothing is here.")

    def _send(self, status: int, kind: str, data: bytes, cache: str = "no-store") -> None:
        self.send_response(status)
        text = "" if kind == "image/png" else "; charset=utf-8"
        for name, value in {
            "Content-Type": kind + text,
            "Content-Length": str(len(data)),
            "Cache-Control": cache,
            "Content-Security-Policy": content_policy(live=True),
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is logged."""


@contextlib.contextmanager
def served_beside(directory: str | os.PathLike[str]) -> Iterator[None]:
    """Context manager: serves a run's page from a thread while the block runs, and says where.

    What is wrong with it is said too, and never raised: the block is a training.

    Args:
        directory: the run's.
    """
    try:
        server = WatchServer(directory)
    except Exception as problem:
        print(f"no page to watch ({first_line(problem)}); training goes on", file=sys.stderr)
        yield
        return
    threading.Thread(target=server.serve_forever, name="kgan watch", daemon=True).start()
    print(f"watch: {server.url}", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
