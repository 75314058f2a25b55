"""Packed shards: what went in comes out, and what is damaged is named with its shard."""

import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kgan
from kgan.data import open_source, pack, packing
from kgan.data.records import check_shards, count_records

RNG = np.random.default_rng(4)


@pytest.fixture
def folder(tmp_path):
    """Twenty noisy pictures of 12x10 in three classes."""
    for index in range(20):
        path = tmp_path / "pictures" / ("ant", "bee", "cow é")[index % 3] / f"{index:02d} ü.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RNG.integers(0, 256, (12, 10, 3), np.uint8)).save(path)
    return tmp_path / "pictures"


def everything(source):
    """All pictures and their class names, in an order of their own."""
    pairs = [
        (picture.tobytes(), source.class_names[label] if source.class_names else None)
        for picture, label in source.read(source.examples())
    ]
    return sorted(pairs)


@pytest.mark.parametrize("shape", [(12, 10, 3), (8, 8, 1)])
def test_the_same_pictures_and_classes_come_back(folder, tmp_path, monkeypatch, shape):
    monkeypatch.setattr(packing, "IMAGES_PER_SHARD", 8)
    source = open_source(folder, image_shape=shape)
    told = []
    manifest = pack(source, tmp_path / "new" / "shards", progress=lambda *n: told.append(n))
    assert told == [(8, 20), (16, 20), (20, 20)]
    packed = open_source(tmp_path / "new" / "shards")
    assert packed.image_shape == shape
    assert packed.count == manifest["count"] == 20
    assert packed.class_names == ["ant", "bee", "cow é"]
    assert packed.default_augment == ["flip"]
    assert everything(packed) == everything(source)
    in_order = [picture.tobytes() for picture, _ in source.read(source.examples())]
    assert [picture.tobytes() for picture, _ in packed.read(packed.examples())] != in_order
    assert [shard["count"] for shard in manifest["shards"]] == [8, 8, 4]
    assert json.loads((tmp_path / "new" / "shards" / "manifest.json").read_text()) == manifest
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["shards"]
    images, labels = next(
        iter(
            kgan.data.from_tfrecords(
                tmp_path / "new" / "shards", image_shape=shape, batch_size=20, labels=True
            )
        )
    )
    assert images.shape == (20, *shape)
    assert np.bincount(labels.numpy()).tolist() == [7, 7, 6]


def test_packed_pictures_can_be_fitted_to_another_shape(folder, tmp_path):
    pack(open_source(folder, image_shape=(12, 10)), tmp_path / "shards")
    other = open_source(tmp_path / "shards", image_shape=(6, 5))
    assert other.image_shape == (6, 5, 3)
    expected = everything(open_source(folder, image_shape=(6, 5)))
    assert everything(other) == expected


def test_any_tool_that_reads_tfrecords_reads_them(folder, tmp_path):
    pack(open_source(folder, image_shape=(12, 10)), tmp_path / "shards")
    found = {}
    for record in tf.data.TFRecordDataset(str(tmp_path / "shards" / "pictures-00000.tfrecord")):
        feature = tf.train.Example.FromString(record.numpy()).features.feature
        picture = tf.io.decode_image(feature["image/encoded"].bytes_list.value[0]).numpy()
        name = feature["image/class/text"].bytes_list.value[0].decode()
        found.setdefault(name, []).append(picture.tobytes())
        assert feature["image/class/label"].int64_list.value[0] == (
            ["ant", "bee", "cow é"].index(name)
        )
    for name, pictures in found.items():
        files = sorted((folder / name).iterdir())
        assert sorted(pictures) == sorted(np.asarray(Image.open(f)).tobytes() for f in files)


def test_arrays_and_broken_folders_pack_too(folder, tmp_path):
    pictures = RNG.integers(0, 256, (6, 4, 4), np.uint8)
    np.savez(tmp_path / "a.npz", images=pictures, labels=np.array([0, 1, 2] * 2))
    manifest = pack(open_source(tmp_path / "a.npz", labels=True), tmp_path / "of arrays")
    assert (manifest["class_names"], manifest["image_shape"]) == (["0", "1", "2"], [4, 4, 1])
    assert everything(open_source(tmp_path / "of arrays")) == sorted(
        (picture.tobytes(), str(index % 3)) for index, picture in enumerate(pictures)
    )
    # Numbers for names, as another tool may write them, are text.
    (tmp_path / "of arrays/manifest.json").write_text(
        json.dumps(manifest | {"class_names": [7, 8, 9]})
    )
    again = pack(open_source(tmp_path / "of arrays"), tmp_path / "again")
    assert again["class_names"] == ["7", "8", "9"]
    broken = folder / "ant" / "00 ü.png"
    broken.write_bytes(broken.read_bytes()[:200])
    source = open_source(folder)
    manifest = pack(source, tmp_path / "of files")
    assert (manifest["count"], manifest["skipped"]) == (19, 1)
    assert list(source.skipped) == [str(broken)]
    for other in folder.rglob("*.png"):
        other.write_bytes(other.read_bytes()[:200])
    with pytest.raises(kgan.InputError, match="could be decoded"):
        pack(open_source(folder), tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    with pytest.raises(kgan.InputError, match="This exists"):
        pack(open_source(tmp_path / "a.npz"), tmp_path / "of files")


def test_a_damaged_shard_is_named(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "IMAGES_PER_SHARD", 8)
    shards = tmp_path / "shards"
    pack(open_source(folder, image_shape=(12, 10)), shards)
    assert check_shards(shards)[1] == []
    path = shards / "pictures-00001.tfrecord"
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])  # cut: known at once from its length
    with pytest.raises(kgan.InputError, match=r"Damaged.*bytes.*pictures-00001"):
        open_source(shards)
    path.unlink()
    with pytest.raises(kgan.InputError, match=r"lacks pictures-00001\.tfrecord"):
        open_source(shards)
    flipped = bytearray(whole)
    flipped[700] ^= 255  # bytes that changed: known from TFRecord's checksum, when it is read
    path.write_bytes(flipped)
    source = open_source(shards)
    with pytest.raises(kgan.InputError, match="pictures-00001"):
        list(source.read(source.examples()))
    (problem,) = check_shards(shards)[1]
    assert "pictures-00001.tfrecord: its SHA-256" in problem
    path.rename(shards / "other.tfrecord")
    problems = check_shards(shards)[1]
    assert "other.tfrecord: not in" in problems[0]
    assert "pictures-00001.tfrecord: missing" in problems[1]


