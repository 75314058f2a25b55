"""Folders as people have them: links, one folder in another, dataset.json, transparency."""

import json
import os

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.data import check, open_source
from kgan.data.folder import FolderSource
from kgan.data.folder_listing import list_images
from kgan.data.places import FolderPlace
from kgan.runs import RunOptions
from kgan.runs.directory import make_directory


def fill(folder, level=0, count=3, suffix="png"):
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        Image.new("L", (8, 8), level + index).save(folder / f"{index}.{suffix}")
    return folder


def read(folder, count):
    """{level of a picture: its class} of all pictures."""
    batches = kgan.data.from_folder(
        folder, image_shape=(8, 8, 1), batch_size=count, value_range=(0, 255), labels=True
    )
    images, labels = next(iter(batches))
    names = open_source(folder).class_names
    levels = np.rint(images.numpy().mean((1, 2, 3))).astype(int).tolist()
    return {level: names[label] for level, label in zip(levels, labels.numpy(), strict=True)}


def classes_of_levels(**levels):
    return {level + index: name for name, level in levels.items() for index in range(3)}


@pytest.fixture
def two(tmp_path):
    fill(tmp_path / "set" / "mine", 0)
    fill(tmp_path / "set" / "other", 50)
    return tmp_path / "set"


def test_a_linked_folder_is_a_class(two, caplog):
    fill(two.parent / "elsewhere" / "deep", 100)
    (two / "linked").symlink_to("../elsewhere")
    assert read(two, 9) == classes_of_levels(mine=0, other=50, linked=100)
    assert check.check_folder(two).classes == {"linked": 3, "mine": 3, "other": 3}
    assert "linked" not in caplog.text
    # As version control of data has it: the folder itself is hidden in the set.
    (two / "linked").unlink()
    (two.parent / "elsewhere").rename(two / ".store")
    (two / "linked").symlink_to(".store")
    assert read(two, 9) == classes_of_levels(mine=0, other=50, linked=100)


def test_links_that_loop_lead_to_the_same_or_nowhere_are_left_out_and_told(two, caplog):
    fill(two.parent / "elsewhere", 100)
    (two.parent / "elsewhere" / "back").symlink_to(two)
    (two.parent / "elsewhere" / "up").symlink_to("..")
    for name, target in {
        "a": "../elsewhere",
        "again": "../elsewhere",
        "alias": "mine",
        "gone": "nothing",
        "self": "self",
        "top": ".",
    }.items():
        (two / name).symlink_to(target)
    listing = list_images(two)
    assert len(listing.images) == len({os.path.realpath(path) for path in listing.images}) == 9
    left_out = {os.path.relpath(path, two) for path in listing.links}
    assert left_out == {"a/back", "a/up", "again", "alias", "gone", "self", "top"}
    assert open_source(two).class_names == ["a", "mine", "other"]
    assert "7 linked folders are left out" in caplog.text


def test_what_may_have_been_meant_is_told_when_it_is_left_out(two, caplog):
    fill(two / ".thumbs")
    (two / "mine" / "0.png").rename(two / "mine" / ".0.png")
    (two / "mine" / "._1.png").write_bytes(b"Mac OS X")
    (two / "more.zip").write_bytes(b"PK")
    place = FolderPlace(two)
    place.listing.closed.append((str(two / "closed"), PermissionError(13, "Permission denied")))
    assert len(FolderSource(place, (8, 8, 1), "crop", (255, 255, 255), False).files) == 5
    assert [record.getMessage() for record in caplog.records] == [
        f"2 hidden pictures and folders are left out: {two}/.thumbs ...",
        f"1 archives among the pictures are left out: {two}/more.zip",
        f"1 folders cannot be read and are left out: {two}/closed: Permission denied",
    ]


def test_folders_that_are_all_there_is_are_entered(tmp_path):
    for name, level in (("cats", 0), ("dogs", 50)):
        fill(tmp_path / "download" / "pets" / name, level)
    (tmp_path / "download" / "readme.txt").write_text("x")
    (tmp_path / "__MACOSX" / "download").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "download" / "._0.png").write_bytes(b"Mac OS X")
    assert read(tmp_path, 6) == classes_of_levels(cats=0, dogs=50)
    assert check.check_folder(tmp_path).class_remark is None


