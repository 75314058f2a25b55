"""Curves without TensorBoard: their points, what they mean, and the picture of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kgan
from kgan.callbacks import curve_points
from kgan.callbacks.curve_points import CurvePoints
from kgan.callbacks.curves_drawing import (
    BLUE,
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Curve,
    Panel,
    draw_panels,
    ticks,
)
from kgan.callbacks.curves_picture import judged
from kgan.equilibrium import Judgement, judgement_under


def test_what_a_discriminator_says_and_gets_right_by_hand():
    real, fake = np.log([3.0, 1.0, 1 / 3, 9.0]), np.log([1 / 3, 1 / 9, 3.0, 1.0])  # odds
    figures = judged(judgement_under("bce"), real, fake)
    assert figures["d_real"] == pytest.approx((0.75 + 0.5 + 0.25 + 0.9) / 4)
    assert figures["d_fake"] == pytest.approx((0.25 + 0.1 + 0.75 + 0.5) / 4)
    assert (figures["accuracy_real"], figures["accuracy_fake"]) == (0.5, 0.75)
    far = np.array([1000.0], np.float32)
    assert judged(judgement_under("bce"), far, -far)["d_fake"] == 0.0
    compared = judged(Judgement(), real, fake)
    assert set(compared) == {"d_real", "d_fake"}
    assert compared["d_real"] == pytest.approx(real.mean())


class Notes(keras.callbacks.Callback):
    """What each step gained, and what the doctor saw."""

    def __init__(self, doctor):
        super().__init__()
        self.doctor, self.losses, self.looks = doctor, [], []

    def on_train_batch_end(self, batch, logs=None):
        before = self.total if batch else 0.0
        self.total = float(logs["d_loss"]) * (batch + 1)
        self.losses.append(self.total - before)
        self.looks.append(self.doctor.logits)


def test_a_fit_keeps_its_points_and_the_next_goes_on_from_them(tmp_path, traced_gan, real_images):
    levels = kgan.images.to_uint8(real_images)
    doctor = kgan.callbacks.RunDoctor(levels, every_steps=4)
    curves = kgan.callbacks.CurvesPicture(tmp_path, doctor, every_steps=2)
    notes = Notes(doctor)
    fit = {"batch_size": 8, "shuffle": False, "verbose": 0}
    traced_gan.fit(real_images, callbacks=[doctor, notes, curves], **fit)
    points = CurvePoints(tmp_path / "curves.csv", 8)
    losses = [np.mean(notes.losses[first:last]) for first, last in ((0, 2), (2, 4), (4, 6), (6, 8))]
    assert points.curve("d_loss") == [
        (step, pytest.approx(loss, rel=1e-3))
        for step, loss in zip((2, 4, 6, 8), losses, strict=True)
    ]
    # The doctor has looked after 4 and 8 steps: a look stands beside one point.
    said = [float(tf.reduce_mean(tf.sigmoid(notes.looks[step - 1][0]))) for step in (4, 8)]
    assert points.curve("d_real") == [
        (4, pytest.approx(said[0], rel=1e-4)),
        (8, pytest.approx(said[1], rel=1e-4)),
    ]
    right = np.mean(notes.looks[7][1] <= 0)
    assert points.curve("accuracy_fake")[-1] == (8, pytest.approx(right, abs=1e-5))
    assert Image.open(tmp_path / "curves.png").size == (WIDTH, 3 * HEIGHT)
    titles = [panel.title for panel in curves.panels()]
    assert titles[0] == "losses"
    assert [panel.level for panel in curves.panels()] == [pytest.approx(1.3863, abs=1e-4), 0.5, 0.5]
    # Three of its steps are lost, as where the model was last saved before them.
    traced_gan.batches_seen.assign(5)
    traced_gan.fit(real_images[:32], callbacks=[doctor, curves], **fit)
    steps = [step for step, _ in CurvePoints(tmp_path / "curves.csv", 99).curve("d_loss")]
    assert steps == [2, 4, 7, 9]


def test_points_stay_few_and_what_cannot_be_read_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(curve_points, "MOST", 8)
    path = tmp_path / "curves.csv"
    points = CurvePoints(path, 0)
    taken = [step for step in range(1, 65) if points.take(step, {"d_loss": float(step)})]
    assert len(points.rows) <= 8
    steps = [step for step, _ in points.curve("d_loss")]
    assert set(steps) < set(taken)
    assert np.ptp(np.diff(steps)[1:]) == 0  # evenly
    assert 64 - steps[-1] < steps[-1] - steps[-2]
    points.write()
    assert CurvePoints(path, 64).rows == points.rows
    assert [row["step"] for row in CurvePoints(path, 20).rows] == [s for s in steps if s <= 20]
    path.write_bytes(b"step,d_loss,\n1,2\n3,oops\nx,5\n7,nan,9,9\n" + b"8,")
    assert CurvePoints(path, 99).curve("d_loss")[0] == (1, 2.0)
    assert [row["step"] for row in CurvePoints(path, 99).rows] == [1, 3, 7, 8]
    for damaged in (b"", b"\xff\xfe\x00", b"other,columns\n1,2\n"):
        path.write_bytes(damaged)
        assert CurvePoints(path, 99).rows == []


def test_a_level_and_a_curve_are_drawn_where_they_belong():
    curve = Curve("D", BLUE, [(0, 0.0), (100, 1.0)])
    picture = draw_panels([Panel("nothing", []), Panel("losses", [curve], 0.25, (0.0, 1.0))])
    assert picture.shape == (2 * HEIGHT, WIDTH, 3)
    below, above = 2 * HEIGHT - BOTTOM, HEIGHT + TOP
    dark = (picture[HEIGHT + TOP :, LEFT + 5 : -RIGHT].max(-1) < 180).sum(1)  # in each row
    level = HEIGHT + TOP + int(dark[: below - above - 3].argmax())
    assert level == pytest.approx(below - 0.25 * (below - above), abs=1)
    blue = np.abs(picture.astype(int) - BLUE).sum(-1) < 60
    rows, columns = np.nonzero(blue[above - 3 : below + 3])
    middle = rows[np.abs(columns - (LEFT + WIDTH - RIGHT) // 2) <= 1].mean() - 3
    assert middle == pytest.approx((below - above) / 2, abs=1.5)
    assert not blue[:HEIGHT].any()


def test_ticks_are_round():
    np.testing.assert_allclose(ticks(0.0, 1.0), [0, 0.2, 0.4, 0.6, 0.8, 1.0])
    np.testing.assert_allclose(ticks(0, 4675), [0, 1000, 2000, 3000, 4000])
    np.testing.assert_allclose(ticks(-0.31, 0.28), [-0.3, -0.2, -0.1, 0, 0.1, 0.2])
