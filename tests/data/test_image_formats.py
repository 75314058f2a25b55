"""Formats that Pillow reads with a plugin alone are read where it is, and named where not."""

import numpy as np
import pytest
from PIL import Image

from kgan.data import check_folder, image_formats, open_source


@pytest.mark.parametrize("one", image_formats.WITH_MORE, ids=lambda one: one.name)
def test_read_where_installed_else_named_with_what_to_install(tmp_path, caplog, one):
    ramp = np.linspace(0, 255, 32 * 32 * 3).astype(np.uint8).reshape(32, 32, 3)
    Image.fromarray(ramp).save(tmp_path / "a.png")
    path = tmp_path / f"b{one.suffixes[0]}"
    if one in image_formats.known():
        Image.fromarray(ramp).save(path, one.name, quality=90)
        source = open_source(tmp_path, image_shape=(32, 32, 3))
        plain, packed = (image.astype(int) for image, _ in source.read(source.examples()))
        assert 0 < np.abs(plain - packed).mean() < 4
        assert check_folder(tmp_path, image_shape=(32, 32)).problems == []
        assert caplog.text == ""
    else:
        path.write_bytes(b"x")
        assert open_source(tmp_path).count == 1
        words = f"left out: {one.suffixes[0]} (pip install {one.needs} reads them)"
        assert words in caplog.text
        remarks = check_folder(tmp_path).remarks
        (left,) = remarks["of kinds that kgan does not read, left out"]
        assert left == (str(path), f"pip install {one.needs} reads it")


def test_avif_is_read_by_the_pillow_that_has_it():
    assert ("AVIF" in image_formats.names()) == (".avif" in image_formats.suffixes())
    assert {one.name for one in image_formats.ALWAYS} <= set(image_formats.names())
