"""The pre-flight of a folder: every kind of finding, duplicates, and the preview's pixels."""

import logging
import os
import struct
import zlib

import imagehash
import numpy as np
import pytest
from PIL import Image

from kgan.data import check, duplicates, first_images, image_files, open_source
from kgan.data.check_report import as_text
from kgan.data.decode import decode
from kgan.errors import InputError

WHITE = (255, 255, 255)


def scene(seed, size=64):
    """A smooth coloured picture unlike those of other seeds."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(coarse).resize((size, size), Image.BICUBIC)


@pytest.fixture
def folder(tmp_path):
    """Three sound pictures of 64x64."""
    (tmp_path / "photos").mkdir()
    for seed in range(3):
        scene(seed).save(tmp_path / "photos" / f"{seed}.png")
    return tmp_path / "photos"


def remarks(report):
    """{first word of the remark: {file name: detail}}."""
    return {
        what.split()[0].rstrip(","): {os.path.basename(path): detail for path, detail in files}
        for what, files in report.remarks.items()
    }


def problems(report):
    return {os.path.basename(path): reason for path, reason in report.problems}


def test_a_sound_folder_has_neither_problems_nor_remarks(folder):
    report = check.check_folder(folder)
    assert len(report.images) == 3
    assert (report.problems, report.remarks) == ([], {})
    assert (report.classes, report.class_remark) == ({}, None)
    assert (report.same, report.alike) == ([], [])
    assert as_text(report).endswith("3 pictures that training can use, as 64x64x3")


def cut(path, share=0.5):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def empty(folder):
    (folder / "x.png").write_bytes(b"")


def text(folder):
    (folder / "x.gif").write_text("a text file")


def cut_jpeg(folder):
    scene(9).save(folder / "x.jpg")
    cut(folder / "x.jpg")


def cut_png(folder):
    scene(9).save(folder / "x.png")
    cut(folder / "x.png")


def cut_webp(folder):
    scene(9).save(folder / "x.webp")
    cut(folder / "x.webp")


def loop(folder):
    (folder / "x.png").symlink_to("x.png")


def dangling(folder):
    (folder / "x.png").symlink_to("nowhere.png")


def pipe(folder):
    os.mkfifo(folder / "x.png")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (empty, "an empty file"),
        (text, "not a picture of a known format"),
        (cut_jpeg, "truncated"),
        (cut_png, "truncated"),
        (cut_webp, ""),
        (loop, "symbolic links"),
        (dangling, "No such file"),
        (pipe, "not a regular file"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_problem_and_named_with_its_reason(folder, spoil, says):
    spoil(folder)
    report = check.check_folder(folder)
    ((name, reason),) = problems(report).items()
    assert name.startswith("x.")
    assert says in reason
    assert "0x" not in reason
    assert "\n" not in reason
    assert len(report.images) == 3
    printed = as_text(report)
    assert f"{folder / name}: {reason}" in printed
    assert printed.endswith("; it skips 1")
    source = open_source(folder)  # what is a problem is what training skips
    assert len(first_images(source, 9)) == 3
    assert set(source.skipped) == {str(folder / name)}


def test_a_folder_that_cannot_be_read_is_a_problem(folder, monkeypatch):
    (folder / "shut").mkdir()
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert problems(check.check_folder(folder)) == {"shut": "Permission denied"}


def test_an_extension_that_does_not_fit_the_content(folder):
    scene(5).save(folder / "wrong.jpg", "PNG")
    scene(6).save(folder / "right.JPEG", "JPEG")
    assert remarks(check.check_folder(folder)) == {"named": {"wrong.jpg": "PNG by its content"}}


def test_small_pictures_are_those_that_are_scaled_up(folder):
    sizes = {"dot": (1, 1), "low": (70, 50), "least": (64, 64), "tiny": (30, 50)}
    for seed, (name, size) in enumerate(sizes.items()):
        scene(10 + seed).resize(size).save(folder / f"{name}.png")
    cropped = remarks(check.check_folder(folder))["smaller"]
    assert cropped == {"dot.png": "1x1", "low.png": "50x70", "tiny.png": "50x30"}
    padded = remarks(check.check_folder(folder, fit="pad"))["smaller"]
    assert set(padded) == {"dot.png", "tiny.png"}  # 70 wide is scaled down to fit inside
    assert "smaller" not in remarks(check.check_folder(folder, image_shape=(1, 1)))


def test_long_pictures_are_those_that_lose_more_than_half(folder):
    for name, size in (("wide", (300, 100)), ("tall", (100, 201)), ("double", (200, 100))):
        scene(len(name)).resize(size).save(folder / f"{name}.png")
    report = check.check_folder(folder)
    assert remarks(report) == {"cut": {"wide.png": "100x300", "tall.png": "201x100"}}
    assert set(remarks(check.check_folder(folder, fit="pad"))) == {"padded"}
    wide = remarks(check.check_folder(folder, image_shape=(32, 96, 3)))["cut"]
    assert set(wide) == {"0.png", "1.png", "2.png", "tall.png"}  # of the model's own shape


def test_a_turned_picture_counts_upright(folder):
    exif = Image.Exif()
    exif[image_files.EXIF_ORIENTATION] = 6
    scene(5).resize((90, 30)).save(folder / "turned.jpg", exif=exif)
    assert image_files.read_header(str(folder / "turned.jpg"), str).size == (30, 90)
    assert remarks(check.check_folder(folder))["cut"] == {"turned.jpg": "90x30"}


def test_animations_deep_and_cmyk_pictures_are_converted(folder):
    frames = [scene(seed).quantize(32) for seed in (7, 8)]
    frames[0].save(folder / "two.gif", save_all=True, append_images=frames[1:])
    frames[0].save(folder / "one.gif")
    # A phone's picture with another in it is a JPEG, and no animation.
    scene(6).save(folder / "phone.jpg", "MPO", save_all=True, append_images=[scene(4)])
    scene(9).convert("CMYK").save(folder / "ink.jpg")
    levels = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
    Image.fromarray(levels).save(folder / "deep.png")
    Image.fromarray((levels // 256).astype(np.uint8)).save(folder / "grey.png")
    report = check.check_folder(folder)
    assert remarks(report) == {
        "animated": {"two.gif": "GIF"},
        "converted": {"ink.jpg": "CMYK", "deep.png": "grey, 16 bits"},
    }
    lines = [line.split() for line in as_text(report).splitlines()]
    for row in ("GIF palette 2", "JPEG CMYK 1", "JPEG colour 1", "PNG colour 3", "PNG grey 1"):
        assert row.split() in lines


def test_sixteen_bits_of_colour_are_known_though_pillow_shows_eight(folder):
    def chunk(name, data):
        checksum = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)

    # 64x64, 16 bits a channel, colour type 2; each row begins with its filter, none
    rows = (b"\0" + b"\x12\x34" * 64 * 3) * 64
    (folder / "deep.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    assert Image.open(folder / "deep.png").mode == "RGB"
    assert remarks(check.check_folder(folder)) == {"converted": {"deep.png": "colour, 16 bits"}}


def test_what_pillow_merely_warns_of_is_no_problem(folder, monkeypatch, recwarn):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64 * 64 - 1)
    report = check.check_folder(folder)
    assert (len(report.images), report.problems, list(recwarn)) == (3, [], [])


def test_other_kinds_of_pictures_and_linked_folders_are_named_as_left_out(folder):
    for name in ("a.JP2", "b.tif", "notes.txt", ".hidden.svg"):
        (folder / name).write_text("x")
    (folder / "all").symlink_to(folder)
    assert remarks(check.check_folder(folder)) == {
        "of": {"a.JP2": "", "b.tif": ""},
        "linked": {"all": ""},
    }


@pytest.mark.skipif(os.name != "posix", reason="names that are no UTF-8 are a matter of POSIX")
def test_any_file_name_is_one_line_of_text(folder):
    names = (b"a b.png", "日本 é.png".encode(), b"\xff.png", b"two\nlines.png")
    for name in names:
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            file.write(b"junk")
    printed = as_text(check.check_folder(folder))
    printed.encode("utf-8")
    lines = printed.splitlines()
    for shown in ("a b.png", "日本 é.png", "\\xff.png", "two\\nlines.png"):
        assert f"  {folder}/{shown}: not a picture of a known format" in lines


def make_classes(folder, counts):
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for index in range(count):
            Image.new("L", (64, 64), index).save(folder / name / f"{index:02d}.png")


def test_subfolders_are_counted_and_judged_as_classes(tmp_path):
    make_classes(tmp_path, {"cats": 20, "dogs": 3})
    report = check.check_folder(tmp_path)
    assert (report.classes, report.class_remark) == ({"cats": 20, "dogs": 3}, None)
    (tmp_path / "dogs" / "02.png").unlink()
    assert "cats has 10 times" in check.check_folder(tmp_path).class_remark
    for index in range(2):
        (tmp_path / "dogs" / f"{index:02d}.png").write_bytes(b"")
    report = check.check_folder(tmp_path)
    assert report.classes == {"cats": 20, "dogs": 0}
    assert "without a picture that can be used: dogs" in report.class_remark
    (tmp_path / "beside.png").write_bytes(b"")  # even a broken one: training sees no classes then
    assert "beside the subfolders" in check.check_folder(tmp_path).class_remark
    assert open_source(tmp_path).class_names is None


def test_one_subfolder_is_no_class(tmp_path):
    make_classes(tmp_path, {"cats": 2})
    assert "single subfolder" in check.check_folder(tmp_path).class_remark


def test_sizes_are_told_by_smallest_median_largest_and_commonest(folder):
    for index, size in enumerate([(100, 80), (100, 80), (100, 80), (500, 400)]):
        scene(20 + index).resize(size).save(folder / f"more {index}.png")
    lines = [line.split() for line in as_text(check.check_folder(folder)).splitlines()]
    for row in ("smallest 64x64", "median 80x100", "largest 400x500", "400x500 1"):
        assert row.split() in lines
    assert ["commonest", "64x64", "3"] in lines


def test_copies_are_exact_and_recompressed_pictures_near_duplicates(folder):
    (folder / "copy.png").write_bytes((folder / "0.png").read_bytes())
    scene(1).save(folder / "again.jpg", quality=60)
    scene(2).resize((128, 128)).save(folder / "large.png")
    report = check.check_folder(folder)
    assert [[os.path.basename(path) for path in group] for group in report.same] == [
        ["0.png", "copy.png"]
    ]
    alike = {frozenset(os.path.basename(path) for path in group) for group in report.alike}
    assert alike == {frozenset({"1.png", "again.jpg"}), frozenset({"2.png", "large.png"})}
    printed = as_text(report)
    assert "with the bytes of another (1)" in printed
    assert "colour aside (4)" in printed


def test_the_hash_is_imagehashs():
    picture = np.asarray(scene(3))
    assert f"{duplicates.perceptual_hash(picture):016x}" == str(imagehash.phash(scene(3)))


def brute_force(hashes):
    """Groups by comparing all pairs, bit by bit."""
    bits = (hashes[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    near = (bits[:, None] != bits[None]).sum(-1) <= 3
    reached = near
    while not np.array_equal(reached, further := (reached.astype(int) @ near) > 0):
        reached = further
    groups = {tuple(np.flatnonzero(row)) for row in reached}
    return sorted(list(group) for group in groups if len(group) > 1)


@pytest.mark.parametrize("informative", [64, 24])
def test_near_hashes_are_found_as_by_comparing_all_pairs(informative):
    rng = np.random.default_rng(informative)
    hashes = rng.integers(0, 2**informative, 150, np.uint64, endpoint=False)
    close = rng.choice(hashes, 150)
    for _ in range(5):  # up to five bits are flipped, so that some are just too far
        bits = np.uint64(1) << rng.integers(0, informative, 150, np.uint64)
        close ^= np.where(rng.random(150) < 0.6, bits, np.uint64(0))
    hashes = rng.permutation(np.concatenate([hashes, close]))
    expected = brute_force(hashes)
    assert 20 < len(expected) < 150
    assert sorted(duplicates.group_near(hashes.tolist())) == expected


def test_many_hashes_all_near_each_other_are_one_group_within_little_memory(monkeypatch):
    low, high = np.triu_indices(64, 1)
    ball = (np.uint64(1) << low.astype(np.uint64)) | (np.uint64(1) << high.astype(np.uint64))
    held = []
    join = duplicates._join

    def watched(labels, pairs):
        held.append(sum(len(pair[0]) for pair in pairs))
        join(labels, pairs)

    monkeypatch.setattr(duplicates, "_join", watched)
    hashes = np.concatenate([ball, [np.uint64(0)], np.zeros(1000, np.uint64)])
    (group,) = duplicates.group_near(hashes)
    assert len(group) == len(hashes)
    assert max(held) <= 2 * len(ball) + 2  # of some two million pairs


@pytest.mark.parametrize("hashes", [[], [5], [5, 2**64 - 1]])
def test_few_hashes_have_no_groups(hashes):
    assert duplicates.group_near(hashes) == []


@pytest.mark.parametrize("shape", [(64, 64, 3), (16, 24, 1)])
def test_the_preview_is_what_the_model_sees_over_what_augmentation_makes_of_it(folder, shape):
    scene(5, 90).resize((90, 40)).convert("RGBA").save(folder / "3.png")
    (folder / "broken.png").write_bytes(b"")
    report = check.check_folder(folder, image_shape=shape, fit="pad", background=(0, 90, 0))
    sheet = check.preview(report, [lambda images: -images])
    height, width, channels = shape
    assert sheet.shape == (2 * (height + 2) + 2, 4 * (width + 2) + 2, channels)
    for place in range(4):
        expected = decode(folder / f"{place}.png", shape, "pad", (0, 90, 0))
        left = 2 + place * (width + 2)
        above = sheet[2 : 2 + height, left : left + width]
        below = sheet[4 + height : 4 + 2 * height, left : left + width]
        np.testing.assert_array_equal(above, expected)
        np.testing.assert_array_equal(below, 255 - expected)


def test_the_preview_takes_pictures_from_the_whole_folder(tmp_path):
    make_classes(tmp_path, {"a": 40, "b": 40})
    sheet = check.preview(check.check_folder(tmp_path, image_shape=(8, 8, 1)), [])
    assert sheet.shape == (6 * 10 + 2, 8 * 10 + 2, 1)
    levels = sheet[[2, 22, 42]][:, 2::10, 0][:, :8].ravel()
    assert (levels[0], levels[-1]) == (0, 39)
    np.testing.assert_array_equal(levels, np.linspace(0, 79, 24).astype(int) % 40)


def test_progress_is_told(folder, monkeypatch):
    monkeypatch.setattr(check, "AT_ONCE", 2)
    told = []
    check.check_folder(folder, progress=lambda *numbers: told.append(numbers))
    assert told == [(2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"image_shape": (64, 64, 9)}, "image_shape"),
        ({"image_shape": (64, 64, 2)}, "Picture files have 1"),
        ({"fit": "stretch"}, "stretch"),
        ({"background": "white"}, "background"),
    ],
)
def test_arguments_that_cannot_be_used_are_named(folder, options, says):
    with pytest.raises(InputError, match=says):
        check.check_folder(folder, **options)


def test_folders_that_cannot_be_used_are_named(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for path, says in (
        (tmp_path / "missing", "No such folder"),
        (folder / "0.png", "a file, not a folder"),
        (tmp_path / "empty", "No pictures"),
    ):
        with pytest.raises(InputError, match=f"{says}.*{path.name}"):
            check.check_folder(path)


def test_training_tells_of_small_and_of_unread_pictures_from_headers_alone(folder, caplog):
    with caplog.at_level(logging.WARNING, "kgan"):
        open_source(folder)
    assert caplog.messages == []
    scene(5).resize((20, 20)).save(folder / "small.png")
    (folder / "x.tif").write_text("x")
    (folder / "y.jp2").write_text("x")
    with caplog.at_level(logging.WARNING, "kgan"):
        open_source(folder)
    assert caplog.messages == [
        "1 of 4 pictures are smaller than 64x64 and are scaled up",
        "2 files of kinds that kgan does not read are left out: .jp2 .tif",
    ]
