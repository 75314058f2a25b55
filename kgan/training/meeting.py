"""Workers meet before TensorFlow joins them: who is missing is said, and settings are compared.

TensorFlow's own waiting tells nobody for whom, and takes no Ctrl-C. So the first worker listens at
its address until all others have said what they were started with; then TensorFlow has it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from kgan.errors import InputError
from kgan.files import printable

LOG = logging.getLogger("kgan")
LONGEST = 2**16  # bytes of one message
PAUSE = 0.2  # seconds between two looks
SAID_AFTER = 2.0  # seconds of waiting
SAID_EVERY = 60.0
GRACE = 3.0  # seconds in which Python ends by itself
STEPPED = threading.Event()  # the workers have taken a step together


def meet(workers: Sequence[str], own: int, settings: dict[str, Any]) -> None:
    """Returns when all workers are there and were started with the same settings.

    Args:
        workers: the address of each, HOST:PORT; the first is where all meet.
        own: which of them this process is.
        settings: what they were started with, of what JSON holds; only equal ones go together.

    Raises:
        InputError: settings that differ, or an address that cannot be listened at.
    """
    if len(workers) < 2:
        return
    settings = json.loads(json.dumps(settings))
    _receive(workers, settings) if own == 0 else _report(workers, own, settings)


class _Waiting:
    """Says for whom this worker waits: soon after it began, and now and then."""

    def __init__(self) -> None:
        self.next = time.monotonic() + SAID_AFTER

    def say(self, workers: Sequence[str]) -> None:
        if time.monotonic() >= self.next:
            LOG.warning("waiting for %s", ", ".join(map(printable, workers)))
            self.next = time.monotonic() + SAID_EVERY


def _receive(workers: Sequence[str], settings: dict[str, Any]) -> None:
    there: dict[int, tuple[socket.socket, Any]] = {}
    waiting = _Waiting()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(_listen(workers[0]))
        while len(there) < len(workers) - 1:
            if select.select([server], [], [], PAUSE)[0]:
                connection = stack.enter_context(server.accept()[0])
                number, said = _introduced(connection, len(workers))
                if number:
                    there[number] = connection, said
            for number, (connection, _) in list(there.items()):
                if select.select([connection], [], [], 0)[0]:  # it has gone, or breaks the rules
                    del there[number]
            missing = [workers[n] for n in range(1, len(workers)) if n not in there]
            _tell([connection for connection, _ in there.values()], {"missing": missing})
            if missing:
                waiting.say(missing)
        problem = _difference(workers, settings, {n: said for n, (_, said) in there.items()})
        _tell([connection for connection, _ in there.values()], {"problem": problem})
    if problem is not None:
        raise InputError(problem)


def _listen(address: str) -> socket.socket:
    port = int(address.rpartition(":")[2])
    try:
        if socket.has_dualstack_ipv6():
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
        return socket.create_server(("", port))
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise InputError(
            f"Cannot listen at this worker's address ({reason}). Received: {address}"
        ) from None


def _introduced(connection: socket.socket, count: int) -> tuple[int | None, Any]:
    """(which worker has connected, its settings); None for who is none."""
    connection.settimeout(5.0)
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
        said = _read(connection)
        if said["worker"] in range(1, count):
            return int(said["worker"]), said["settings"]
    return None, None


def _report(workers: Sequence[str], own: int, settings: dict[str, Any]) -> None:
    waiting = _Waiting()
    while True:
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            host, _, port = workers[0].rpartition(":")
            with socket.create_connection((host.strip("[]"), int(port)), timeout=5.0) as connection:
                _tell([connection], {"worker": own, "settings": settings})
                while "problem" not in (said := _read(connection)):
                    waiting.say(said["missing"] or workers[:1])
                break
        waiting.say(workers[:1])
        time.sleep(PAUSE)
    if said["problem"] is not None:
        raise InputError(str(said["problem"]))


def _tell(connections: Sequence[socket.socket], message: dict[str, Any]) -> None:
    for connection in connections:
        with contextlib.suppress(OSError):  # who has gone is missed at the next look
            connection.sendall(json.dumps(message).encode() + b"\n")


def _read(connection: socket.socket) -> Any:
    line = b""
    while not line.endswith(b"\n"):
        data = connection.recv(1)
        if not data or len(line) > LONGEST:
            raise ValueError("no whole message")
        line += data
    return json.loads(line)


def _difference(workers: Sequence[str], own: Any, others: dict[int, Any]) -> str | None:
    """What settings differ, in one line; None where none do."""
    for number, settings in sorted(others.items()):
        for name in sorted({*own, *settings}):
            if own.get(name) != settings.get(name):
                return (
                    f"All workers are started with the same settings. Received: {printable(name)} "
                    f"{printable(_worded(own.get(name)))} at {workers[0]}, "
                    f"{printable(_worded(settings.get(name)))} at {workers[number]}"
                )
    return None


def _worded(value: Any) -> str:
    return "not given" if value is None else json.dumps(value)


@contextlib.contextmanager
def ends_when_told() -> Iterator[None]:
    """Context manager: Ctrl-C and SIGTERM end this process also where TensorFlow waits in C++.

    Python alone would wait for TensorFlow, which waits for the other workers. From the first step
    that all took, after which a training ends by itself when told, it takes a second signal.
    """
    if threading.current_thread() is not threading.main_thread():  # signals are the main one's
        yield
        return
    STEPPED.clear()
    over = threading.Event()
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    wakeup = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_end_when_told, args=(reader, over), daemon=True).start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGTERM, before)
        writer.close()


def _end_when_told(reader: socket.socket, over: threading.Event) -> None:
    told = 0
    with reader:
        while data := reader.recv(1):
            told += data[0] in (signal.SIGINT, signal.SIGTERM)
            if told > STEPPED.is_set() and not over.wait(GRACE):
                print("\nkgan: interrupted while waiting for the other workers", file=sys.stderr)
                sys.stderr.flush()
                os._exit(1)