@pytest.mark.parametrize("suffix", ["jpe", "JFIF", "JPEG", "Jpg"])
def test_every_suffix_of_jpeg_is_read(tmp_path, suffix):
    fill(tmp_path, count=1, suffix="jpg")
    (tmp_path / "0.jpg").rename(tmp_path / f"0.{suffix}")
    report = check.check_folder(tmp_path, image_shape=(8, 8, 1))
    assert len(report.images) == 1
    assert report.remarks == {}


def stylegan(folder, labels, encoding="utf-8"):
    """A set as StyleGAN's dataset_tool writes it; every picture's level is its number."""
    names = [f"{n // 3:05d}/img{n:08d}.png" for n in range(6)]
    for n, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), n).save(folder / name)
    pairs = labels and [[name, label] for name, label in zip(names, labels, strict=True)]
    text = json.dumps({"labels": pairs}, ensure_ascii=False)
    (folder / "dataset.json").write_bytes(text.encode(encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
@pytest.mark.parametrize(
    "labels", [[0, 1, 0, 1, 1, 0], [0.0, 1.0, 0.0, 1.0, 1.0, 0.0], list("猫犬猫犬犬猫")]
)
def test_a_dataset_json_names_the_classes(tmp_path, labels, encoding):
    stylegan(tmp_path / "only", labels, encoding)
    expected = dict(enumerate(str(int(x)) if isinstance(x, float) else str(x) for x in labels))
    for folder in (tmp_path, tmp_path / "only"):
        assert read(folder, 6) == expected
        assert check.check_folder(folder).classes == {str(name): 3 for name in expected.values()}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"labels": null}', None),
        (b'{"labels": [["00000/img00000000.png", 0]]}', "5 files are not in dataset.json, such as"),
        (b'{"labels": [[0, 1, 2]]}', "needs [file, label] pairs"),
        (b'{"labels": [', "not a readable JSON file"),
        (b'{"labels": {"x": [1, 2]}}', "6 files are not in"),
    ],
)
def test_a_dataset_json_without_labels_for_all_means_no_classes(tmp_path, caplog, content, says):
    stylegan(tmp_path, [0, 1] * 3)
    (tmp_path / "dataset.json").write_bytes(content)
    assert open_source(tmp_path, image_shape=(8, 8)).class_names is None
    assert [says in record.getMessage() for record in caplog.records] == [True] * bool(says)


def test_labels_of_a_dataset_json_that_cannot_be_used_are_told(tmp_path, caplog):
    stylegan(tmp_path, [[0.5, 0.1]] * 6)
    assert open_source(tmp_path).class_names is None
    assert "no classes: in dataset.json: labels must be 6 whole numbers" in caplog.text
    (tmp_path / "dataset.json").write_text('{"images": []}')  # another program's
    assert open_source(tmp_path).class_names == ["00000", "00001"]


@pytest.mark.skipif(os.name != "posix", reason="names that are no UTF-8 are a matter of POSIX")
def test_class_names_are_clean_text(tmp_path):
    names = [b"caf\xe9", "e\u0301".encode(), "\u732b".encode(), b"a\nb", "\U0001f431".encode()]
    for place, name in enumerate(names):
        path = os.path.join(os.fsencode(tmp_path), name)
        os.mkdir(path)
        with open(os.path.join(path, b"\xff.png"), "wb") as file:
            Image.new("L", (8, 8), place).save(file, "PNG")
    assert read(tmp_path, 5) == {
        0: "caf\\xe9",
        1: "\u00e9",
        2: "\u732b",
        3: "a\nb",
        4: "\U0001f431",
    }


def test_names_that_look_alike_are_one_class(tmp_path):
    fill(tmp_path / "e\u0301", 0)
    fill(tmp_path / "\u00e9", 50)
    fill(tmp_path / "x", 100)
    assert set(read(tmp_path, 9).values()) == {"\u00e9", "x"}