def test_a_damaged_shard_of_another_tool_is_named(folder, tmp_path):
    for shard in range(2):
        with tf.io.TFRecordWriter(str(tmp_path / f"{shard}.tfrecord")) as writer:
            for file in sorted(folder.rglob("*.png"))[shard::2]:
                value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[file.read_bytes()]))
                example = tf.train.Example(features=tf.train.Features(feature={"image": value}))
                writer.write(example.SerializeToString())
    assert [count_records(tmp_path / f"{shard}.tfrecord") for shard in range(2)] == [10, 10]
    assert open_source(tmp_path).count == 20
    path = tmp_path / "1.tfrecord"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 + 50])  # within a record
    with pytest.raises(kgan.InputError, match=r"Damaged: cut short.*1\.tfrecord"):
        open_source(tmp_path)
    flipped = bytearray(whole)
    flipped[len(whole) // 2 + 50] ^= 255
    path.write_bytes(flipped)
    with pytest.raises(kgan.InputError, match=r"Damaged.*1\.tfrecord"):
        kgan.data.from_tfrecords(tmp_path, image_shape=(8, 8, 3), batch_size=20)


def test_manifests_that_cannot_be_used_are_named(folder, tmp_path):
    shards = tmp_path / "shards"
    pack(open_source(folder, image_shape=(12, 10)), shards)
    manifest = json.loads((shards / "manifest.json").read_text())
    (shards / "manifest.json").write_text("{")
    with pytest.raises(kgan.InputError, match=r"Not a readable manifest.*manifest\.json"):
        open_source(shards)
    (shards / "manifest.json").write_text(json.dumps(manifest | {"format_version": 99}))
    with pytest.raises(kgan.InputError, match="newer kgan"):
        open_source(shards)
    (shards / "manifest.json").write_text(json.dumps(manifest | {"shards": [], "count": 0}))
    with pytest.raises(kgan.InputError, match=r"pictures-00000\.tfrecord is not in"):
        open_source(shards)
    for change in (
        {"shards": [{}]},
        {"shards": [manifest["shards"][0] | {"file": "../x"}]},
        *(
            {"shards": [manifest["shards"][0] | {name: value}], "count": value}
            for name, value in (("bytes", None), ("bytes", "x"), ("count", 20.0), ("count", -1))
        ),
        {"class_names": 7, "default_augment": [[]]},
        {"image_shape": [8, 8]},
        {"image_shape": None},
        {"count": "20"},
        {"count": 19},
        {"class_names": ["a", "a"]},
        {"default_augment": "flop"},
    ):
        (shards / "manifest.json").write_text(json.dumps(manifest | change))
        with pytest.raises(kgan.InputError, match="Not a readable manifest"):
            open_source(shards)
    (shards / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(kgan.InputError, match="Not a readable manifest"):
        open_source(shards)
    for foreign in ('{"name": "site"}', "[]"):  # another program's, beside another tool's shards
        (shards / "manifest.json").write_text(foreign)
        assert open_source(shards).count == 20
    (shards / "manifest.json").unlink()
    with pytest.raises(kgan.InputError, match=r"No manifest\.json"):
        check_shards(shards)


def test_classes_of_a_manifest_that_do_not_fit_the_labels_are_told(folder, tmp_path):
    shards, file = tmp_path / "shards", "pictures-00000.tfrecord"
    pack(open_source(folder, image_shape=(12, 10)), shards)
    manifest = json.loads((shards / "manifest.json").read_text())
    (shards / "manifest.json").write_text(json.dumps(manifest | {"class_names": ["ant", "bee"]}))
    source = open_source(shards)
    with pytest.raises(kgan.InputError, match=rf"not of the expected kind.*{file}"):
        list(source.read(source.examples()))
    (problem,) = check_shards(shards)[1]
    assert f"{file}: a label that is none of the manifest's classes" in problem
    # Classes given to shards that have no labels.
    pack(open_source(folder / "ant", image_shape=(12, 10)), tmp_path / "plain")
    file = tmp_path / "plain" / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"class_names": ["ant"]}))
    source = open_source(tmp_path / "plain")
    with pytest.raises(kgan.InputError, match="not of the expected kind"):
        list(source.read(source.examples()))
    assert len(check_shards(tmp_path / "plain")[1]) == 1
