"""Files from anywhere: regular ones within bounds, whatever else stands there."""

import hashlib
import os
import socket
import tracemalloc

import pytest

import kgan
from kgan import reading


@pytest.fixture
def things(tmp_path):
    """Paths of things that are no regular files, by what they are."""
    pipe, bound = tmp_path / "pipe", tmp_path / "socket"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(bound))
    zero = tmp_path / "zero"
    zero.symlink_to("/dev/zero")
    return {"a pipe": pipe, "a socket": bound, "a device": zero, "a folder": tmp_path}


@pytest.mark.parametrize("what", ["a pipe", "a socket", "a device", "a folder"])
def test_what_is_no_regular_file_is_named_and_not_read(things, what):
    for read in (reading.check_file, reading.sha256, reading.read_text):
        with pytest.raises((kgan.InputError, OSError)) as refused:
            read(things[what])
        if isinstance(refused.value, kgan.InputError):
            assert f"Not a regular file: {what}" in str(refused.value)
        else:  # what cannot even be opened
            assert what in ("a socket", "a folder")


def test_a_file_is_read_up_to_its_bound(tmp_path):
    file = tmp_path / "text"
    file.write_text("四文字")
    assert reading.read_text(file, largest=9) == "四文字"
    with pytest.raises(kgan.InputError, match=r"at most 8 bytes.*9 bytes"):
        reading.read_text(file, largest=8)
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as stream:
        stream.truncate(60 * 10**9)
    with pytest.raises(kgan.InputError, match=r"60 GB"):
        reading.read_text(sparse)


def test_little_is_read_with_little_memory_whatever_the_bound(tmp_path):
    file = tmp_path / "text"
    file.write_text("little")
    tracemalloc.start()
    try:
        assert reading.read_text(file, largest=2**30) == "little"
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_the_hash_is_that_of_the_content(tmp_path):
    file = tmp_path / "data"
    file.write_bytes(bytes(range(256)) * 5000)
    assert reading.sha256(file) == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_manifest_that_is_a_pipe_holds_up_no_list(tmp_path):
    (tmp_path / "photos" / "1").mkdir(parents=True)
    os.mkfifo(tmp_path / "photos" / "1" / "manifest.json")
    (listed,) = kgan.shelf.list_exports(tmp_path)
    assert "a pipe" in listed.problem
