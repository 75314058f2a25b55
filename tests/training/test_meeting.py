"""Workers meet before TensorFlow joins them."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import kgan
from kgan.training import meeting
from kgan.training.distribution import make_strategy


def addresses(n):
    """Of this machine, with ports that are free."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    found = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return found


def call(address, message):
    """Says something to who listens there, once it does; the connection is the caller's."""
    host, port = address.split(":")
    deadline = time.monotonic() + 10
    while True:
        try:
            connection = socket.create_connection((host, int(port)), timeout=5)
            connection.sendall(message)
            return connection
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def until(holds):
    """Waits until something holds."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Worker(threading.Thread):
    """One that meets the others; `problem` is what it raised, None where it goes on."""

    def __init__(self, workers, own, settings):
        super().__init__(daemon=True)
        self.arguments, self.problem = (workers, own, settings), None
        self.start()

    def run(self):
        try:
            meeting.meet(*self.arguments)
        except kgan.InputError as error:
            self.problem = str(error)


def test_workers_meet_whoever_comes_first_and_whoever_else_calls(monkeypatch, caplog):
    monkeypatch.setattr(meeting, "SAID_AFTER", 0.1)
    monkeypatch.setattr(meeting, "SAID_EVERY", 0.1)
    workers, settings = addresses(4), {"--size": (16, 16)}
    early = Worker(workers, 3, settings)
    until(lambda: caplog.messages)
    chief = Worker(workers, 0, settings)
    for junk in (b"GET / HTTP/1.1\r\n\r\n", b'{"worker": 9, "settings": {}}\n', b"[" * 10**5, b""):
        with call(workers[0], junk):
            time.sleep(0.1)
    # One that was there and has gone is waited for again.
    alone = f"waiting for {workers[2]}"
    with call(workers[0], b'{"worker": 1, "settings": {}}\n'):
        until(lambda: alone in caplog.messages)
    both = f"waiting for {workers[1]}, {workers[2]}"
    until(lambda: both in caplog.messages[caplog.messages.index(alone) :])
    assert chief.is_alive()
    assert early.is_alive()
    for worker in (chief, early, *(Worker(workers, own, settings) for own in (1, 2))):
        worker.join(20)
        assert not worker.is_alive()
        assert worker.problem is None
    assert caplog.messages[0] == f"waiting for {workers[0]}"


def test_other_settings_are_told_to_all():
    workers = addresses(3)
    settings = [
        {"--filters": 4, "kgan": "1\x1b"},
        {"--filters": 4, "kgan": "1\x1b"},
        {"--filters": 4},
    ]
    met = [Worker(workers, own, of_one) for own, of_one in enumerate(settings)]
    for worker in met:
        worker.join(20)
        assert worker.problem == (
            'All workers are started with the same settings. Received: kgan "1\\u001b" at '
            f"{workers[0]}, not given at {workers[2]}"
        )


@pytest.mark.parametrize("own", [0, 1])
def test_an_address_in_use_is_named(own):
    with socket.create_server(("", 0)) as taken:
        workers = addresses(2)
        workers[own] = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(kgan.InputError, match=f"already in use.*Received: {workers[own]}"):
            meeting.meet(workers, own, {})


TWO = {"worker": ["a:1", "b:2"]}
FIRST = {"type": "worker", "index": 0}


@pytest.mark.parametrize(
    "config",
    [
        "x",
        "[" * 100_000,
        *map(json.dumps, (None, [], 7, {"cluster": 3}, {"cluster": TWO}, {"cluster": [TWO]})),
        *(json.dumps({"cluster": TWO, "task": task}) for task in (3, {}, [], None)),
        *(json.dumps({"cluster": TWO, "task": FIRST | {"index": i}}) for i in (2, -1, "0", 0.5)),
        *(json.dumps({"cluster": TWO, "task": FIRST | {"type": t}}) for t in ("cook", [], None)),
        *(
            json.dumps({"cluster": cluster, "task": FIRST})
            for cluster in (
                {"worker": "a:1"},
                {"worker": {"0": "a:1"}},
                {"worker": ["a", "b"]},
                {"worker": ["a:1", "a:1"]},
                {"worker": ["a:1", "b:99999"]},
                {"worker": ["a:1", 7]},
                TWO | {"ps": ["c:3"]},
                TWO | {"chief": ["c:3", "d:4"]},
            )
        ),
    ],
)
@pytest.mark.parametrize("strategy", ["auto", "multiworker"])
def test_a_config_of_no_cluster_is_one_line(monkeypatch, config, strategy):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(kgan.InputError) as raised:
        make_strategy(strategy)
    assert str(raised.value).startswith("TF_CONFIG must be JSON of a cluster of workers, and of ")
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 600


# What holds Python is minutes in C, which no handler interrupts.
IN_C = """
import contextlib, hashlib, signal, sys, time
from kgan.cli.interruptible import Interruptible
from kgan.training import meeting
how, meeting.GRACE = sys.argv[1], 0.5
with Interruptible() if how != "alone" else contextlib.nullcontext(), meeting.ends_when_told():
    if how == "training":
        meeting.STEPPED.set()
        for name in meeting.ENDING:
            signal.signal(getattr(signal, name), lambda *_: None)
    try:
        print("begun", flush=True)
        time.sleep(600) if how == "tidies" else hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)
    finally:
        time.sleep(2)
        print("tidied")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "numbers"),
    [
        ("alone", [signal.SIGINT]),
        ("command", [signal.SIGINT]),
        ("command", [signal.SIGHUP]),
        ("training", [signal.SIGTERM, signal.SIGINT]),
        ("tidies", [signal.SIGTERM]),
    ],
)
def test_one_that_is_held_in_c_ends_when_told(how, numbers):
    process = subprocess.Popen(
        [sys.executable, "-c", IN_C, how],
        env=os.environ | {"PYTHONPATH": str(Path(kgan.__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "begun\n"
    for number in numbers:
        time.sleep(1.0)
        assert process.poll() is None
        process.send_signal(number)
    output, said = process.communicate(timeout=30)
    if how == "tidies":  # which takes longer than a signal may
        assert output == "tidied\n"
        assert said.splitlines()[-1] == "KeyboardInterrupt"
        return
    assert process.returncode == 1
    assert said.splitlines()[-1] == "kgan: interrupted"
    assert not output
