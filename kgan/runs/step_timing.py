"""What steps take, on models that are thrown away: for a run's width, and for the form of its step.

XLA is faster for some networks, several times slower for others, and does not finish with some.
So it is tried on a copy of the model in a process of its own, which can be ended at any moment.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from kgan.files import staging_directory
from kgan.runs.load import load_model
from kgan.training import GAN, Autoencoder
from kgan.training.saving import save_whole

TURNS, STEPS_A_TURN = 3, 5  # among 5 steps is one of the generator, at 5 `d_steps` too
GAIN = 1.05  # times as fast is no chance
# It ends after `limit` seconds whatever it is at, also where the training was killed: SIGALRM ends
# it within C code too, which Windows has not.
TRIAL = """
import os, signal, sys, threading
if hasattr(signal, "setitimer"):
    signal.setitimer(signal.ITIMER_REAL, float(sys.argv[3]))
else:
    timer = threading.Timer(float(sys.argv[3]), os._exit, (1,))
    timer.daemon = True
    timer.start()
from kgan.runs.step_timing import trial
trial(*sys.argv[1:])
"""


def on_processors() -> bool:
    """Whether no accelerator is visible to TensorFlow; one may be there that was hidden."""
    return {device.device_type for device in tf.config.get_visible_devices()} == {"CPU"}


def made_up_batches(model: GAN | Autoencoder, batch_size: int) -> tf.data.Dataset:
    """Noise to time a model's steps on: one batch over and over, of the first class.

    Args:
        model: whose `image_shape`, `value_range` and classes the batch has.
        batch_size: B, its images.

    Returns:
        A tf.data.Dataset without end of float32 (B, H, W, C), with labels beside them for a
        conditional GAN.
    """
    shape = (batch_size, *model.image_shape)
    images = np.random.default_rng(0).uniform(*model.value_range, shape).astype(np.float32)
    data: Any = images
    if isinstance(model, GAN) and model.attributes is not None:
        data = images, model.attributes.from_seeds(range(len(images)))
    elif isinstance(model, GAN) and model.num_classes is not None:
        data = images, np.zeros(len(images), np.int32)
    return tf.data.Dataset.from_tensors(data).repeat()


class Clock(keras.callbacks.Callback):
    """When each step ended; the first one is compiled."""

    def __init__(self) -> None:
        super().__init__()
        self._ends: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._ends.append(time.monotonic())

    def seconds(self) -> list[float]:
        """What each step after the first took."""
        return np.diff(self._ends).tolist()


class Figures(NamedTuple):
    """Seconds: the bound of the trial, a step without XLA and with it, and XLA's first step."""

    limit: float
    plain: float = 0.0  # as the others where it did not finish
    xla: float = 0.0
    compiling: float = 0.0

    @classmethod
    def read(cls, text: str | bytes) -> Figures | None:
        """From JSON; None where it holds no figures."""
        try:
            figures = cls(**json.loads(text))
            return figures if all(0.0 <= value < math.inf for value in figures) else None
        except (ValueError, TypeError, RecursionError):
            return None

    def to_json(self) -> str:
        """What `read` takes."""
        return json.dumps(self._asdict())

    def choice(self, seconds: float) -> tuple[bool, str]:
        """Whether XLA is faster for what takes so many seconds without it, and why in words."""
        if not self.xla:
            return False, f"not compiled with XLA: a trial did not finish within {self.limit:.0f} s"
        words = f"compiled with XLA: {self.xla:.3g} s a step with it, {self.plain:.3g} without"
        if self.plain < GAIN * self.xla:
            return False, f"not {words}"
        if self.compiling + seconds * self.xla / self.plain >= seconds:
            return False, f"not {words}, and {self.compiling:.0f} s for its first"
        return True, words


def both_forms(
    model: GAN | Autoencoder,
    batch_size: int,
    limit: float,
    directory: Path,
    stopping: Callable[[], bool],
) -> Figures:
    """What a step of a compiled model takes with XLA and without, by a copy in another process.

    Args:
        model: the model, which stays as it is.
        batch_size: images of a step.
        limit: seconds after which the process is ended.
        directory: where the copy is meanwhile.
        stopping: whether to end before.

    Returns:
        The figures; `Figures(limit)` where it did not finish, or was to stop.

    Raises:
        OSError: the copy cannot be written, no process started, or it failed.
    """
    if not sys.executable or getattr(sys, "frozen", False):
        raise OSError("this program cannot start Python")
    with staging_directory(directory) as folder:
        copy = folder / "copy.keras"
        save_whole(model, copy)
        end = time.monotonic() + limit
        with subprocess.Popen(
            [sys.executable, "-P", "-c", TRIAL, str(copy), str(batch_size), str(limit)],
            env=os.environ | _as_here(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                while process.poll() is None and time.monotonic() < end and not stopping():
                    time.sleep(0.1)
                code = process.poll()
            finally:
                process.kill()
            said = process.communicate()[0].splitlines()
    figures = Figures.read(said[-1] if said else b"")
    if figures is None and code is not None:
        raise ChildProcessError(f"the trial failed with exit code {code}")
    return figures or Figures(limit)


def _as_here() -> dict[str, str]:
    """Variables by which another process has this one's modules, devices and threads."""
    paths = [path or os.getcwd() for path in sys.path if isinstance(path, str)]
    # With -P no others are found that the working directory happens to hold.
    variables = {"PYTHONPATH": os.pathsep.join(paths), "CUDA_VISIBLE_DEVICES": "-1"}
    threading = tf.config.threading
    for name, count in (
        ("TF_NUM_INTRAOP_THREADS", threading.get_intra_op_parallelism_threads()),
        ("TF_NUM_INTEROP_THREADS", threading.get_inter_op_parallelism_threads()),
    ):
        if count:
            variables[name] = str(count)
    return variables


def trial(path: str, batch_size: str, limit: str) -> None:
    """Prints the `Figures` of a saved model's steps; all that its process does."""
    with contextlib.suppress(OSError):  # where memory runs out, this process ends, not the training
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    model = load_model(path)
    batches = made_up_batches(model, int(batch_size))
    functions: dict[bool, Any] = {}
    first: dict[bool, float] = {}

    def seconds_of(xla: bool, steps: int) -> list[float]:
        clock = Clock()
        model.train_function = functions[xla]
        model.fit(batches.take(1 + steps), callbacks=[clock], shuffle=False, verbose=0)
        return clock.seconds()

    for xla in (True, False):  # XLA first: where it does not finish, the other does not matter
        model.jit_compile = xla
        model.make_train_function(force=True)
        functions[xla] = model.train_function
        began = time.monotonic()
        seconds_of(xla, 0)
        first[xla] = time.monotonic() - began
    taken: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(TURNS):  # in turns: a slow moment of the machine meets both
        for xla, seconds in taken.items():
            seconds.append(statistics.mean(seconds_of(xla, STEPS_A_TURN)))
    plain, compiled = (statistics.median(taken[xla]) for xla in (False, True))
    print(Figures(float(limit), plain, compiled, first[True]).to_json())
