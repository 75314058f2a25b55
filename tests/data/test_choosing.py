"""Images by their indices, and a source without some of them."""

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.data.choosing import draw_indices, numbered, pick, without

SHAPE = (8, 8, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """24 pictures, picture i all of level 10 i, in two classes; one cannot be decoded."""
    place = tmp_path_factory.mktemp("pictures")
    for index in range(24):
        name = "ab"[index % 2]
        (place / name).mkdir(exist_ok=True)
        Image.new("L", (8, 8), 10 * index).save(place / name / f"{index:02d}.png")
    broken = place / "a" / "06.png"
    broken.write_bytes(broken.read_bytes()[:50])
    return place


@pytest.fixture(params=["folder", "shards", "array"])
def source(request, folder, tmp_path):
    if request.param == "array":
        images = np.repeat(10 * np.arange(24, dtype=np.uint8), 64).reshape(24, *SHAPE)
        np.savez(tmp_path / "a.npz", images=images, labels=np.arange(24) % 2)
        return kgan.data.open_source(tmp_path / "a.npz", labels=True)
    if request.param == "folder":
        return kgan.data.open_source(folder, image_shape=SHAPE)
    kgan.data.pack(kgan.data.open_source(folder, image_shape=SHAPE), tmp_path / "shards")
    return kgan.data.open_source(tmp_path / "shards", image_shape=SHAPE)


def level(image):
    return int(image[0, 0, 0])


def test_picked_images_come_in_the_order_of_the_indices_with_their_labels(source):
    levels = {int(n[0]): level(image) for image, n in source.read(numbered(source))}
    indices = [index for index in (20, 3, 9, 0, 22) if index in levels]
    images, labels = pick(source, indices)
    assert [level(image) for image in images] == [levels[index] for index in indices]
    assert [int(label) for label in labels] == [level(image) // 10 % 2 for image in images]


def test_the_rest_is_everything_else_and_trained_on_alone(source):
    held = draw_indices(source, 5, seed=3)
    assert len(set(held.tolist())) == 5
    np.testing.assert_array_equal(held, draw_indices(source, 5, seed=3))
    rest = without(source, held)
    apart = {level(image) for image in pick(source, held)[0]}
    every = {level(image) for image, _ in source.read(numbered(source))}
    batches = kgan.data.batches(rest, batch_size=1, value_range=(0, 255), seed=0)
    trained = {level(image[0]) for image in batches.as_numpy_iterator()}
    assert trained == every - apart
    assert rest.fingerprint() != source.fingerprint()
    assert source.good >= len(every)


def test_broken_images_are_missing_and_none_at_all_is_an_error(folder):
    source = kgan.data.open_source(folder, image_shape=SHAPE)
    names = [source.name(index) for index in range(source.count)]
    broken = next(i for i, name in enumerate(names) if name.endswith("06.png"))
    images, _ = pick(source, [broken, broken + 1])
    assert [level(image) for image in images] == [80]
    with pytest.raises(kgan.InputError, match="No picture could be decoded"):
        pick(source, [broken])


def test_files_are_named_after_their_pictures(tmp_path):
    (tmp_path / "x").mkdir()
    for name in ("one.png", "x/two.png", "x/two.bmp"):
        Image.new("L", (8, 8)).save(tmp_path / name)
    source = kgan.data.open_source(tmp_path, image_shape=SHAPE)
    assert {source.stem(index) for index in range(3)} == {"one", "x/two.png", "x/two.bmp"}
