"""The server of `kgan serve`: its socket, and the loop that answers."""

from __future__ import annotations

import socket

import uvicorn

from kgan.errors import InputError
from kgan.files import printable
from kgan.http_server.application import SECONDS, Application
from kgan.http_server.serve_options import ServeOptions
from kgan.runtime import Generator


class ExportServer:
    """Serves a generator's pictures, ready when it is made; `serve_forever` answers.

    Args:
        generator: draws.
        options: where it listens, and what it takes.

    Raises:
        InputError: the port is taken, or this process may not listen there.
    """

    def __init__(self, generator: Generator, options: ServeOptions) -> None:
        self.host = options.host
        family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
        try:
            self.socket = socket.create_server((options.host, options.port), family=family)
        except (OSError, OverflowError, UnicodeError) as problem:
            where = printable(f"{options.host}:{options.port}")
            raise InputError(
                f"Nothing can be served there ({problem}); --host is an address of this machine, "
                f"--port takes one that is free. Received: {where}"
            ) from None
        # What it accepts has that too. Else an answer's body waits some 40 ms for the client's word
        # that its headers have come; asyncio sets it where a socket names its protocol alone.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Nothing of it goes to the output; warnings and errors are lines as any library's.
        config = uvicorn.Config(
            Application(generator, options),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=SECONDS,
        )
        self._server = uvicorn.Server(config)

    @property
    def url(self) -> str:
        """Its address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.socket.getsockname()[1]}/"

    def serve_forever(self) -> None:
        """Answers until SIGTERM or Ctrl-C; what has begun is finished first.

        Raises:
            KeyboardInterrupt: it ended that way, where signals are taken as a command takes them.
        """
        self._server.run([self.socket])

    def stop(self) -> None:
        """Ends `serve_forever`, which runs in another thread."""
        self._server.should_exit = True
