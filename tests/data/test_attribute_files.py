"""Attributes beside pictures: CSV and JSON files, arrays, the embedded faces."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.data import open_source
from kgan.data.choosing import pick, without
from kgan.reading import sha256

FILES = [f"{'far' if index % 2 else 'near'}/{index}.png" for index in range(12)]


@pytest.fixture
def folder(tmp_path):
    """Flat pictures of level 10 * index, with a switch and a number that follow from it."""
    for index, file in enumerate(FILES):
        path = tmp_path / "pics" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 10 * index).save(path)
    lines = ["file,odd,height"]
    lines += [f"{file},{index % 2},{index / 4}" for index, file in reversed([*enumerate(FILES)])]
    (tmp_path / "pics.csv").write_text("\n".join(lines))
    return tmp_path / "pics"


def check(images, labels):
    index = np.rint(np.asarray(images).mean((1, 2, 3)) / 10)
    assert labels.dtype == np.float32
    np.testing.assert_array_equal(labels, np.stack([index % 2, index / 4], axis=1))


@pytest.mark.parametrize("cache", ["memory", None, "file"])
def test_a_row_goes_with_its_picture(folder, tmp_path, cache):
    batches = kgan.data.from_folder(
        folder,
        image_shape=(8, 8, 1),
        batch_size=4,
        value_range=(0, 255),
        cache=str(tmp_path / "cache") if cache == "file" else cache,
        seed=2,
        attributes=f"{folder}.csv",
    )
    for images, labels in batches.as_numpy_iterator():
        check(images, labels)


def test_the_source_knows_the_attributes(folder):
    source = open_source(folder, image_shape=(8, 8, 1), attributes=f"{folder}.csv")
    assert source.class_names is None
    assert source.attributes.names == ("odd", "height")
    assert source.attributes.kinds == ("switch", "number")
    assert source.attributes.ranges == ((0, 1), (0, 2.75))
    assert source.default_augment == []  # a mirror image may have others
    images, labels = pick(source, [7, 2, 11])
    check(images, labels)
    images, labels = pick(without(source, [0, 1]), [7, 2])
    check(images, labels)
    assert source.fingerprint() != open_source(folder, image_shape=(8, 8, 1)).fingerprint()
    changed = Path(f"{folder}.csv").read_text().replace("2.75", "2.5")
    Path(f"{folder}.csv").write_text(changed)
    again = open_source(folder, image_shape=(8, 8, 1), attributes=f"{folder}.csv")
    assert source.fingerprint() != again.fingerprint()


def test_a_broken_picture_takes_its_row_along(folder):
    path = folder / FILES[5]
    path.write_bytes(path.read_bytes()[:45])  # a good header
    source = open_source(folder, image_shape=(8, 8, 1), attributes=f"{folder}.csv")
    for batch in kgan.data.batches(
        source, batch_size=11, value_range=(0, 255), labels=True
    ).as_numpy_iterator():
        check(*batch)
    (folder / FILES[4]).write_bytes(b"no picture")
    source = open_source(folder, image_shape=(8, 8, 1), attributes=f"{folder}.csv")
    check(*pick(source, range(source.usable)))


def test_what_no_picture_has_sets_no_range(folder):
    lines = Path(f"{folder}.csv").read_text().splitlines()
    lines = ["near/0.png,0.5,1000" if line.startswith("near/0.png") else line for line in lines]
    Path(f"{folder}.csv").write_text("\n".join(lines))
    (folder / "near/0.png").write_bytes(b"no picture")
    source = open_source(folder, image_shape=(8, 8, 1), attributes=f"{folder}.csv")
    assert source.attributes.kinds == ("switch", "number")
    assert source.attributes.ranges == ((0, 1), (0.25, 2.75))
    assert source.attributes.rows[:, 1].max() == 2.75
    check(*pick(source, range(source.usable)))
    for file in FILES:
        (folder / file).write_bytes(b"no picture")
    with pytest.raises(kgan.InputError, match="picture"):
        open_source(folder, image_shape=(8, 8, 1), attributes=f"{folder}.csv")


def test_json_says_the_same(folder, tmp_path):
    entries = {
        file: {"height": index / 4, "odd": bool(index % 2)} for index, file in enumerate(FILES)
    }
    (tmp_path / "a.json").write_text(json.dumps(entries))
    source = open_source(folder, image_shape=(8, 8, 1), attributes=tmp_path / "a.json")
    assert source.attributes.names == ("height", "odd")
    images, labels = pick(source, range(12))
    check(images, labels[:, ::-1])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begins with a line of names"),
        ("file\n", "begins with a line of names"),
        ("file,odd,odd\n", "different names. Received: odd twice"),
        ("file,a=b\n", "no comma and no equals sign"),
        ("ONE LESS", "1 of 12 pictures are not in bad.csv, such as far/11.png"),
        ("ONE MORE", "1 names in bad.csv are those of no picture in the folder, such as x.png"),
        ("ONE TWICE", "This picture is there twice. Received: near/0.png"),
        ("SHORT", "Each line needs 3 values, as the first has names. Received: 2 in line 2 of"),
        ("=yes", "0, 1 or another finite number. Received: odd = 'yes' of near/0.png"),
        ("=nan", "Received: odd = 'nan' of near/0.png"),
        ("=", "Received: odd = '' of near/0.png"),
        ("=1e999", "Received: odd = '1e999' of near/0.png"),
        ("SAME", "different values. Received: odd = 0 in all 12"),
        ('"', "in a CSV or JSON file in UTF-8"),
    ],
)
def test_what_is_wrong_in_a_csv_file_is_named(folder, tmp_path, text, says):
    lines = Path(f"{folder}.csv").read_text().splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("near/0.png"))
    if text == "ONE LESS":
        lines = [line for line in lines if not line.startswith("far/11")]
    elif text == "ONE MORE":
        lines.append("x.png,0,0")
    elif text == "ONE TWICE":
        lines.append("near/0.png,0,0")
    elif text == "SHORT":
        lines.insert(1, "near/0.png,0")
    elif text == "SAME":
        lines = [line.replace(",1,", ",0,") for line in lines]
    elif text.startswith("="):
        lines[first] = f"near/0.png,{text[1:]},0"
    else:
        lines = [text]
    (tmp_path / "bad.csv").write_text("\n".join(lines))
    with pytest.raises(kgan.InputError) as caught:
        open_source(folder, attributes=tmp_path / "bad.csv")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[1]", 'is {"a.png": {"smile": 1, "yaw": -0.5}, ...}'),
        ("{}", 'is {"a.png": {"smile": 1, "yaw": -0.5}, ...}'),
        ('{"a.png": 1}', "an object with the same attributes, numbers by name"),
        ('{"a.png": {"x": 1}, "b.png": {"y": 1}}', "the same attributes, x. Received: {'y': 1}"),
        ('{"a.png": {"x": 1}, "a.png": {"x": 2}}', "a.png is there twice"),
        ('{"a.png": {"x": "1", "x": 2}}', "x is there twice"),
        ("{", "in a CSV or JSON file in UTF-8"),
    ],
)
def test_what_is_wrong_in_a_json_file_is_named(folder, tmp_path, content, says):
    (tmp_path / "bad.json").write_text(content)
    with pytest.raises(kgan.InputError) as caught:
        open_source(folder, attributes=tmp_path / "bad.json")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_attributes_goes_with_a_folder_alone(folder, tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((4, 8, 8), np.uint8))
    for data in (None, "embedded:faces", tmp_path / "a.npz", "tfds:mnist"):
        with pytest.raises(kgan.InputError, match="goes with a folder or archive of pictures"):
            open_source(data, attributes=f"{folder}.csv")
    with pytest.raises(kgan.InputError, match=r"missing\.csv"):
        open_source(folder, attributes="missing.csv")
    source = open_source(folder, image_shape=(8, 8, 1), attributes=f"{folder}.csv")
    with pytest.raises(kgan.InputError, match="Classes can be balanced, attributes not"):
        kgan.data.batches(source, batch_size=2, balance=True)


@pytest.mark.parametrize("name", ["attributes", "labels"])
def test_an_array_file_brings_its_attributes(tmp_path, name):
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8), np.uint8)
    table = np.stack([np.arange(6) % 2, np.linspace(0, 1, 6)], axis=1)
    arrays = {"images": images, name: table}
    np.savez(tmp_path / "a.npz", **arrays, attribute_names=["odd", "place"])
    source = open_source(tmp_path / "a.npz", labels=True)
    assert source.attributes.names == ("odd", "place")
    np.testing.assert_array_equal(source.labels, table.astype(np.float32))
    assert open_source(tmp_path / "a.npz").attributes is None
    np.savez(tmp_path / "b.npz", **arrays)
    says = "attributes need attribute_names" if name == "attributes" else "one per picture"
    with pytest.raises(kgan.InputError, match=says):
        open_source(tmp_path / "b.npz", labels=True)
    np.savez(tmp_path / "old.npz", images=images, y_train=np.arange(6) % 3, attributes=table)
    old = open_source(tmp_path / "old.npz", labels=True)
    assert (old.attributes, len(old.class_names)) == (None, 3)
    np.savez(tmp_path / "c.npz", **arrays, attribute_names=["odd"])
    with pytest.raises(kgan.InputError, match="6 rows, one per picture, of 1 numbers"):
        open_source(tmp_path / "c.npz", labels=True)
    np.savez(tmp_path / "d.npz", images=images, attribute_names=["odd"])
    with pytest.raises(kgan.InputError, match="attribute_names are texts, and attributes or"):
        open_source(tmp_path / "d.npz", labels=True)
    batches = kgan.data.from_arrays(
        images, labels=table, attribute_names=["odd", "place"], batch_size=6, shuffle=False
    )
    np.testing.assert_array_equal(next(iter(batches))[1], table.astype(np.float32))


def test_the_embedded_faces_are_those_of_their_maker():
    source = open_source("embedded:faces", labels=True)
    assert source.attributes.names == ("smile", "glasses", "yaw", "blond")
    assert source.attributes.kinds == ("switch", "switch", "number", "number")
    assert source.images.shape == (2400, 32, 32, 3)
    assert len(np.unique(source.images.reshape(2400, -1), axis=0)) == 2400
    smile, glasses, yaw, blond = source.labels.T
    assert 0.45 < smile.mean() < 0.55
    assert 0.35 < glasses.mean() < 0.45
    assert np.abs(np.corrcoef(source.labels.T) - np.eye(4)).max() < 0.06  # each on its own
    assert -1 <= yaw.min() < -0.99 < 0.99 < yaw.max() <= 1
    assert 0 <= blond.min() < 0.01 < 0.99 < blond.max() <= 1
    directory = Path(kgan.__file__).parent / "data" / "faces"
    file = directory / "faces_2400.npz"
    assert file.stat().st_size < 3e6
    assert sha256(file) in (directory / "ORIGIN.md").read_text()
    images, labels = next(iter(kgan.data.embedded("faces", batch_size=8, labels=True, seed=0)))
    assert images.shape == (8, 32, 32, 3)
    assert labels.shape == (8, 4)
    with pytest.raises(kgan.InputError, match=r"embedded sets are clothes, faces\. Received: cats"):
        open_source("embedded:cats")


def test_what_the_faces_labels_say_is_seen():
    """A linear map, fitted to one half by ridge regression, reads them off the other."""
    source = open_source("embedded:faces", labels=True)
    pixels, labels = source.images.reshape(2400, -1) / 255.0, source.labels
    mean, level = pixels[:1200].mean(0), labels[:1200].mean(0)
    known = pixels[:1200] - mean
    weights = known.T @ np.linalg.solve(known @ known.T + np.eye(1200), labels[:1200] - level)
    read, asked = (pixels[1200:] - mean) @ weights + level, labels[1200:]
    for switch in (0, 1):
        assert ((read[:, switch] > 0.5) == asked[:, switch]).mean() > 0.97
    for number in (2, 3):
        assert np.corrcoef(read[:, number], asked[:, number])[0, 1] > 0.97
