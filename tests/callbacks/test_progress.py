"""The lines of a fit: those that stay, the one that moves, and when what is said."""

import io
import re

import keras
import pytest

from kgan import callbacks
from kgan.callbacks import progress
from kgan.callbacks.progress import clock
from kgan.streams import Steady
from kgan.telling import Teller
from tests.terminal import COLUMNS, Terminal

LINE = r"step {}  epoch {}  left \d+:\d\d  \d+ images/s  loss D \d+\.\d{{3}} G -?\d+\.\d{{3}}"


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    return Terminal()


def test_a_line_moves_and_others_stay(traced_gan, real_images, terminal, monkeypatch):
    monkeypatch.setattr(progress, "MOVES", 0.0)  # every step, so that the test need not wait
    line = callbacks.ProgressLine(8, epochs=3, epoch_steps=8, stream=terminal)
    traced_gan.fit(real_images, batch_size=8, epochs=3, callbacks=[line], verbose=0)
    sent = terminal.getvalue()
    assert "compiling the step" in sent
    assert sent.index("compiling the step") < sent.index("step 1/24")
    assert re.search(LINE.format("12/24", "2/3"), sent)
    assert {f"step {n}/24" for n in range(1, 25)} == set(re.findall(r"step \d+/24", sent))
    (last,) = terminal.screen()  # within a minute only the last one stays
    assert re.fullmatch(LINE.format("24/24", "3/3"), last)
    assert "left 0:00" in last
    assert line.images_per_second() > 0


def test_each_minute_one_stays(traced_gan, real_images, terminal, monkeypatch):
    monkeypatch.setattr(progress, "STAYS", 0.0)
    line = callbacks.ProgressLine(8, epochs=1, epoch_steps=8, stream=terminal)
    traced_gan.fit(real_images[:24], batch_size=8, callbacks=[line], verbose=0)
    steps = [shown.split("  ")[0] for shown in terminal.screen()]
    assert steps[:3] == ["step 1/8", "step 2/8", "step 3/8"]


def test_the_last_line_comes_once_where_a_minute_ends_with_it(
    traced_gan, real_images, terminal, monkeypatch
):
    monkeypatch.setattr(progress, "STAYS", 0.0)
    stop = callbacks.StopAfter(steps=2)
    line = callbacks.ProgressLine(8, stop=stop, stream=terminal)
    traced_gan.fit(real_images, batch_size=8, callbacks=[stop, line], verbose=0)
    assert [shown.split("  ")[0] for shown in terminal.screen()] == ["step 1/2", "step 2/2"]


def test_a_line_of_a_long_run_fits_into_80_columns(terminal):
    line = callbacks.ProgressLine(32, epochs=25, epoch_steps=187, stream=terminal, steps_done=1000)
    line.on_train_begin()
    line.on_epoch_begin(0)
    line.steps_taken, line._rate_time, line._step_time = 1000, line._start, line._start + 17.7
    line._move(line._start + 17.7, {"d_loss": 1.2345, "g_loss": 0.9312, "kernel_distance": 0.0312})
    words = "step 2000/5675  epoch 6/25  left 1:05  1808 images/s  loss D 1.234 G 0.931"
    assert line._moving.words == f"{words}  kernel distance 0.0312"
    assert line._moving.share == pytest.approx(1000 / 4675)
    assert len(words) <= COLUMNS - 2
    line.on_train_end()


def test_progress_of_a_resumed_run_counts_what_is_left(traced_gan, real_images):
    stream = io.StringIO()
    line = callbacks.ProgressLine(8, epochs=2, first_epoch=3, epoch_steps=8, stream=stream)
    traced_gan.fit(
        real_images, batch_size=8, initial_epoch=3, epochs=5, callbacks=[line], verbose=0
    )
    compiling, last = stream.getvalue().splitlines()
    assert compiling == "compiling the step ..."
    assert re.fullmatch(LINE.format("16/16", "5/5"), last)
    assert "left 0:00" in last


def test_steps_of_earlier_fits_are_counted_on(traced_gan, real_images, terminal, monkeypatch):
    monkeypatch.setattr(progress, "MOVES", 0.0)
    stop = callbacks.StopAfter(steps=6)
    line = callbacks.ProgressLine(8, stop=stop, stream=terminal, steps_done=40)
    traced_gan.fit(real_images, batch_size=8, epochs=99, callbacks=[stop, line], verbose=0)
    shown = set(re.findall(r"step (\d+/\d+)", terminal.getvalue()))
    assert shown == {f"{step}/46" for step in range(41, 47)}


class Ending(keras.callbacks.Callback):
    """What has been said when the callbacks before the line do their last, and says its own."""

    def __init__(self, teller, stream):
        super().__init__()
        self.teller, self.stream = teller, stream

    def on_train_batch_end(self, batch, logs=None):
        with self.teller.doing("drawing between steps"):
            pass

    def on_train_end(self, logs=None):
        self.said = self.stream.getvalue()
        with self.teller.doing("drawing at the end"):
            pass


def test_the_last_line_comes_before_what_is_done_at_the_end(traced_gan, real_images, monkeypatch):
    stream = io.StringIO()
    teller = Teller(stream)
    monkeypatch.setattr(progress, "who_tells", lambda: teller)
    ending, stop = Ending(teller, stream), callbacks.StopAfter(steps=10)
    watching = [ending, stop, callbacks.ProgressLine(8, stop=stop)]
    traced_gan.fit(real_images, batch_size=8, epochs=99, callbacks=watching, verbose=0)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "compiling the step ..."
    assert lines[1] == "drawing between steps ..."  # of the first step, which is not done yet
    assert lines[2].startswith("step 10/10  epoch 2")
    assert lines[3:] == ["drawing at the end ..."]
    assert ending.said.splitlines() == lines[:3]


class Broken(io.StringIO):
    """A stream of which the second write fails, as a pipe that is read no longer."""

    def write(self, text):
        if self.getvalue():
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(text)


def test_a_fit_outlives_where_its_line_goes(traced_gan, real_images):
    line = callbacks.ProgressLine(16, stream=Steady(Broken()))
    before = int(traced_gan.batches_seen)
    traced_gan.fit(real_images, batch_size=16, verbose=0, callbacks=[line])
    assert int(traced_gan.batches_seen) == before + 4
    assert line._teller.stream.problem is not None


def test_a_clock_has_hours_when_there_are_some():
    assert [clock(seconds) for seconds in (0, 59.9, 61, 3599, 3600, 37512)] == [
        *("0:00", "0:59", "1:01", "59:59", "1:00:00", "10:25:12"),
    ]
