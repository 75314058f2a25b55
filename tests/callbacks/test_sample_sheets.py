"""Animations and sheets read back from disk and from TensorBoard's own event files."""

import io
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import kgan
from kgan import InputError
from kgan.callbacks import board, sample_sheets
from kgan.callbacks.board import Board
from kgan.callbacks.latent_walk import save_within
from kgan.images import grid


def events(directory):
    """All events of a directory, one file of them."""
    (path,) = directory.glob("events.*")
    read = EventAccumulator(str(path), size_guidance={"tensors": 0})
    read.Reload()
    return read


def scalars(read, tag):
    return {e.step: float(np.frombuffer(e.tensor_proto.tensor_content, np.float32)[0])
            if e.tensor_proto.tensor_content else e.tensor_proto.float_val[0]
            for e in read.Tensors(tag)}  # fmt: skip


def frames(path):
    with Image.open(path) as animation:
        assert animation.info["loop"] == 0  # without end
        for index in range(animation.n_frames):
            animation.seek(index)
            yield np.asarray(animation.convert("RGB"))


@pytest.mark.slow
@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_a_walk_passes_its_stops_and_comes_back(tmp_path, trained_gan, real_images, distribution):
    gan = kgan.GAN(
        trained_gan.generator, trained_gan.discriminator, latent_distribution=distribution
    )
    gan.compile()
    walk = kgan.callbacks.LatentWalk(tmp_path, every_steps=2, walks=3, stops=2, frames=4, seed=5)
    gan.fit(real_images[:24], batch_size=8, callbacks=[walk], verbose=0)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"step-{step:06d}.webp" for step in (2, 3)]
    shown = list(frames(tmp_path / names[-1]))
    assert len(shown) == 8
    for stop in range(2):
        images = np.concatenate([gan.generate(1, seed=5 + 2 * i + stop) for i in range(3)])
        np.testing.assert_array_equal(shown[4 * stop][..., :1], grid(images))
    # Each frame is nearer to the one before than stops are to each other, the last to the first.
    before = np.roll(shown, 1, axis=0).astype(int)
    apart = np.abs(np.stack(shown) - before).mean((1, 2, 3))
    assert apart.max() < np.abs(shown[0].astype(int) - shown[4]).mean()
    assert apart.min() > 0


def test_every_class_takes_the_same_walk(tmp_path, real_images):
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 20, 1), latent_dim=8, filters=2, num_classes=3, seed=0
    )
    gan.compile()
    walk = kgan.callbacks.LatentWalk(tmp_path, walks=7, stops=2, frames=3, seed=1)
    walk.set_model(gan)
    sheets = walk.sheets()
    assert sheets.shape == (6, 3, 16, 20, 1)
    for label in range(3):
        np.testing.assert_array_equal(sheets[3, label], gan.generate(1, seed=2, labels=label)[0])


def test_with_many_classes_each_walk_has_one(tmp_path):
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 20, 1), latent_dim=8, filters=2, num_classes=20, seed=0
    )
    walk = kgan.callbacks.LatentWalk(tmp_path, walks=2, stops=2, frames=1, seed=0)
    walk.set_model(gan)
    np.testing.assert_array_equal(walk.sheets()[1, 1], gan.generate(1, seed=3, labels=1)[0])


@pytest.mark.parametrize("most_bytes", [10**6, 40_000, 5_000])
def test_an_animation_keeps_within_its_bytes(tmp_path, most_bytes, monkeypatch):
    """Noise, of which nothing can be spared: without loss, then with some, then smaller."""
    noise = np.random.default_rng(0).integers(0, 256, (5, 64, 48, 3), np.uint8)
    path, placed, replace = tmp_path / "walk.webp", [], os.replace

    def noted(source, to):
        if os.fspath(to) == os.fspath(path):
            placed.append(os.path.getsize(source))
        replace(source, to)

    monkeypatch.setattr(os, "replace", noted)
    save_within(path, list(noise), most_bytes)
    assert placed == [path.stat().st_size]  # and nothing larger was there before
    assert (tmp_path / "walk.webp").stat().st_size <= most_bytes
    shown = np.stack(list(frames(tmp_path / "walk.webp")))
    assert len(shown) == 5
    if most_bytes == 10**6:
        np.testing.assert_array_equal(shown, noise)
    elif most_bytes == 40_000:
        assert shown.shape == noise.shape
        assert 0 < np.abs(shown.astype(int) - noise).mean() < 60  # others differ by 85
    else:
        assert shown.shape[1:3] in ((32, 24), (16, 12))


def test_grey_and_transparent_animations_are_made_smaller_too(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (3, 40, 40, 4), np.uint8)
    for channels in (1, 4):
        path = tmp_path / f"{channels}.webp"
        save_within(path, list(noise[..., :channels]), 1500)
        assert path.stat().st_size <= 1500
        with Image.open(path) as animation:
            assert animation.size[0] < 40
            assert animation.n_frames == 3