def test_what_is_done_with_transparency_is_told_once(tmp_path, caplog):
    fill(tmp_path)
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "a.png")
    Image.new("P", (8, 8)).save(tmp_path / "b.gif", transparency=0)
    source = FolderSource(FolderPlace(tmp_path), (8, 8, 3), "crop", (255, 0, 0), False)
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "2 of 5 pictures have transparency: it is filled with the background colour 255,0,0"
    ]
    pictures = [image for image, _ in source.read(source.examples())]
    by_file = dict(zip((os.path.basename(file) for file in source.files), pictures, strict=True))
    for name in ("a.png", "b.gif"):
        np.testing.assert_array_equal(by_file[name], np.full((8, 8, 3), (255, 0, 0)))


def test_what_kgan_wrote_is_left_out_and_told_in_one_line(two, caplog, tmp_path):
    # A run as kgan.runs makes it, an export's folder, a sheet beside the photos, and single ones.
    make_directory(two / "runs" / "a", RunOptions(source="folder set"))
    fill(two / "runs" / "a" / "samples", 100)
    manifest = {"format": "kgan-export", "format_version": 1}
    fill(two / "saved_models" / "a" / "1", 150)
    (two / "saved_models" / "a" / "1" / "manifest.json").write_text(json.dumps(manifest))
    sheet = np.full((8, 8, 1), 200, np.uint8)
    kgan.images.save_png(two / "grid.png", sheet, drawn=True)
    kgan.images.save_animation(two / "walk.webp", [sheet, sheet + 9], drawn=True)
    # Other programs' files of those names, and one that would be waited for.
    (two / "mine" / "config.json").write_text('{"preset": "mine"}')
    os.mkfifo(two / "other" / "manifest.json")
    assert read(two, 6) == classes_of_levels(mine=0, other=50)
    told = "left out, as kgan made them: 1 run, 1 export, 2 drawn pictures"
    assert caplog.text.count("left out") == caplog.text.count(told) > 0
    report = check.check_folder(two)
    assert (len(report.images), report.problems) == (6, [])
    own = report.remarks["left out, as kgan made them"]
    left_out = [os.path.relpath(path, two) for path, _ in own]
    assert left_out == ["runs/a", "saved_models/a/1", "grid.png", "walk.webp"]
    with pytest.raises(kgan.InputError, match=r"No pictures in this folder .*, 1 run aside"):
        open_source(two / "runs")
    # Where there is nothing else, drawn pictures are what is meant.
    kgan.images.save_png(tmp_path / "drawn" / "seed-0.png", sheet, drawn=True)
    assert open_source(tmp_path / "drawn").count == 1


def test_pictures_that_vanish_are_told_once_a_folder(two, caplog):
    fill(two / "mine", 0, count=200)
    source = open_source(two, image_shape=(8, 8, 1))
    for path in (two / "mine").iterdir():
        path.unlink()
    (two / "other" / "1.png").unlink()
    (two / "other" / "2.png").unlink()
    os.mkfifo(two / "other" / "2.png")  # nobody writes to it
    caplog.clear()
    assert len(list(source.examples())) == 1
    mine, *_ = lines = sorted(record.getMessage() for record in caplog.records)
    assert len(lines) == 3
    assert "/mine/" in mine
    assert ", and 199 more of its folder: No such file or directory (" in mine
    assert "1.png: No such file or directory (" in lines[1]
    assert "2.png: not a regular file (" in lines[2]
    assert len(source.skipped) == 202


def test_of_many_folders_that_vanish_ten_are_told(tmp_path, caplog):
    for index in range(20):
        fill(tmp_path / f"{index}", count=1)
    source = open_source(tmp_path, image_shape=(8, 8, 1))
    for index in range(1, 20):
        (tmp_path / f"{index}" / "0.png").unlink()
    caplog.clear()
    assert len(list(source.examples())) == 1
    lines = [record.getMessage() for record in caplog.records]
    assert [": No such file or directory (" in line for line in lines] == [True] * 10 + [False]
    assert lines[10].startswith("skipped pictures of more folders than these 10 (")
    assert len(source.skipped) == 19
