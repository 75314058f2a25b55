"""Every kind of picture comes out right; the expected pixels are worked out by hand."""

import numpy as np
import pytest
from PIL import Image

from kgan.data import decode
from kgan.errors import InputError

WHITE = (255, 255, 255)


def decoded(path, shape, fit="crop", background=WHITE):
    picture = decode.decode(str(path), shape, fit, background)
    assert picture.dtype == np.uint8
    assert picture.shape == shape
    return picture.astype(int)


def halves(left, right, size=(8, 4), mode="RGB"):
    """A picture of two flat halves, left and right."""
    image = Image.new(mode, size, left)
    image.paste(right, (size[0] // 2, 0, *size))
    return image


@pytest.mark.parametrize(
    ("suffix", "options", "tolerance"),
    [
        (".png", {}, 0),
        (".bmp", {}, 0),
        (".gif", {}, 0),
        (".webp", {"lossless": True}, 0),
        (".jpg", {"quality": 95}, 6),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_formats_keep_their_pixels(tmp_path, suffix, options, tolerance, mode):
    left, right = ((200, 30, 60), (10, 120, 240)) if mode == "RGB" else (40, 220)
    path = tmp_path / f"picture{suffix}"
    halves(left, right, mode=mode, size=(32, 16)).save(path, **options)
    colour = decoded(path, (16, 32, 3))
    for half, level in ((colour[:, :12], left), (colour[:, 20:], right)):
        assert np.abs(half - np.broadcast_to(level, half.shape)).max() <= tolerance
    # ITU-R 601 luma, as Pillow states it: 0.299 R + 0.587 G + 0.114 B
    luma = [np.dot(np.broadcast_to(c, 3), (0.299, 0.587, 0.114)) for c in (left, right)]
    grey = decoded(path, (16, 32, 1))
    for half, level in ((grey[:, :12], luma[0]), (grey[:, 20:], luma[1])):
        assert np.abs(half - level).max() <= tolerance + 1


@pytest.mark.parametrize("background", [WHITE, (0, 0, 0), (10, 200, 30)])
def test_transparency_is_composited_on_the_background(tmp_path, background):
    path = tmp_path / "p.png"
    halves((255, 0, 0, 128), (0, 0, 0, 0), mode="RGBA").save(path)
    picture = decoded(path, (4, 8, 3), background=background)
    alpha = 128 / 255
    expected = alpha * np.array([255, 0, 0]) + (1 - alpha) * np.array(background)
    assert np.abs(picture[:, :4] - expected).max() <= 1
    np.testing.assert_array_equal(picture[0, -1], background)


def test_grey_with_alpha_and_palette_with_transparency(tmp_path):
    halves((100, 255), (0, 0), mode="LA").save(tmp_path / "la.png")
    picture = decoded(tmp_path / "la.png", (4, 8, 1), background=(50, 50, 50))
    assert (picture[0, 0, 0], picture[0, -1, 0]) == (100, 50)
    palette = halves((0, 0, 255), (255, 255, 0)).quantize(2)
    clear = palette.getpixel((7, 0))
    palette.save(tmp_path / "p.png", transparency=clear)
    picture = decoded(tmp_path / "p.png", (4, 8, 3), background=(1, 2, 3))
    np.testing.assert_array_equal(picture[0, 0], (0, 0, 255))
    np.testing.assert_array_equal(picture[0, -1], (1, 2, 3))


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    levels = np.array([[0, 257, 32768, 65535]] * 4, np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    picture = decoded(tmp_path / "deep.png", (4, 4, 1))
    np.testing.assert_array_equal(picture[0, :, 0], [0, 1, 128, 255])  # value / 257, rounded


def test_cmyk_jpeg_becomes_rgb(tmp_path):
    # ink: no cyan, all magenta, all yellow, no black is red
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "ink.jpg", quality=95)
    picture = decoded(tmp_path / "ink.jpg", (16, 16, 3))
    assert np.abs(picture - np.array([255, 0, 0])).max() <= 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(tmp_path, orientation):
    upright = Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    )
    # How a camera stores what is `upright` for each value (Exif 2.3, table of tag 0x0112).
    stored = {
        1: upright,
        2: upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: upright.transpose(Image.Transpose.ROTATE_180),
        4: upright.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: upright.transpose(Image.Transpose.TRANSPOSE),
        6: upright.transpose(Image.Transpose.ROTATE_90),
        7: upright.transpose(Image.Transpose.TRANSVERSE),
        8: upright.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "p.png", exif=exif)
    picture = decoded(tmp_path / "p.png", (32, 48, 3))
    np.testing.assert_array_equal(picture, np.asarray(upright))


def test_crop_keeps_the_middle_and_pad_keeps_all(tmp_path):
    wide = Image.new("RGB", (60, 20), (0, 0, 255))
    wide.paste((255, 0, 0), (0, 0, 20, 20))
    wide.paste((0, 255, 0), (40, 0, 60, 20))  # red, blue, green thirds
    wide.save(tmp_path / "wide.png")
    cropped = decoded(tmp_path / "wide.png", (20, 20, 3))
    np.testing.assert_array_equal(cropped, np.broadcast_to((0, 0, 255), cropped.shape))
    padded = decoded(tmp_path / "wide.png", (30, 30, 3), "pad", (9, 9, 9))
    np.testing.assert_array_equal(padded[:10], np.full((10, 30, 3), 9))
    np.testing.assert_array_equal(padded[20:], np.full((10, 30, 3), 9))
    for column, colour in ((2, (255, 0, 0)), (15, (0, 0, 255)), (27, (0, 255, 0))):
        np.testing.assert_array_equal(padded[15, column], colour)


def test_padding_of_grey_uses_the_backgrounds_luma(tmp_path):
    Image.new("L", (4, 8), 0).save(tmp_path / "tall.png")
    padded = decoded(tmp_path / "tall.png", (8, 8, 1), "pad", (255, 0, 0))
    assert padded[0, 0, 0] == 76  # 0.299 * 255
    assert padded[0, 4, 0] == 0


def test_the_same_size_is_not_resampled_and_shrinking_is_antialiased(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (12, 20, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    np.testing.assert_array_equal(decoded(tmp_path / "noise.png", (12, 20, 3)), noise)
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255  # without antialiasing a quarter-size copy is all black or all white
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    small = decoded(tmp_path / "stripes.png", (16, 16, 1))[:, 2:-2]
    assert np.abs(small - 127.5).max() < 16


def test_a_large_jpeg_is_the_same_picture_as_its_full_decoding(tmp_path):
    ramp = np.linspace(0, 255, 1024)[None, :, None] * np.ones((768, 1, 3))
    ramp[:, :, 1] = np.linspace(0, 255, 768)[:, None]
    Image.fromarray(ramp.astype(np.uint8)).save(tmp_path / "big.jpg", quality=95)
    received = decoded(tmp_path / "big.jpg", (48, 64, 3))
    whole = Image.open(tmp_path / "big.jpg").convert("RGB").resize((64, 48), Image.BICUBIC)
    assert np.abs(received - np.asarray(whole).astype(int)).max() <= 3


def test_one_pixel_and_the_first_frame_of_an_animation(tmp_path):
    Image.new("RGB", (1, 1), (5, 6, 7)).save(tmp_path / "dot.png")
    np.testing.assert_array_equal(decoded(tmp_path / "dot.png", (4, 6, 3))[2, 3], (5, 6, 7))
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(decoded(tmp_path / "two.gif", (8, 8, 3))[0, 0], (255, 0, 0))


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 4, 9), (4, 4), "4x4x3", (4.0, 4, 3), None])
def test_shapes_that_are_none_are_named(shape):
    with pytest.raises(InputError, match="Received"):
        decode.check_shape(shape)


def test_fit_is_crop_or_pad():
    with pytest.raises(InputError, match="'stretch'"):
        decode.check_fit("stretch")
