"""Archives give what a folder of the same files gives: pictures, labels, order, resume, reports."""

import io
import itertools
import json
import logging
import os
import shutil
import sys
import tarfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kgan
from kgan.cli.main import main
from kgan.data import batches, check_folder, image_files
from kgan.data.check_report import as_text
from kgan.data.tar_index import index
from tests.data.containers import (
    encoded,
    levels,
    make_folder,
    make_lmdb,
    make_tar,
    make_zip,
    opened,
)

SET = {f"set/{name}/{n}.png": encoded(n) for name, first in (("dog", 0), ("cat", 50)) for n in
       range(first, first + 6)}  # fmt: skip
DEEP = {**SET, "set/cat/more/a.png": encoded(90), "set/cat/z.png": encoded(91)}


def tar_of_tars(path, members):
    """As ImageNet's: each class in a tar of its own, here with its pictures below no folder."""
    classes = {}
    for name, data in members.items():
        _, of, *rest = name.split("/")
        classes.setdefault(of, {})["/".join(rest)] = data
    inner = {}
    for of, files in classes.items():
        inner[f"{of}.tar"] = make_tar(path.with_name("inner"), files).read_bytes()
    path.with_name("inner").unlink()
    return make_tar(path, inner)


MAKERS = {
    "set.zip": make_zip,
    "set.tar": make_tar,
    "set.tgz": lambda path, members: make_tar(path, members, "w:gz"),
    "tars.tar": tar_of_tars,
    "set_lmdb": make_lmdb,
}