def test_walks_are_thinned_as_sheets_are(tmp_path, trained_gan, monkeypatch):
    walk = kgan.callbacks.LatentWalk(tmp_path, walks=1, stops=2, frames=1, keep=2)
    walk.set_model(trained_gan)
    (tmp_path / "step-000000.png").touch()
    for step in range(3):
        monkeypatch.setattr(kgan.callbacks.LatentWalk, "step", step)
        walk.act()
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert kept == ["step-000000.png", "step-000000.webp", "step-000002.webp"]


@pytest.mark.parametrize("wrong", [{"every_steps": 0}, {"walks": 0}, {"frames": 1.5}, {"seed": -1}])
def test_a_walk_of_no_length(tmp_path, wrong):
    with pytest.raises(InputError, match="Received: "):
        kgan.callbacks.LatentWalk(tmp_path, **wrong)


def test_sheets_are_tensorboard_images_too(tmp_path, traced_gan, real_images):
    logs = tmp_path / "logs"
    samples = kgan.callbacks.SampleGrid(tmp_path / "s", every_steps=2, n=4, log_dir=logs)
    curves = kgan.callbacks.Curves(logs)  # the same file
    traced_gan.fit(real_images[:24], batch_size=8, callbacks=[samples, curves], verbose=0)
    images = events(logs).Tensors("samples")
    assert [image.step for image in images] == [0, 2, 3]
    for image in images:
        width, height, png = image.tensor_proto.string_val
        seen = np.asarray(Image.open(io.BytesIO(png)))
        assert seen.shape == (int(height), int(width))
        written = Image.open(tmp_path / "s" / f"step-{image.step:06d}.png")
        np.testing.assert_array_equal(seen, np.asarray(written))


def test_reconstructions_are_tensorboard_images_too(tmp_path, real_images):
    model = kgan.Autoencoder.from_preset("autoencoder", image_shape=(16, 20, 1), latent_dim=4)
    model.compile()
    images = kgan.images.to_uint8(real_images[:8])
    strip = kgan.callbacks.ReconstructionStrip(tmp_path / "s", images, log_dir=tmp_path)
    curves = kgan.callbacks.Curves(tmp_path, every_steps=1)
    model.fit(real_images[:16], batch_size=8, callbacks=[strip, curves], verbose=0)
    read = events(tmp_path)
    assert [image.step for image in read.Tensors("reconstructions")] == [0, 2]
    losses = scalars(read, "loss")
    assert sorted(losses) == [1, 2]
    assert np.mean(list(losses.values())) == pytest.approx(
        model.history.history["loss"][0], rel=1e-5
    )


class EachStep(keras.callbacks.Callback):
    """What the metrics gained in each step, taken from Keras's own running means."""

    def on_train_begin(self, logs=None):
        self.gained = []

    def on_train_batch_end(self, batch, logs=None):
        before = self.before if batch else 0.0
        self.before = float(logs["d_loss"]) * (batch + 1)
        self.gained.append(self.before - before)


def test_curves_are_means_over_the_steps_between_their_points(tmp_path, traced_gan, real_images):
    """Ten steps in epochs of five: points after 3, 6 and 9 steps, and the last after 10."""
    steps = EachStep()
    curves = kgan.callbacks.Curves(tmp_path, every_steps=3)
    traced_gan.fit(real_images[:40], batch_size=8, epochs=2, callbacks=[steps, curves], verbose=0)
    read = events(tmp_path)
    seen = scalars(read, "d_loss")
    assert sorted(seen) == [3, 6, 9, 10]
    for first, last in ((0, 3), (3, 6), (6, 9), (9, 10)):
        assert seen[last] == pytest.approx(np.mean(steps.gained[first:last]), rel=1e-4)
    for name in ("g_loss", "real_logits", "fake_logits"):
        assert sorted(scalars(read, name)) == [3, 6, 9, 10]
    assert set(scalars(read, "skipped_updates").values()) == {0.0}
    # Another fit continues where the model stands, from metrics that have been reset.
    traced_gan.fit(real_images[:24], batch_size=8, callbacks=[curves], verbose=0)
    again = scalars(events(tmp_path), "d_loss")
    assert again[13] == pytest.approx(traced_gan.history.history["d_loss"][0], rel=1e-4)


def test_skipped_updates_are_counted_between_points(tmp_path, traced_gan, real_images):
    broken = real_images[:32].copy()
    broken[8:16] = np.nan
    curves = kgan.callbacks.Curves(tmp_path, every_steps=2)
    traced_gan.fit(broken, batch_size=8, shuffle=False, callbacks=[curves], verbose=0)
    read = events(tmp_path)
    assert scalars(read, "skipped_updates") == {2: 1.0, 4: 0.0}
    assert np.isfinite(list(scalars(read, "d_loss").values())).all()


