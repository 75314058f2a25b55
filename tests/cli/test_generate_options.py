"""`kgan generate`: any seeds, truncation, scale, formats, several classes, mosaics."""

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.cli.main import main


@pytest.fixture(scope="module")
def clothes(tmp_path_factory):
    """A conditional GAN in a file, and its export."""
    place = tmp_path_factory.mktemp("clothes")
    gan = kgan.GAN.from_preset(
        "dcgan",
        image_shape=(16, 16, 1),
        latent_dim=6,
        filters=2,
        class_names=["Bag", "Coat", "coat"],
        seed=0,
    )
    rng = np.random.default_rng(0)
    for weight in gan.generator.trainable_variables:
        weight.assign(rng.normal(0, 0.3, weight.shape) + ("gamma" in weight.path))
    gan.save(place / "clothes.keras")
    return gan, place / "clothes.keras", kgan.export.to_onnx(gan, place / "out").path


def drawn(path, *arguments):
    assert main(["generate", *map(str, arguments), "-o", str(path)]) == 0
    return np.asarray(Image.open(path).convert("L"))


def error_of(capsys, *arguments):
    capsys.readouterr()
    assert main(["generate", *map(str, arguments)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize("which", [1, 2], ids=["keras", "export"])
def test_any_seeds_in_their_order(clothes, which, tmp_path):
    folder = tmp_path / "each"
    arguments = (clothes[which], "--seeds", "7,1,3-5", "--separate", folder)
    sheet = drawn(tmp_path / "grid.png", *arguments)
    seeds = [7, 1, 3, 4, 5]
    images = np.concatenate([clothes[0].generate(1, seed=seed, labels=seed % 3) for seed in seeds])
    np.testing.assert_allclose(sheet, kgan.images.grid(images)[..., 0].astype(int), atol=1)
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"seed-{seed:06d}.png" for seed in sorted(seeds)]


@pytest.mark.parametrize("which", [1, 2], ids=["keras", "export"])
def test_truncation_scales_latents(clothes, which, tmp_path):
    gan = clothes[0]
    sheet = drawn(tmp_path / "grid.png", clothes[which], "-n", "4", "--truncation", "0.5")
    halved = (kgan.latents.from_seeds(range(4), 6) * np.float32(0.5)).astype(np.float32)
    images = gan.predict([halved, np.arange(4) % 3], verbose=0)
    expected = kgan.images.grid(kgan.images.to_uint8(images))[..., 0]
    np.testing.assert_allclose(sheet, expected.astype(int), atol=1)
    of_python = gan.generate(4, truncation=0.5)
    np.testing.assert_allclose(kgan.images.grid(of_python)[..., 0], expected.astype(int), atol=1)
    generator = kgan.runtime.Generator(clothes[2])
    np.testing.assert_array_equal(
        generator.generate(4, truncation=0.5), generator.from_seeds(range(4), truncation=0.5)
    )
    for wrong in (0, 1.5, True, "1", float("nan")):
        with pytest.raises(kgan.InputError, match="above 0, up to 1"):
            kgan.latents.from_seeds([0], 6, truncation=wrong)


def test_a_video_walks_from_picture_to_picture_and_back(clothes, tmp_path, capsys):
    gan, file, export = clothes
    walk = tmp_path / "walk.mp4"
    command = [export, "--seeds", "7,1", "--class", "coat", "--class", "Bag", "--truncation", "0.5"]
    for more, says in (
        (["--video", tmp_path / "walk.gif"], "an .mp4 file. Received"),
        (["--video", walk, "-o", tmp_path / "grid.png"], "without --output"),
        (["--video", walk, "--nice", "2"], "without --nice"),
    ):
        assert says in error_of(capsys, *command, *more)
    assert "two seeds" in error_of(capsys, file, "-n", "1", "--video", walk)
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    assert main(["generate", *map(str, command), "--video", str(walk)]) == 0
    assert capsys.readouterr().out == f"{walk}\n"
    reader = imageio_ffmpeg.read_frames(str(walk))
    assert next(reader)["size"] == (128, 128)
    frames = [np.frombuffer(frame, np.uint8).reshape(128, 128, 3) for frame in reader]
    assert len(frames) == 64  # 32 steps there, and 32 back to the first
    for place, seed, label in ((0, 7, 2), (32, 1, 0)):
        image = gan.generate(1, seed=seed, labels=label, truncation=0.5)[0]
        large = image.repeat(8, 0).repeat(8, 1).astype(int)
        assert np.abs(frames[place] - large).mean() < 12  # H.264 loses a little
    assert [path.name for path in tmp_path.iterdir()] == ["walk.mp4"]


def test_what_would_not_be_whole_is_refused_before_the_work(clothes, tmp_path, capsys):
    folder = tmp_path / "each"
    line = error_of(capsys, clothes[2], "--seeds", "1,1,2", "--separate", folder)
    assert "each can be there once. Received: --seeds 1,1,2" in line
    line = error_of(capsys, clothes[2], "-n", "64", "--scale", "30000", "--separate", folder)
    assert line.endswith("Received: --scale 30000")
    assert not folder.exists()


def test_classes_in_turn_in_any_case(clothes, tmp_path, capsys):
    gan, file, export = clothes
    for model in (file, export):
        named = ("--class", "bag", "--class", "coat", "--class", "Coat")
        sheet = drawn(tmp_path / "grid.png", model, *named, "-n", "4", "--seed", "5")
        expected = kgan.images.grid(gan.generate(4, seed=5, labels=[0, 2, 1, 0]))[..., 0]
        np.testing.assert_allclose(sheet, expected.astype(int), atol=1)
    # COAT could be either of two.
    assert "No such class" in error_of(capsys, file, "--class", "COAT")


@pytest.mark.parametrize("suffix", ["webp", "tif", "bmp", "gif", "jpg", "PNG"])
def test_formats_by_suffix(clothes, suffix, tmp_path):
    sheet = drawn(tmp_path / f"grid.{suffix}", clothes[2], "-n", "4", "--scale", "3")
    expected = kgan.images.grid(clothes[0].generate(4).repeat(3, 1).repeat(3, 2))[..., 0]
    assert sheet.shape == expected.shape
    apart = np.abs(sheet.astype(int) - expected)
    assert apart.max() <= (80 if suffix == "jpg" else 1)  # one loses a little
    assert apart.mean() < 12


def test_a_mosaic_has_no_gaps(clothes, tmp_path):
    sheet = drawn(tmp_path / "grid.png", clothes[2], "-n", "4", "--mosaic")
    images = kgan.runtime.Generator(clothes[2]).generate(4)[..., 0]
    np.testing.assert_array_equal(sheet, np.block([[*images[:2]], [*images[2:]]]))


def test_mistakes(clothes, tmp_path, capsys):
    _, file, export = clothes
    for arguments, says in (
        ([export, "-o", tmp_path / "grid.xyz"], "a format that Pillow writes"),
        ([export, "-o", tmp_path / "grid"], "a format that Pillow writes"),
        ([export, "--seeds", "1,2", "-n", "2"], "without -n"),
        ([file, "--seeds", "1,2", "--nice", "3"], "without --seeds"),
    ):
        assert says in error_of(capsys, *arguments)
    for arguments, says in (
        (["--seeds", "1,x"], "'1,x' is not seeds such as 1,5,9-20"),
        (["--seeds", "1", "--seed", "2"], "not allowed with"),
        (["--truncation", "2"], "'2' is not a number above 0, up to 1"),
    ):
        with pytest.raises(SystemExit):
            main(["generate", str(export), *arguments])
        assert says in capsys.readouterr().err
    assert not any(tmp_path.iterdir())
