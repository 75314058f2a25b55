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
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any, NamedTuple

from kgan.errors import InputError
from kgan.files import printable

LOG = logging.getLogger("kgan")
LONGEST = 2**16  # bytes of one message
PAUSE = 0.2  # seconds between two looks
SAID_AFTER = 2.0  # seconds of waiting
SAID_EVERY = 60.0
STEPPED = threading.Event()  # the workers have taken a step together
GRACE = 3.0  # seconds in which Python takes a signal, where nothing holds it
TIDYING = 10.0  # more, once it has taken one
ENDING = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows lacks the last


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
    _listen(workers[own]).close()  # TensorFlow would tell only once all are there
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


def take_signals_back() -> None:
    """Has Python handle again what it handled, where TensorFlow's C++ took it when it joined them.

    It takes SIGTERM, for notices of preemption.
    """
    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in ENDING if hasattr(signal, name)):
            handler = signal.getsignal(number)
            if callable(handler):
                signal.signal(number, handler)


@contextlib.contextmanager
def ends_when_told() -> Iterator[None]:
    """Context manager: what ends this process does so also where TensorFlow waits in C++.

    That is Ctrl-C, SIGTERM and SIGHUP, those of them that Python handles; Python alone would
    wait for TensorFlow, which waits for the other workers. From the first step that all took, while
    something within the block handles them, as a training that ends after its step, it takes a
    second one. Once Python has taken one it has `TIDYING` seconds to take away what it began.
    """
    if threading.current_thread() is not threading.main_thread():  # signals are the main one's
        yield
        return
    STEPPED.clear()
    over, taken = threading.Event(), threading.Event()

    def pass_on(number: int, frame: FrameType | None) -> None:
        taken.set()
        before[number](number, frame)

    before: dict[int, Callable[[int, FrameType | None], Any]] = {}
    for number in (getattr(signal, name) for name in ENDING if hasattr(signal, name)):
        handler = signal.getsignal(number)
        if callable(handler):  # not what `nohup` ignores, nor what ends the process by itself
            before[number] = handler
            signal.signal(number, pass_on)
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    wakeup = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    watch = _Watch(reader, set(before), pass_on, over, taken)
    threading.Thread(target=watch.end_when_told, daemon=True).start()
    try:
        yield
    finally:
        over.set()
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        writer.close()


class _Watch(NamedTuple):
    """What the thread needs that ends the process where the main one is held in C++.

    Attributes:
        reader: gives the number of each signal, when it comes.
        numbers: of signals that end the process.
        handler: theirs, while nothing within the block handles them.
        over: the block has ended.
        taken: Python has handled one.
    """

    reader: socket.socket
    numbers: set[int]
    handler: object
    over: threading.Event
    taken: threading.Event

    def end_when_told(self) -> None:
        told = 0
        with self.reader:
            while data := self.reader.recv(1):
                if data[0] not in self.numbers:
                    continue
                told += 1
                handled = STEPPED.is_set() and signal.getsignal(data[0]) is not self.handler
                if told <= handled or self.over.wait(GRACE):
                    continue
                # What Python tidies up takes longer, but can be held in C++ too.
                if not self.taken.is_set() or not self.over.wait(TIDYING):
                    print("\nkgan: interrupted", file=sys.stderr, flush=True)
                    os._exit(1)
