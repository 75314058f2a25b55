"""Arrays of 1 to 8 channels, of 8 and 16 bits and of floats: nothing of them is lost."""

import numpy as np
import pytest

import kgan
from kgan.data import first_images, mirroring, open_source, pack
from kgan.data.array_source import ArraySource
from kgan.data.builders import array_source
from kgan.data.choosing import pick, without
from tests.metrics.test_resize import kernel_matrix

RNG = np.random.default_rng(11)
WHITE = (255, 255, 255)
DEEP = RNG.integers(0, 2**16, (6, 8, 10, 1), np.uint16)


def batch_of(source, value_range=(-1.0, 1.0)):
    batches = kgan.data.batches(source, batch_size=6, value_range=value_range, shuffle=False)
    return next(iter(batches)).numpy()


def saved(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("order", ["=", ">"])
def test_sixteen_bits_are_trained_on_and_256_levels_are_shown(tmp_path, order):
    np.save(tmp_path / "deep.npy", DEEP[..., 0].astype(f"{order}u2"))
    source = open_source(tmp_path / "deep.npy")
    np.testing.assert_allclose(batch_of(source), DEEP / 32767.5 - 1, atol=2e-7)
    assert len(np.unique(batch_of(source))) == len(np.unique(DEEP)) > 256
    np.testing.assert_array_equal(source.images, np.rint(DEEP / 257.0))
    np.testing.assert_array_equal(first_images(source, 6), source.images)
    np.testing.assert_array_equal(pick(source, [4])[0][0], source.images[4])
    rest = without(source, [0, 1])
    np.testing.assert_array_equal(rest.values, DEEP[2:])
    assert rest.array_range == source.array_range
    other = open_source(saved(tmp_path / "low.npz", images=DEEP // 256 * 256))
    assert source.fingerprint() != other.fingerprint()


@pytest.mark.parametrize("low", [0.0, -1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_floats_in_a_file_are_black_at_0_or_at_minus_1(tmp_path, low, dtype):
    images = RNG.uniform(low, 1, (6, 8, 8)).astype(dtype)
    source = open_source(saved(tmp_path / "floats.npz", x_train=images))
    assert source.description == f"array file floats.npz, floats from {low:g} to 1"
    unit = (images.astype(np.float64)[..., None] - low) / (1 - low)
    np.testing.assert_allclose(batch_of(source, (0.0, 1.0)), unit, atol=2e-7)
    assert (source.values.dtype, source.images.dtype) == (np.float32, np.uint8)
    np.testing.assert_array_equal(source.images, np.rint(np.float32(unit) * 255))


def test_eight_bits_are_what_they_were():
    images = RNG.integers(0, 256, (6, 8, 8, 3), np.uint8)
    source = ArraySource(images, "levels")
    assert source.values is images
    assert source.images is images
    np.testing.assert_array_equal(batch_of(source), np.float32(images) * np.float32(2 / 255) - 1)


@pytest.mark.parametrize("channels", range(1, 9))
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_any_channels_come_through_and_are_scaled_each_by_itself(channels, dtype):
    rows, columns, of = np.ogrid[:20, :20, :channels]
    wave = 0.5 + 0.4 * np.sin(rows / 3 + of) * np.cos(columns / 4)
    alike = np.broadcast_to(wave, (6, 20, 20, channels))
    if channels == 4:
        alike = np.concatenate([alike[..., :3], np.ones((6, 20, 20, 1))], axis=-1)
    images = np.rint(alike * 255).astype(np.uint8) if dtype == np.uint8 else alike.astype(dtype)
    ends = None if dtype == np.uint8 else (0.0, 1.0)
    np.testing.assert_allclose(
        batch_of(array_source(images, ends, None, "crop", WHITE, "own"), (0, 1)), alike, atol=2e-3
    )
    small = array_source(images, ends, (12, 12, channels), "crop", WHITE, "small")
    scale = kernel_matrix(20, 12)
    expected = np.einsum("ih,nhwc,jw->nijc", scale, alike, scale)
    np.testing.assert_allclose(
        batch_of(small, (0, 1)), expected, atol=6e-3 if dtype == np.uint8 else 1e-5
    )


def test_crop_pad_and_other_channels_of_floats():
    images = np.full((2, 8, 4, 1), 0.25, np.float32)
    padded = array_source(images, (0, 1), (8, 8, 1), "pad", (51, 51, 51), "padded").values
    np.testing.assert_allclose(padded[0, 0, :, 0], [0.2] * 2 + [0.25] * 4 + [0.2] * 2, atol=1e-6)
    five = np.full((1, 4, 8, 5), 0.5, np.float32)
    five = array_source(five, (0, 1), (8, 8, 5), "pad", (255, 0, 0), "luma").values
    np.testing.assert_allclose(five[0, 0, 0], [0.299] * 5, atol=1e-6)  # the luma of red
    red = np.full((1, 4, 4, 3), (1.0, 0.0, 0.0), np.float32)
    grey = array_source(red, (0, 1), (4, 4, 1), "crop", WHITE, "grey").values
    np.testing.assert_allclose(grey, 0.299, atol=1e-6)
    deep = array_source(DEEP, None, (8, 10, 4), "crop", WHITE, "rgba")
    np.testing.assert_array_equal(deep.values[..., :3], np.broadcast_to(DEEP, (6, 8, 10, 3)))
    assert (deep.values[..., 3] == 65535).all()
    assert deep.transparency == "transparency kept, 6 of 6 pictures without any are opaque"


@pytest.mark.parametrize(
    ("array", "options", "says"),
    [
        (np.zeros((4, 8, 8, 9), np.uint8), {}, r"C from 1 to 8\. Received: \(4, 8, 8, 9\)"),
        (np.zeros((4, 8, 8, 5), np.uint8), {"image_shape": (8, 8, 3)}, "keep their 5. Received: 3"),
        (np.zeros((4, 8, 8, 3), np.uint8), {"image_shape": (8, 8, 2)}, "keep their 3. Received: 2"),
        (np.zeros((4, 8, 8), np.int16), {}, "uint8, uint16 or floats. Received: int16"),
        (np.full((4, 8, 8), 255.0), {}, "from 0 .black. to 1 .white., .* Received: 255 to 255 in"),
        (np.full((4, 8, 8), np.nan), {}, "Received: nan to nan in"),
    ],
)
def test_array_files_that_cannot_be_used_are_one_line(tmp_path, array, options, says):
    path = saved(tmp_path / "a.npz", images=array)
    with pytest.raises(kgan.InputError, match=says) as caught:
        open_source(path, **options)
    assert "\n" not in str(caught.value)


def test_shards_are_of_pictures_of_8_bits_which_is_told(tmp_path, caplog):
    five = array_source(np.zeros((2, 8, 8, 5), np.uint8), None, None, "crop", WHITE, "five")
    with pytest.raises(kgan.InputError, match=r"Shards hold PNG pictures, .* Received: 5"):
        pack(five, tmp_path / "five")
    deep = array_source(DEEP, None, None, "crop", WHITE, "deep")
    pack(deep, tmp_path / "deep")
    assert "packed with 8 bits: shards hold no uint16" in caplog.text
    packed = open_source(tmp_path / "deep")
    made = sorted(image.tobytes() for image, _ in packed.read(packed.examples()))
    assert made == sorted(image.tobytes() for image in deep.images)


def test_whether_to_mirror_is_asked_of_any_channels(monkeypatch):
    monkeypatch.setattr(mirroring, "LEAST", 4)
    images = RNG.integers(0, 256, (6, 40, 40, 5), np.uint8)
    small = mirroring._small(array_source(images, None, None, "crop", WHITE, "five"))
    assert np.stack(small).shape == (6, 32, 32, 5)