def test_a_long_log_takes_points_and_images_at_growing_intervals(tmp_path, monkeypatch):
    monkeypatch.setattr(board, "HALVED_AT", 4000)
    log = Board(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 1), np.uint8)  # some 4 kB
    sizes = []
    for step in range(256):
        log.image(step, "noise", noise)
        sizes.append(sum(path.stat().st_size for path in tmp_path.iterdir()))
    written = [step for step, size in enumerate(np.diff(sizes), 1) if size]
    assert sizes[-1] < 12 * 4000  # 256 images would have more than a million
    gaps = np.diff([0, *written])
    assert (np.diff(gaps) >= 0).all()
    assert gaps[-1] >= 32
    log.text(256, "verdict", "told all the same")
    log.scalars(257, {"x": 1.0})
    read = events(tmp_path)
    assert [event.step for event in read.Tensors("verdict")] == [256]


def test_curves_carry_what_a_full_log_did_not_take(tmp_path, traced_gan, real_images, monkeypatch):
    steps = EachStep()
    curves = kgan.callbacks.Curves(tmp_path, every_steps=2)
    full = iter([True, False, False, True])
    monkeypatch.setattr(curves.board, "_is_due", lambda kind: next(full))
    traced_gan.fit(real_images, batch_size=8, callbacks=[steps, curves], verbose=0)
    seen = scalars(events(tmp_path), "d_loss")
    assert sorted(seen) == [2, 8]
    assert seen[8] == pytest.approx(np.mean(steps.gained[2:8]), rel=1e-4)


MEMORY = """
import gc, sys
import numpy as np
from kgan.callbacks.board import Board

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

log = Board(sys.argv[1])
for step in range(6000):
    if step == 2000:
        before = resident()
    log.scalars(step, {"x": 0.1 + step, "y": -0.3 * step})
print(resident() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="Linux tells it")
def test_numbers_written_leave_nothing_in_memory(tmp_path):
    """TensorFlow keeps each Python number that it is given: 15 MB of these 12,000."""
    grown = subprocess.check_output([sys.executable, "-c", MEMORY, str(tmp_path)], text=True)
    assert float(grown) < 3  # MB


@pytest.mark.parametrize(
    ("keep", "most_bytes", "left"),
    [
        (0, 1, list(range(20))),
        (1, 10**9, [19]),
        (2, 10**9, [0, 19]),
        (6, 10**9, [0, 13, 16, 18, 19]),
        (6, 1, [0, 19]),
    ],
)
def test_sheets_are_thinned_with_age(tmp_path, monkeypatch, keep, most_bytes, left):
    monkeypatch.setattr(sample_sheets, "MOST_BYTES", most_bytes)
    (tmp_path / "step-000007-kept.png").write_bytes(b"of the user's")

    class Grey(sample_sheets.Sheets):
        def sheet(self):
            return np.full((8, 8, 1), self.step, np.uint8)

    sheets = Grey(tmp_path, every_steps=1, keep=keep)
    for step in range(20):
        monkeypatch.setattr(Grey, "step", step)
        sheets.act()
    kept = sorted(int(p.stem[5:]) for p in tmp_path.iterdir() if p.stem[5:].isdigit())
    assert kept == left
    assert (tmp_path / "step-000007-kept.png").exists()
    with pytest.raises(InputError, match="keep must be"):
        Grey(tmp_path, keep=-1)


def test_sheets_go_somewhere(tmp_path):
    with pytest.raises(InputError, match="Received: neither"):
        kgan.callbacks.SampleGrid()
    for directory in (None, tmp_path):  # no notebook: tests/test_notebooks.py has one
        with pytest.raises(InputError, match=r"a directory takes them\. Received: a script"):
            kgan.callbacks.SampleGrid(directory, display=True)


def test_a_board_without_a_directory_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Board(None).scalars(0, {"x": 1.0})
    Board("unused")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_validation_leaves_the_curves_as_they_are(tmp_path, real_images):
    read = []
    real_images = (real_images + 1) / 2  # this preset's range
    for name in ("without", "with"):
        keras.utils.set_random_seed(4)
        gan = kgan.GAN.from_preset("gan", image_shape=(16, 20, 1), latent_dim=4, seed=4)
        gan.compile()
        gan.fit(
            real_images[:48],
            batch_size=16,
            epochs=3,
            shuffle=False,
            validation_data=real_images[48:] if name == "with" else None,
            callbacks=[kgan.callbacks.Curves(tmp_path / name, every_steps=2)],
            verbose=0,
        )
        read.append(scalars(events(tmp_path / name), "d_loss"))
    assert len(read[0]) > 3
    assert read[0] == pytest.approx(read[1], rel=1e-6)
