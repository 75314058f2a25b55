"""The server of a run's page: of this machine alone, and it only reads."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from kgan.errors import InputError
from kgan.files import first_line
from kgan.loopback import RUN_PORT, LoopbackAnswer, LoopbackServer
from kgan.runs.directory import SAMPLES
from kgan.watch.followed_run import FollowedRun
from kgan.watch.sheet_files import read_sheet
from kgan.watch.watch_page import content_policy, live_page

READING = 0.2  # seconds that an answer may read for: in a training it takes no more from its steps
SHEET = re.compile(rf"/{SAMPLES}/([^/]+)")


class WatchServer(LoopbackServer):
    """Serves a run's page on 127.0.0.1, ready when it is made; `serve_forever` answers.

    Args:
        directory: the run's, which may not be there yet.
        port: where; None for 5426, or any other that is free where that one is taken.

    Raises:
        InputError: `port` is taken, or this process may not listen there.
    """

    def __init__(self, directory: str | os.PathLike[str], port: int | None = None) -> None:
        self.run = FollowedRun(Path(directory))
        self.page = live_page().encode()
        super().__init__(Answer, RUN_PORT, port)


class Answer(LoopbackAnswer):
    """An answer of a `WatchServer`: its page, what is new in the run, or a sheet of samples."""

    server: WatchServer

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
        if not self.is_asked_here():
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
        more = {
            "Cache-Control": cache,
            "Content-Security-Policy": content_policy(live=True),
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        self.send_content(status, kind, data, more)


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
