"""Images of 1 to 8 channels: every preset trains on them; saved, exported and drawn they stay."""

import functools
import json
import re

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.callbacks import LatentWalk, ReconstructionStrip, SampleGrid
from kgan.cli.main import main
from kgan.models import PRESETS, AutoencoderPreset
from tests.models.test_networks import OTHER_SHAPES
from tests.tiers import tiered

GANS = [name for name, preset in PRESETS.items() if not isinstance(preset, AutoencoderPreset)]
AUTOENCODERS = [name for name in PRESETS if name not in GANS]
RNG = np.random.default_rng(5)


def images_of(channels, shape=(16, 16), count=16):
    """Waves of other lengths in each channel; of four the last is 0 or 255."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    phases = RNG.uniform(0, 6, (count, 1, 1, channels))
    lengths = np.arange(2, channels + 2)
    wave = np.sin(rows[None, ..., None] / lengths + phases) * np.cos(columns[..., None] / 3)
    levels = np.rint(127 + 120 * wave).astype(np.uint8)
    if channels == 4:
        levels[..., 3] = np.where(levels[..., 3] > 100, 255, 0)
    return levels


@functools.cache
def small(channels):
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 16, channels), latent_dim=6, filters=2, seed=0
    )
    gan.compile(diff_augment="color,translation,cutout")
    data = kgan.data.from_arrays(images_of(channels), batch_size=8, seed=0)
    history = gan.fit(data, epochs=2, verbose=0).history
    assert history["skipped_updates"] == [0.0, 0.0]
    return gan


@pytest.mark.slow
@pytest.mark.parametrize("channels", [2, 4, 5, 8])  # others have one and three
def test_a_gan_of_any_channels_is_saved_loaded_and_exported(channels, tmp_path):
    gan = small(channels)
    images = gan.generate(5, seed=3)
    assert (images.dtype, images.shape) == (np.uint8, (5, 16, 16, channels))
    gan.save(tmp_path / "gan.keras")
    np.testing.assert_array_equal(kgan.load_gan(tmp_path / "gan.keras").generate(5, seed=3), images)
    made = kgan.export.to_onnx(gan, tmp_path / "made")
    assert made.parity["onnx"]["uint8_max_levels"] <= 1
    manifest = json.loads((made.path / "manifest.json").read_text())
    words = {1: "grey", 3: "RGB", 4: "RGBA"}.get(channels, f"{channels} channels")
    assert manifest["output"]["channels"] == words
    assert manifest["output"]["shape"] == ["batch", 16, 16, channels]
    generator = kgan.runtime.Generator(made.path)
    drawn = generator.generate(5, seed=3)
    assert np.abs(drawn.astype(int) - images).max() <= 1
    with Image.open(made.path / "samples.png") as samples:
        assert samples.mode == {1: "L", 3: "RGB", 4: "RGBA"}.get(channels, "L")
    card = (made.path / "README.md").read_text()
    assert ("numpy.save" in card) == (channels not in (1, 3, 4))
    shown = generator.grid(4)
    wide = 1 if channels in (1, 3, 4) else channels
    assert shown.shape[:2] == (2 * 18 + 2, 2 * (16 * wide + 2) + 2)
    assert kgan.shelf.inspect(made.path)
    floats = kgan.export.to_onnx(gan, tmp_path / "floats", float_output=True)
    assert floats.parity["onnx"]["float_max_abs_difference"] <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "channels"),
    [*((name, 4) for name in GANS), ("r3gan", 5), ("fastgan", 8)],  # with "bgc" and decoders
)
def test_every_preset_trains_on_them(name, channels):
    shape = (*OTHER_SHAPES[name][:2], channels)
    gan = kgan.GAN.from_preset(name, image_shape=shape, filters=8, seed=3)
    gan.compile()
    images = images_of(channels, shape[:2], 8)
    data = kgan.data.from_arrays(images, batch_size=4, value_range=gan.value_range, seed=0)
    history = gan.fit(data, verbose=0).history
    assert np.isfinite(list(history.values())).all()
    assert history["skipped_updates"] == [0.0]
    assert gan.generate(2).shape == (2, *shape)


@pytest.mark.parametrize("name", tiered(AUTOENCODERS, lambda name: name == "autoencoder"))
@pytest.mark.parametrize("channels", [4, 5])
def test_autoencoders_too(name, channels, tmp_path):
    model = kgan.Autoencoder.from_preset(name, image_shape=(16, 16, channels))
    model.compile()
    images = images_of(channels)
    strip = ReconstructionStrip(tmp_path / "strips", images[:4])
    data = kgan.data.from_arrays(images, batch_size=8, value_range=model.value_range, seed=0)
    model.fit(data, verbose=0, callbacks=[strip])
    with Image.open(tmp_path / "strips" / "step-000002.png") as shown:
        assert shown.mode == {4: "RGBA", 5: "L"}[channels]
    made = kgan.export.to_onnx(model, tmp_path / "made")
    decoded = kgan.runtime.Autoencoder(made.path).reconstruct(images)
    assert np.abs(decoded.astype(int) - model.reconstruct(images)).max() <= 1


@pytest.mark.slow
def test_sheets_and_walks_show_what_there_is(tmp_path):
    for channels, mode in ((4, "RGBA"), (5, "L")):
        gan, place = small(channels), tmp_path / str(channels)
        sheets = SampleGrid(place, n=4, log_dir=place / "logs")
        walk = LatentWalk(place, walks=1, stops=2, frames=1)
        data = kgan.data.from_arrays(images_of(channels), batch_size=8, seed=0)
        gan.fit(data, verbose=0, callbacks=[sheets, walk])
        last = sorted(place.glob("*.png"))[-1]
        with Image.open(last) as shown:
            assert shown.mode == mode
            expected = kgan.images.grid(gan.generate(4))
            np.testing.assert_array_equal(np.asarray(shown), expected.squeeze())
        with Image.open(next(iter(place.glob("*.webp")))) as shown:
            alpha = np.asarray(shown.convert("RGBA"))[..., 3]
            assert (alpha.min() < 255) == (channels == 4)


@pytest.mark.slow
def test_generate_writes_alpha_and_arrays(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    expected = {}
    for channels in (4, 5):
        gan = small(channels)
        gan.save(tmp_path / f"{channels}.keras")
        kgan.export.to_onnx(gan, tmp_path / f"export-{channels}")
        expected[channels] = gan.generate(5, seed=7)
    for model in ("4.keras", "export-4"):
        assert main(["generate", model, "-n", "5", "--seed", "7", "-o", "a.png"]) == 0
        with Image.open("a.png") as sheet:
            assert sheet.mode == "RGBA"
            made = np.asarray(sheet).astype(int)
        assert np.abs(made - kgan.images.grid(expected[4])).max() <= 1
    assert main(["generate", "4.keras", "-n", "1", "--seed", "7", "--separate", "four"]) == 0
    with Image.open("four/seed-000007.png") as one:
        np.testing.assert_array_equal(np.asarray(one), expected[4][0])
    for model in ("5.keras", "export-5"):
        capsys.readouterr()
        command = ["generate", model, "-n", "5", "--seed", "7", "--separate", f"each-{model}"]
        assert main(command) == 0
        assert main([*command[:-2]]) == 0
        assert capsys.readouterr().out.splitlines() == [f"each-{model}", "images.npy"]
        made = np.load("images.npy")
        assert (made.dtype, made.shape) == (np.uint8, (5, 16, 16, 5))
        assert np.abs(made.astype(int) - expected[5]).max() <= 1
        one = np.load(f"each-{model}/seed-000008.npy")
        np.testing.assert_array_equal(one, made[1])
    for model, name, says in (
        ("5.keras", "a.png", "Images of 5 channels are no pictures: .* .npy file"),
        ("4.keras", "a.npy", "suffix names a format that Pillow writes"),
    ):
        assert main(["generate", model, "-o", name]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert re.search(says, line)
