"""A few seconds of training, to see that a machine trains, and how fast."""

from __future__ import annotations

import time

from kgan import data
from kgan.callbacks.periodic import Logs
from kgan.callbacks.stopping import StopAfter
from kgan.runs import build
from kgan.runs.options import RunOptions
from kgan.telling import doing
from kgan.training.fast_precision import fast_precision

SIZE, FILTERS, BATCH_SIZE = (28, 28), 8, 32  # those of tools/quickstart


class _Timed(StopAfter):
    """Stops after so many seconds; `took` is what its steps took, without what a fit does last."""

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        super().on_train_batch_end(batch, logs)
        self.took = time.monotonic() - self._start


def short_training(seconds: float) -> str:
    """Trains a small `dcgan` on the embedded clothes; its pace and last losses in words.

    Args:
        seconds: how long, without the first step, which is compiled.
    """
    options = RunOptions(
        size=SIZE,
        filters=FILTERS,
        batch_size=BATCH_SIZE,
        precision=fast_precision(),
        minutes=seconds / 60,
    )
    source = build.source_of(options, None)
    model = build.new_model(options, source)
    batches = data.batches(source, batch_size=BATCH_SIZE, value_range=model.value_range).repeat()
    began = time.monotonic()
    with doing("compiling"):
        model.fit(batches.take(1), shuffle=False, verbose=0)
    compiling = time.monotonic() - began
    stop = _Timed(seconds=seconds)
    with doing(f"training for {seconds:g} seconds"):
        history = model.fit(batches, callbacks=[stop], shuffle=False, verbose=0)
    pace = BATCH_SIZE * stop.steps_taken / stop.took
    d_loss, g_loss = (history.history[name][-1] for name in ("d_loss", "g_loss"))
    return (
        f"{pace:,.0f} images/s after {compiling:.0f} s of compiling, loss D {d_loss:.2f} "
        f"G {g_loss:.2f} ({options.preset}, {source.image_shape[0]}x{source.image_shape[1]}, "
        f"{FILTERS} filters, batches of {BATCH_SIZE}, {options.precision})"
    )
