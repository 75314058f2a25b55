"""Files that unpack to much, and records and pictures that are larger than memory."""

import io
import struct
import threading
import tracemalloc
import zipfile

import numpy as np
import pytest

import kgan
from kgan import memory
from kgan.data import decode
from kgan.data.pixels_in_flight import SMALL, PixelsInFlight
from kgan.data.records import count_records

GB = 10**9


@pytest.fixture
def one_gb(monkeypatch):
    monkeypatch.setattr(memory, "free", lambda: GB)


def header_of(shape):
    stream = io.BytesIO()
    facts = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, facts)
    return stream.getvalue()


def opened(path, **options):
    return kgan.data.open_source(str(path), **options)


def test_an_archive_is_not_unpacked_to_more_than_is_free(tmp_path, one_gb):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", header_of((10_000, 1000, 1000, 1)) + bytes(10**6))
    assert path.stat().st_size < 10_000
    with pytest.raises(kgan.InputError, match=r"images .*10 GB.*1 GB is free.*: 1,000 of its"):
        opened(path)


def test_a_sparse_array_file_is_refused_by_what_its_header_says(tmp_path, one_gb):
    path = tmp_path / "sparse.npy"
    with path.open("wb") as file:
        file.write(header_of((60_000, 1000, 1000)))
        file.truncate(60 * GB)
    with pytest.raises(kgan.InputError, match=r"60 GB"):
        opened(path)


def test_a_header_that_says_it_is_long_is_not_read(tmp_path):
    path = tmp_path / "long.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        length = 5 * 10**7
        head = np.lib.format.MAGIC_PREFIX + b"\2\0" + struct.pack("<I", length)
        archive.writestr("images.npy", head + b" " * length)
    tracemalloc.start()
    try:
        with pytest.raises(kgan.InputError, match="a header of 50,000,000 bytes"):
            opened(path)
        assert tracemalloc.get_traced_memory()[1] < 10**7
    finally:
        tracemalloc.stop()
    images = np.zeros((4, 8, 8), np.uint8)
    with (tmp_path / "two.npy").open("wb") as file:
        np.lib.format.write_array(file, images, version=(2, 0))
    assert opened(tmp_path / "two.npy").count == 4


def test_other_arrays_of_an_archive_are_not_read(tmp_path, one_gb):
    path = tmp_path / "two.npz"
    images = np.arange(4 * 8 * 8, dtype=np.uint8).reshape(4, 8, 8)
    whole = io.BytesIO()
    np.save(whole, images)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", whole.getvalue())
        archive.writestr("more.npy", header_of((10**9, 1000)))
    np.testing.assert_array_equal(opened(path).images[..., 0], images)


def test_pictures_that_do_not_fit_at_their_new_size_are_refused_before_any_is_fitted(one_gb):
    images = np.zeros((30, 8, 8), np.uint8)
    from kgan.data.builders import array_source

    large = array_source(images, None, (8192, 8192), "crop", (255, 255, 255), "arrays")
    with pytest.raises(kgan.InputError, match=r"30 pictures of 8192x8192x1.*2.01 GB.*: 14 of them"):
        _ = large.images


def record_of(path, length):
    """A shard whose first record says that it is so long, as a sparse file of that size."""
    head = struct.pack("<Q", length)
    with path.open("wb") as file:
        file.write(head + bytes(4))
        file.truncate(12 + length + 4)
    return path


def test_a_record_longer_than_any_picture_is_refused(tmp_path):
    path = record_of(tmp_path / "long.tfrecord", 30 * GB)
    with pytest.raises(kgan.InputError, match=r"record 0 of .*30 GB"):
        opened(path)


def test_a_record_that_does_not_fit_is_refused(tmp_path, one_gb):
    with pytest.raises(kgan.InputError, match=r"Record 0 needs.*1.5 GB"):
        count_records(record_of(tmp_path / "long.tfrecord", 15 * GB // 10))


def test_a_shard_with_a_manifest_is_looked_at_too(tmp_path):
    np.save(tmp_path / "few.npy", np.zeros((4, 8, 8), np.uint8))
    kgan.data.pack(opened(tmp_path / "few.npy"), tmp_path / "packed")
    shard = tmp_path / "packed" / "pictures-00000.tfrecord"
    data = bytearray(shard.read_bytes())
    data[:8] = struct.pack("<Q", 30 * GB)
    shard.write_bytes(data)
    with pytest.raises(kgan.InputError, match=r"cut short|at most"):
        opened(tmp_path / "packed")


def test_pixels_in_flight_keep_to_their_bound_and_all_get_their_turn():
    flight = PixelsInFlight(lambda: 3 * SMALL)
    now, most, lock, sizes = [0], [0], threading.Lock(), [SMALL + 1, 2 * SMALL, 5 * SMALL] * 6

    def decode_one(size):
        with flight.holding(size):
            with lock:
                now[0] += size
                most[0] = max(most[0], now[0])
            threading.Event().wait(0.002)
            with lock:
                now[0] -= size
        done.append(size)

    done = []
    threads = [threading.Thread(target=decode_one, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(done) == sorted(sizes)
    assert most[0] == 5 * SMALL  # alone; two of the others never exceed the bound


def test_an_error_while_a_picture_is_decoded_gives_its_room_back(tmp_path):
    flight = PixelsInFlight(lambda: SMALL)
    with pytest.raises(ValueError, match="damaged"), flight.holding(2 * SMALL):
        raise ValueError("damaged")
    with flight.holding(2 * SMALL):
        pass


def test_memory_that_runs_out_is_no_broken_picture(tmp_path, monkeypatch):
    from PIL import Image

    for name in "abcd":
        Image.new("RGB", (8, 8)).save(tmp_path / f"{name}.png")
    source = opened(tmp_path, image_shape=(8, 8))

    def run_out(*arguments):
        raise MemoryError("no room")

    monkeypatch.setattr(decode, "fit_image", run_out)
    with pytest.raises(MemoryError, match="Out of memory"):
        list(source.read(source.examples()))
    assert not source.skipped


def test_a_size_of_which_not_one_picture_fits_is_refused(one_gb):
    with pytest.raises(kgan.InputError, match=r"One picture needs.*4.8 GB.*40000x40000"):
        kgan.data.open_source(None, image_shape=(40_000, 40_000, 3))