def read_independently(path):
    """{name: level} by the library of each kind alone."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
    elif path.is_dir():
        import lmdb

        with lmdb.open(str(path), readonly=True, lock=False) as env, env.begin() as view:
            files = {bytes(key).decode(): bytes(value) for key, value in view.cursor()}
    else:
        with tarfile.open(path) as archive:
            files = {info.name: archive.extractfile(info).read() for info in archive}
    return {name: Image.open(io.BytesIO(data)).getpixel((0, 0)) for name, data in files.items()}


@pytest.mark.parametrize("name", MAKERS)
def test_an_archive_is_as_the_folder_that_it_holds(tmp_path, name):
    folder = opened(make_folder(tmp_path / "files", DEEP))
    path = MAKERS[name](tmp_path / name, DEEP)
    own = None if "tars" in name else read_independently(path)
    archive = opened(path)
    assert archive.class_names == folder.class_names == ["cat", "dog"]
    assert levels(archive) == levels(folder)
    if own is not None:
        assert set(levels(archive)) == {(level, file.split("/")[1]) for file, level in own.items()}
    # Told apart by what is in it, wherever it lies.
    (tmp_path / "far").mkdir()
    moved = opened(shutil.move(path, tmp_path / "far" / name))
    assert moved.fingerprint() == archive.fingerprint() != folder.fingerprint()
    (tmp_path / "other").mkdir()
    longer = {**DEEP, "set/cat/50.png": encoded(50) + b" "}
    other = opened(MAKERS[name](tmp_path / "other" / name, longer))
    assert other.fingerprint() != archive.fingerprint()


def test_order_resume_and_balance_are_those_of_the_folder(tmp_path):
    folder = opened(make_folder(tmp_path / "files", DEEP))
    archive = opened(make_zip(tmp_path / "a.zip", DEEP))
    key = tf.constant((3, 1), tf.int64)
    assert levels(archive, key, 5) == levels(folder, key, 5) == levels(folder, key)[5:]
    # The same batches, entered in the second epoch.
    how = dict(batch_size=4, seed=1, labels=True, augment=["flip"], first_batch=4, balance=True)
    of_both = [next(iter(batches(source, **how))) for source in (folder, archive)]
    for ours, theirs in zip(*of_both, strict=True):
        np.testing.assert_array_equal(ours, theirs)


class Slow:
    """A file whose threads take turns between finding a place and reading there."""

    def __init__(self, file):
        self.file, self.read = file, file.read

    def seek(self, *place):
        self.file.seek(*place)
        time.sleep(0.001)


def test_many_threads_read_one_archive(tmp_path):
    members = {f"{n:02d}.png": encoded(n) for n in range(40)}
    places = [opened(MAKERS[name](tmp_path / name, members)).place for name in list(MAKERS)[:3]]
    (spool,) = places[2]._unpacked.values()
    spool.file = Slow(spool.file)
    with ThreadPoolExecutor(8) as pool:
        for place in places:
            found = pool.map(place.opened, place.listing.images)
            assert [stream.read() for stream in found] == list(members.values())


def shard(first, labels, suffix="cls"):
    """Members of a WebDataset shard, a picture of two suffixes among them."""
    members = {}
    for n, label in enumerate(labels, first):
        members[f"{n:04d}.left.png" if n == first else f"{n:04d}.png"] = encoded(n)
        members[f"{n:04d}.{suffix}"] = label
    return members


@pytest.mark.parametrize("suffix", ["cls", "json"])
def test_shards_of_webdataset(tmp_path, suffix):
    texts = [b"2", b"0\n", b"1", b"0", b"2", b"1"]
    if suffix == "json":
        texts = [
            json.dumps({key: int(text), "caption": "a"}).encode()
            for key, text in zip(("label", "cls", "class") * 2, texts, strict=True)
        ]
    for n in range(2):
        make_tar(tmp_path / f"a-{n:06d}.tar", shard(3 * n, texts[3 * n : 3 * n + 3], suffix))
    expected = [(0, "2"), (1, "0"), (2, "1"), (3, "0"), (4, "2"), (5, "1")]
    for path in (tmp_path, f"{tmp_path}/a-{{000000..000001}}.tar"):
        assert levels(opened(path)) == expected
    assert opened(tmp_path).name(3) == os.path.join(tmp_path, "a-000001.tar", "0003.left.png")
    with pytest.raises(kgan.InputError, match=r"No such file.*a-000002\.tar"):
        opened(f"{tmp_path}/a-{{000000..000002}}.tar")
    with pytest.raises(kgan.InputError, match="numbered once"):
        opened(f"{tmp_path}/a-{{9..1}}.tar")


def test_labels_beside_pictures_may_be_names_lack_or_say_nothing(tmp_path, caplog):
    named = shard(0, [b"cat", b"dog", b"cat"])
    assert levels(opened(make_tar(tmp_path / "a.tar", named))) == [
        (0, "cat"), (1, "dog"), (2, "cat")
    ]  # fmt: skip
    del named["0002.cls"]
    assert opened(make_tar(tmp_path / "b.tar", named)).class_names is None
    assert "no classes: 1 pictures have no label beside them, such as" in caplog.text
    # Captions are no labels: the folders are classes.
    captions = {f"{n}/{n}.{kind}": encoded(n) if kind == "png" else b'{"caption": "x"}'
                for n in range(2) for kind in ("png", "json")}  # fmt: skip
    assert opened(make_tar(tmp_path / "c.tar", captions)).class_names == ["0", "1"]


def test_tars_beside_each_other_are_classes_by_their_names(tmp_path):
    for n, name in enumerate(("n01", "n02")):
        make_tar(tmp_path / f"{name}.tar", {f"{name}_{k}.png": encoded(10 * n + k) for k in (0, 1)})
    assert levels(opened(tmp_path)) == [(0, "n01"), (1, "n01"), (10, "n02"), (11, "n02")]


def test_shards_of_several_sets_are_told(tmp_path, caplog):
    for name in ("photos-train-000000", "photos-train-000001", "photos-val-000000"):
        make_tar(tmp_path / f"{name}.tar", {"a.png": encoded(1)})
    assert opened(tmp_path).count == 3
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.endswith("all of which are read: photos-train (2), photos-val (1)")


def test_what_a_mac_packs_beside_a_tar_is_no_tar(tmp_path):
    inner = make_tar(tmp_path / "n01.tar", {"a.png": encoded(1)}).read_bytes()
    members = {"._n01.tar": bytes(4) + b"Mac OS X" * 90, "n01.tar": inner}
    assert levels(opened(make_tar(tmp_path / "a.tar", members))) == [(1, None)]


class Strict(io.BytesIO):
    """A file that is never read to its end in one piece."""

    def read(self, size=-1):
        if size < 0:
            pytest.fail("read without a limit")
        return super().read(size)


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_tar_whose_sizes_are_below_0_is_damaged(tmp_path, kind):
    data = bytearray(
        make_tar(tmp_path / "a.tar", {"a.png": encoded(1), "b.png": b"1"}).read_bytes()
    )
    header = memoryview(data)[1024:1536]
    header[124:136] = (-512).to_bytes(12, "big", signed=True)  # as `tarfile` reads base 256
    header[156:157] = kind
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(kgan.InputError, match=r"Damaged.*Received: a\.tar"):
        list(itertools.islice(index(Strict(data), "a.tar", {}), 9))  # it would never end


def test_stylegans_dataset_json_in_a_zip(tmp_path):
    names = [f"{n // 2:05d}/img{n:08d}.png" for n in range(4)]
    pictures = {name: encoded(n) for n, name in enumerate(names)}

    def of(labels):
        content = json.dumps({"labels": labels}).encode()
        return opened(make_zip(tmp_path / "set.zip", {**pictures, "dataset.json": content}))

    pairs = [[name, n % 2] for n, name in enumerate(names)]
    assert levels(of(pairs)) == [(0, "0"), (1, "1"), (2, "0"), (3, "1")]
    assert of(None).class_names is None


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_metadata_in_an_archive(tmp_path, make):
    files = {
        "metadata.csv": b"file_name,label\na.png,x\nset/b.png,y\n",
        "metadata.jsonl": b'{"file_name": "a.png", "label": "x"}\n'
        b'{"file_name": "set/b.png", "label": "y"}\n',
    }
    for name, text in files.items():
        members = {"a.png": encoded(1), "set/b.png": encoded(2), name: text}
        suffix = make.__name__.removeprefix("make_")
        assert levels(opened(make(tmp_path / f"a.{suffix}", members))) == [(1, "x"), (2, "y")]


def test_attributes_of_an_archive(tmp_path):
    path = make_zip(tmp_path / "set.zip", {"train/a.png": encoded(1), "train/b.png": encoded(2),
                                           "test/c.png": encoded(3)})  # fmt: skip
    (tmp_path / "a.csv").write_text("file,smile\ntrain/a.png,0\ntrain/b.png,1\ntest/c.png,0\n")
    source = opened(path, attributes=tmp_path / "a.csv")
    assert [int(row[0]) for _, row in source.read(source.examples())] == [0, 1]


def test_check_and_pack_name_the_members(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    broken = {**SET, "set/cat/cut.png": encoded(1)[:40], "set/cat/empty.png": b""}
    path = make_zip(tmp_path / "photos.zip", broken)
    same = make_folder(tmp_path / "files", broken)
    of_both = [as_text(check_folder(place, image_shape=(8, 8))) for place in (path, same)]
    assert of_both[0] == of_both[1].replace(str(same), str(path))
    assert main(["data", "check", "photos.zip", "--size", "8x8"]) == 1
    out = capsys.readouterr().out
    assert "  photos.zip/set/cat/empty.png: an empty file" in out
    assert out.splitlines()[-1] == "photos-check.png"
    assert main(["data", "pack", "photos.zip", "--size", "8x8x1", "-o", "shards"]) == 0
    assert sorted(levels(opened("shards"))) == sorted(levels(opened(same)))


def test_members_that_are_no_plain_files_are_passed_over_with_a_line(tmp_path, caplog):
    def special(kind, target=""):
        info = tarfile.TarInfo()
        info.type, info.linkname = kind, target
        return info

    members = {
        "./a.png": encoded(1),
        "link.png": special(tarfile.SYMTYPE, "/etc/passwd"),
        "hard.png": special(tarfile.LNKTYPE, "a.png"),
        "device.png": special(tarfile.CHRTYPE),
        "pipe.png": special(tarfile.FIFOTYPE),
        ".hidden.png": encoded(2),
        "__MACOSX/._a.png": b"Mac",
        "more.zip": b"PK",
        "b.tif": b"II",
    }
    assert levels(opened(make_tar(tmp_path / "a.tar", members))) == [(1, None)]
    for told in (
        "4 links, devices and files with holes are left out:",
        "1 hidden pictures and folders are left out:",
        "1 archives among the pictures are left out:",
        "left out: .tif",
    ):
        assert told in caplog.text
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("b.png", encoded(3))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("b.png", encoded(4))
    caplog.clear()
    assert levels(opened(tmp_path / "a.zip")) == [(4, None)]
    assert "1 links, devices" in caplog.text
    assert "1 files that have the name of a later one are left out" in caplog.text


def cut(path, make, least, most=None):
    data = make(path, SET).read_bytes()
    path.write_bytes(data[least:most])
    return path


def encrypted(path):
    """A .zip whose first member says that it is encrypted, here and in the directory."""
    data = bytearray(make_zip(path, SET).read_bytes())
    for begin, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(begin) + place] |= 1
    path.write_bytes(data)
    return path


BAD = {
    "cut.zip": (lambda path: cut(path, make_zip, 0, -30), "Damaged, cut short or not a .zip"),
    "text.zip": (lambda path: path.write_bytes(b"text"), "Damaged, cut short or not a .zip"),
    "locked.zip": (encrypted, "An encrypted .zip"),
    "empty.zip": (lambda path: make_zip(path, {}), "No pictures in it"),
    "out.zip": (lambda path: make_zip(path, {"../a.png": encoded(1)}), "must be relative"),
    "windows.zip": (lambda path: make_zip(path, {r"a\..\..\b.png": b"x"}), "must be relative"),
    "drive.zip": (lambda path: make_zip(path, {"C:/a.png": encoded(1)}), "must be relative"),
    "cut.tar": (lambda path: cut(path, make_tar, 0, 2100), "Damaged, cut short or not a .tar"),
    "inside.tar": (lambda path: cut(path, make_tar, 0, 2600), "Damaged, cut short or not a .tar"),
    "text.tar": (lambda path: path.write_bytes(b"text" * 500), "Damaged, cut short or not a .tar"),
    "empty.tar": (lambda path: make_tar(path, {}), "No pictures in it"),
    "out.tar": (lambda path: make_tar(path, {"a/../../b.png": encoded(1)}), "must be relative"),
    "root.tar": (lambda path: make_tar(path, {"/etc/a.png": encoded(1)}), "must be relative"),
    "cut.tgz": (lambda path: cut(path, MAKERS["set.tgz"], 0, 200), "Damaged, cut short or not pac"),
    "pipe.tar": (os.mkfifo, "Not a regular file"),
    "none.tgz": (lambda path: None, "No such file"),
    "cut.lmdb": (lambda path: cut(path, lone_lmdb, 0, 8192), "Damaged: this LMDB has 8,192 of"),
    "text.lmdb": (lambda path: spoiled_lmdb(path), "Damaged, cut short or no LMDB"),
}


def lone_lmdb(path, members):
    return make_lmdb(path.with_name("whole"), members) / "data.mdb"


def spoiled_lmdb(path):
    path.write_bytes(b"text" * 1024 + lone_lmdb(path, SET).read_bytes()[4096:])


@pytest.mark.parametrize("name", BAD)
def test_bad_archives_are_one_line(tmp_path, capsys, name):
    make, message = BAD[name]
    make(tmp_path / name)
    assert main(["data", "check", str(tmp_path / name)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert "Received: " in line


def test_a_tar_that_ends_without_a_mark_is_told(tmp_path, caplog):
    with tarfile.open(make_tar(tmp_path / "a.tar", SET)) as archive:
        end = archive.getmembers()[-1].offset
    path = cut(tmp_path / "a.tar", make_tar, 0, end)
    assert opened(path).count == len(SET) - 1
    assert "no mark at its end" in caplog.text


def test_bombs_are_skipped_and_take_no_memory(tmp_path, monkeypatch, caplog):
    # A header of 50,000 x 50,000 pixels, beyond Pillow's limit; and 30 MB of nothing, beyond ours.
    large = bytearray(encoded(1))
    large[16:24] = (50_000).to_bytes(4, "big") * 2
    members = {"a.png": encoded(1), "b.png": bytes(large), "c.png": bytes(30_000_000)}
    path = make_zip(tmp_path / "set.zip", members)
    monkeypatch.setattr("kgan.data.member_places.LARGEST_FILE", 2**24)
    assert path.stat().st_size < 50_000
    assert levels(opened(path)) == [(1, None)]
    assert "b.png" in caplog.text
    assert "c.png: a file of 30" in caplog.text
    # One that is large and could be a picture is not unpacked to be looked at.
    monkeypatch.undo()
    monkeypatch.setattr("kgan.data.zip_place.LARGE", 2**20)
    place = opened(path).place
    monkeypatch.setattr(place, "read", lambda member: pytest.fail("read into memory"))
    file = next(file for file in place.listing.images if file.endswith("c.png"))
    assert isinstance(image_files.read_header(file, place.opened), Exception)


def test_a_gzip_bomb_ends_where_the_disk_would(tmp_path, monkeypatch):
    path = make_tar(tmp_path / "a.tgz", {"a.png": bytes(5_000_000)}, "w:gz")
    usage = shutil._ntuple_diskusage(0, 0, 2**28 + 2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(kgan.InputError, match=r"Unpacked, it is larger than the 1\.05 MB"):
        opened(path)


def test_an_lmdb_without_its_library_names_the_extra(tmp_path, monkeypatch):
    make_folder(tmp_path / "set", {"data.mdb": b"any"})
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(kgan.InputError, match=r"pip install kgan\[lmdb\].*Received"):
        opened(tmp_path / "set")


def test_nothing_is_unpacked_by_its_name(tmp_path):
    before = set(os.listdir(tmp_path))
    for name, make in MAKERS.items():
        levels(opened(make(tmp_path / name, SET)))
    assert set(os.listdir(tmp_path)) - before == set(MAKERS)


def test_logs_are_quiet_about_a_good_archive(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        opened(make_zip(tmp_path / "a.zip", SET), strict=True)
    assert caplog.text == ""
