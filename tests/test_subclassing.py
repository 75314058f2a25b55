"""docs/subclassing.md: its code, run as it stands."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest

import kgan

PAGE = Path(__file__).parents[1] / "docs" / "subclassing.md"
MARKER = "<!-- tests/test_subclassing.py runs this block -->"


@pytest.fixture
def blocks():
    """The marked code blocks, all there are: sounds, their export, and two discriminators."""
    text = PAGE.read_text()
    found = re.findall(re.escape(MARKER) + r"\n```python\n(.*?)```", text, re.DOTALL)
    assert len(found) == text.count("```python") == 3
    return found


@pytest.mark.slow
def test_sounds(blocks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(blocks[0], names)
    gan, again, sounds = (names[name] for name in ("gan", "again", "sounds"))
    assert sounds.shape == (4, 256, 1)
    assert np.abs(sounds).max() <= 1
    assert sounds.std() > 0
    figures = names["history"].history
    assert figures["skipped_updates"] == [0.0] * 3
    assert min(figures["penalty"]) > 0
    latents = kgan.latents.from_seeds(range(4), 8)
    np.testing.assert_allclose(sounds, gan.ema_generator(latents), atol=1e-6)
    assert type(again).__name__ == "Sounds"
    np.testing.assert_array_equal(again.predict(latents, verbose=0), sounds)
    exec(blocks[1], names)
    expected = again.predict(names["latents"], verbose=0)
    np.testing.assert_allclose(names["outputs"], expected, atol=1e-4)
    assert names["outputs"].dtype == np.float32
    again.fit(names["notes"][:32], batch_size=32, verbose=0)
    for pictures in (
        lambda: gan.generate(1),
        lambda: gan.compile(diff_augment="translation"),
        lambda: kgan.export.to_onnx(gan, "sounds"),
        lambda: gan.fit(
            names["notes"], callbacks=[kgan.callbacks.SampleGrid("samples")], verbose=0
        ),
    ):
        with pytest.raises(kgan.InputError, match=r"(images|pictures).*\(256, 1\)"):
            pictures()
    with pytest.raises(kgan.InputError, match=r"must give images \(batch, H, W, C\)"):
        kgan.GAN(gan.generator, gan.discriminator)


def pooling_judge(side):
    images = keras.Input((side, side, 1))
    return keras.Model(images, keras.layers.Dense(1)(keras.layers.Flatten()(images)))


@pytest.mark.slow
def test_two_discriminators_and_other_latents(blocks, tmp_path):
    names = {}
    exec(blocks[2], names)
    latents = keras.Input((4,))
    pixels = keras.layers.Dense(64, activation="tanh")(latents)
    generator = keras.Model(latents, keras.layers.Reshape((8, 8, 1))(pixels))
    gan = names["TwoScales"](generator, pooling_judge(8), pooling_judge(4), seed=0)
    gan.compile("hinge")
    drawn = gan.draw_latents(200).numpy()
    assert np.abs(drawn[:, 0]).min() >= 2.0  # |n + 2 sign(n)|
    images = np.random.default_rng(0).uniform(-1, 1, (16, 8, 8, 1)).astype("float32")
    before = [network.get_weights()[0] for network in (gan.generator, gan.coarse)]
    history = gan.fit(images, batch_size=8, shuffle=False, verbose=0).history
    assert np.isfinite(history["coarse_loss"]).all()
    for network, kernel in zip((gan.generator, gan.coarse), before, strict=True):
        assert np.abs(network.get_weights()[0] - kernel).max() > 1e-5
    gan.save(tmp_path / "gan.keras")
    again = kgan.load_gan(tmp_path / "gan.keras")
    for model in (gan, again):
        model.fit(images, batch_size=8, shuffle=False, verbose=0)
    for one, other in zip(gan.variables, again.variables, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-6, err_msg=one.path)
    # An update that is not finite is left out here too.
    kernel = gan.coarse.get_weights()[0]
    gan.train_on_batch(np.full_like(images[:8], np.nan))
    np.testing.assert_array_equal(gan.coarse.get_weights()[0], kernel)
    assert int(gan.updates.streaks["coarse"]) == 1
