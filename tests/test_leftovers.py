"""What killed processes left is removed by the next, and nothing that is alive or somebody's."""

import errno
import fcntl
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import kgan
from kgan import file_systems
from kgan.errors import FullDisk
from kgan.export.web_page import PAGE, WebPage
from kgan.files import put_in_place, staging_directory, whole_file, writing
from kgan.leftovers import PREFIX, sweep
from kgan.runs import RunOptions
from kgan.runs.directory import held, make_directory
from kgan.shelf import list_exports

# A process that holds a file and a folder until it is killed.
HOLDING = """
import sys
from pathlib import Path
from kgan.files import staging_directory, whole_file

place = Path(sys.argv[1])
with staging_directory(place) as folder, whole_file(place / "a.png"):
    (folder / "half").touch()
    print("ready", flush=True)
    sys.stdin.read()
"""


def hold(folder):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDING, folder],
        env=os.environ | {"PYTHONPATH": str(Path(kgan.__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout.readline() == b"ready\n"
    return child


ELSEWHERE = f".kgan-{'0000' if PREFIX != '.kgan-0000' else '1111'}abcdefgh.png"  # another machine's


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def kill(child):
    child.kill()
    child.communicate()


def test_only_what_the_dead_left_is_removed(tmp_path):
    kept = [".kgan-mine", f"{PREFIX}abcdefgh.png.txt", ".my-settings.json", ELSEWHERE]
    for name in kept:
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / f"{PREFIX}aaaaaaaa")
    (tmp_path / f"{PREFIX}bbbbbbbb").symlink_to(tmp_path)
    kept += [f"{PREFIX}aaaaaaaa", f"{PREFIX}bbbbbbbb"]
    one, other = hold(tmp_path), hold(tmp_path)
    assert len(names(tmp_path)) == len(kept) + 4
    assert not sweep(tmp_path)
    kill(one)
    with staging_directory(tmp_path) as staging:  # the next command
        assert len(names(tmp_path)) == len(kept) + 3
        assert not sweep(tmp_path)  # its own stays too
        assert staging.is_dir()
    kill(other)
    assert sweep(tmp_path)
    assert names(tmp_path) == sorted(kept)
    os.utime(tmp_path / ELSEWHERE, (0, time.time() - 90_000))  # more than a day
    assert sweep(tmp_path)
    assert names(tmp_path) == sorted({*kept} - {ELSEWHERE})


def test_what_cannot_be_removed_is_not_taken_for_removed(tmp_path, monkeypatch):
    kill(hold(tmp_path))
    monkeypatch.setattr("shutil.rmtree", lacking(errno.EACCES))
    monkeypatch.setattr(Path, "unlink", lacking(errno.EACCES))
    assert not sweep(tmp_path)


def test_a_folder_keeps_what_it_has_from_the_one_around_it(tmp_path):
    tmp_path.chmod(0o2770)
    before = os.umask(0o027)
    try:
        with staging_directory(tmp_path) as staging:
            assert staging.stat().st_mode & 0o7777 == 0o2750
        with whole_file(tmp_path / "a.png"):
            pass
        assert (tmp_path / "a.png").stat().st_mode & 0o7777 == 0o640
    finally:
        os.umask(before)


def test_a_file_and_a_listing_meet_leftovers_too(tmp_path):
    (tmp_path / "saved_models" / "gone").mkdir(parents=True)
    for child in (hold(tmp_path / "pictures"), hold(tmp_path / "saved_models" / "gone")):
        kill(child)
    with whole_file(tmp_path / "pictures" / "b.png"):
        pass
    assert names(tmp_path / "pictures") == ["b.png"]
    assert list_exports(tmp_path / "saved_models") == []
    assert names(tmp_path / "saved_models") == []


def test_half_a_page_does_not_block_its_place(tmp_path):
    def page(runtime):
        return WebPage(tmp_path / "page", runtime)

    runtime = tmp_path / "nothing"
    kill(hold(tmp_path / "page"))
    for name in ("ort", next(PAGE.iterdir()).name):
        (tmp_path / "page" / name).touch()
    with pytest.raises(kgan.InputError, match="Not an unpacked onnxruntime-web"):
        page(runtime)  # the place is free
    assert names(tmp_path / "page") == []
    # A whole page, an export's version and a stranger's folder stay as they are.
    version = ["README.md", "manifest.json", "model.onnx"]
    for kept in (["index.html", "ort"], ["notes.txt"], ["manifest.json", "model.onnx"], version):
        kill(hold(tmp_path / "page"))
        for name in kept:
            (tmp_path / "page" / name).touch()
        with pytest.raises(kgan.InputError, match=f"empty or does not .*, which holds {kept[0]}"):
            page(runtime)
        assert names(tmp_path / "page") == kept
        for name in kept:
            (tmp_path / "page" / name).unlink()


@pytest.mark.parametrize("after", [False, True])
def test_all_files_are_put_in_place_or_none(tmp_path, monkeypatch, after):
    (tmp_path / "b").write_text("before")
    replace = Path.replace

    def interrupted(path, target):
        if path.name == "a" and not after:  # `last`
            raise KeyboardInterrupt
        replace(path, target)
        if path.name == "a":
            raise KeyboardInterrupt

    with staging_directory(tmp_path) as staging:
        for name in "abc":
            (staging / name).write_text("after")
        monkeypatch.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            put_in_place(staging, last="a")
    assert names(tmp_path) == ["b"]
    assert (tmp_path / "b").read_text() == "after"  # it was replaced


def lacking(number):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("name", ["EINVAL", "ENOTSUP", "ENOLCK", "ENOSYS"])
def test_a_file_system_that_lacks_something_is_one_warning(tmp_path, monkeypatch, caplog, name):
    number = getattr(errno, name)
    monkeypatch.setattr(file_systems, "_told", set())
    monkeypatch.setattr(os, "fsync", lacking(number))
    monkeypatch.setattr(Path, "chmod", lacking(number))
    monkeypatch.setattr(fcntl, "flock", lacking(number))
    for run in ("a", "b"):
        make_directory(tmp_path / run, RunOptions())
        with held(tmp_path / run):
            pass
    with whole_file(tmp_path / "one.txt", durable=True) as temporary:
        temporary.write_text("whole")
    assert (tmp_path / "one.txt").read_text() == "whole"
    assert names(tmp_path) == ["a", "b", "one.txt"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3
    said = sorted(record.getMessage() for record in caplog.records)
    start, why = "this file system ", f"({os.strerror(number)}): "
    assert said[0].startswith(f"{start}cannot wait for the disk {why}a power cut may lose")
    assert said[1].startswith(f"{start}has no locks {why}nothing keeps")
    assert said[2].startswith(f"{start}has no permissions to set {why}others may not read")


def test_a_lock_that_is_forbidden_is_no_lack(tmp_path, monkeypatch):
    make_directory(tmp_path / "run", RunOptions())
    monkeypatch.setattr(fcntl, "flock", lacking(errno.EPERM))
    with (
        pytest.raises(kgan.InputError, match=r"^Cannot lock this run \(.*not permitted\): .*run$"),
        held(tmp_path / "run"),
    ):
        pass


def test_a_disk_that_fails_is_no_lack(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lacking(errno.EIO))
    path = tmp_path / "one.txt"
    with pytest.raises(OSError, match=f"Input/output error: '{path}'"), whole_file(path, True):
        pass
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_found_behind_the_errors_of_libraries(number):
    class TensorFlows(Exception):
        message = f"somewhere/variables; {os.strerror(number)} [Op:SaveV2]"

    reason = rf"^Cannot write there \({os.strerror(number)}\): x$"
    with pytest.raises(FullDisk, match=reason), writing("Cannot write there", "x"):
        raise TensorFlows
    with pytest.raises(FullDisk, match=reason), writing("Cannot write there", "x"):
        raise ValueError("zip") from OSError(number, os.strerror(number))
    with pytest.raises(TypeError), writing("Cannot write there", "x"):
        raise TypeError
