"""Ways in which a file is damaged, edited by hand or forged, for `fuzz_files.py`.

Each takes the bytes of a good file and a random.Random, and gives the bytes of a spoiled one.
"""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import tensorflow as tf

Edit = Callable[[bytes, random.Random], bytes]

NUMBERS = (0, 1, -1, 2, 3, 255, 4096, 2**31, 2**40, 2**63 - 1, 10**30, 0.5, 1e308)
JUNK = (
    *NUMBERS,
    *(
        None,
        True,
        False,
        "",
        "x",
        "x" * 3000,
        "\x1b[31mred\n\u202e",
        "\ud800",
        "/dev/zero",
        "../..",
    ),
    *([], {}, [[]], [1, 2, 3], {"class_name": "Lambda"}, float("nan"), float("inf")),
)
PUT = (b'"', b",", b";", b"\r\n", b"\0", b"-", b"1e999", b"\x1b[31m", b"9" * 400)
SHAPES = ((), (0,), (3,), (2, 3, 3), (1, 2, 2, 5), (2,) * 9)
FORGED = ((10**9,), (2**62, 4), (-1, 16, 16, 3), (12, 16, 16, 10**7), (), 7, (0, 16, 16, 3), "x")
NAMES = ("/etc/x", "../x", "a\n\x1b[31m", "", "x" * 70_000, "CON", "config.json", "images.npy")


def raw(data: bytes, rng: random.Random) -> bytes:
    """Bits flipped; bytes cut off, cut out, zeroed, put in, or nothing left."""
    spoiled = bytearray(data)
    kind, place = rng.randrange(6), rng.randrange(len(data) or 1)
    length = rng.choice((1, 4, 30, 1000))
    if kind == 0:
        for _ in range(rng.choice((1, 3, 20))):
            spoiled[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del spoiled[place:]
    elif kind == 2:
        del spoiled[place : place + length]
    elif kind == 3:
        spoiled[place : place + length] = bytes(len(spoiled[place : place + length]))
    elif kind == 4:
        spoiled[place:place] = rng.randbytes(length)
    else:
        spoiled = bytearray(rng.choice((b"", b"\0" * 100, b"PK\3\4", b"[" * 100_000)))
    return bytes(spoiled)


def text(data: bytes, rng: random.Random) -> bytes:
    """As a person, an editor or a spreadsheet could leave it; or `raw`."""
    if rng.random() < 0.2:
        return raw(data, rng)
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(data) or 1)
        put = rng.choice(PUT)
        data = rng.choice(
            (
                data[:place] + put + data[place:],
                data[:place] + data[place + rng.randrange(1, 40) :],
                data.replace(b"\n", b"\r\n").replace(b",", rng.choice((b";", b"\t"))),
                b"\xef\xbb\xbf" + data,
                data.decode(errors="replace").encode("utf-16"),
                data + data,
            )
        )
    return data


def json_text(data: bytes, rng: random.Random) -> bytes:
    """JSON with a value changed, taken out, renamed or wrapped; or `text`."""
    if rng.random() < 0.3:
        return text(data, rng)
    whole = json.loads(data)
    for _ in range(rng.choice((1, 1, 2))):
        place, key = _place(whole, rng)
        change = rng.randrange(6)
        if change == 0:
            del place[key]
        elif change == 1 and isinstance(place, dict):
            place[rng.choice(("x", key.upper(), f"{key}\x1b[31m", key * 100))] = place.pop(key)
        elif change == 2:
            place[key] = [place[key]] if rng.random() < 0.5 else {"x": place[key]}
        elif isinstance(place[key], (int, float)) and change == 3:
            place[key] = place[key] * rng.choice((-1, 2, 1000, 10**9)) + rng.choice((0, 1, 0.5))
        else:
            place[key] = rng.choice(JUNK)
        if not whole:
            break
    return json.dumps(whole).encode()


def _place(whole: Any, rng: random.Random) -> tuple[Any, Any]:
    """A container within JSON and a key of it."""
    place = whole
    while True:
        key = rng.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
        if not place[key] or not isinstance(place[key], (dict, list)) or rng.random() < 0.2:
            return place, key
        place = place[key]


def npz(data: bytes, rng: random.Random) -> bytes:
    """An archive of arrays: spoiled bytes, an odd zip, or a header that promises what is not."""
    return rng.choice((raw, archive(_npy), archive(_npy), odd_zip))(data, rng)


def keras(data: bytes, rng: random.Random) -> bytes:
    """A .keras file: spoiled bytes, an odd zip, another config, or other weights."""
    return rng.choice((raw, archive(_member), archive(_member), odd_zip))(data, rng)


def archive(change: Callable[[str, bytes, random.Random], bytes]) -> Edit:
    """Changes one member of a zip, which stays a good one."""

    def edit(data: bytes, rng: random.Random) -> bytes:
        members = _members(data)
        name = rng.choice(sorted(members))
        members[name] = change(name, members[name], rng)
        return _zipped(list(members.items()))

    return edit


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def _zipped(members: list[tuple[str, bytes]], method: int = 0, stream: bool = False) -> bytes:
    whole = _Stream() if stream else io.BytesIO()
    with zipfile.ZipFile(whole, "w", method) as file:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            with file.open(info, "w") as member:  # `writestr` takes no empty name
                member.write(content)
    return whole.getvalue()


class _Stream(io.BytesIO):
    """A pipe: sizes follow the members in data descriptors."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError

    def seek(self, *_: int) -> int:
        raise OSError


def odd_zip(data: bytes, rng: random.Random) -> bytes:
    """A zip that is one by its format, but not as programs write them."""
    members = list(_members(data).items())
    kind = rng.randrange(9)
    if kind == 0:
        return _zipped(members, rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, 14)))
    if kind == 1:
        return _zipped(members, stream=True)
    if kind == 2:  # two of one name
        name, content = rng.choice(members)
        return _zipped([*members, (name, raw(content, rng) if rng.random() < 0.7 else content)])
    if kind == 3:  # other names
        name, content = members.pop(rng.randrange(len(members)))
        return _zipped([*members, (rng.choice(NAMES)[:60_000], content)])
    if kind == 4:  # nested
        return _zipped([("inner.zip", data), *members[rng.randrange(2) * len(members) :]])
    if kind == 5:
        return rng.choice((b"#!/bin/sh\n" + data, data + b"x" * 100, data + data))
    if kind == 6:  # much of little
        name, _ = rng.choice(members)
        return _zipped([*members, (name, bytes(10**7))], zipfile.ZIP_DEFLATED)
    return _headers(bytearray(data), rng)


def _headers(data: bytearray, rng: random.Random) -> bytes:
    """Fields of the zip's own headers, local (PK34) and central (PK12), set to others."""
    fields = {  # offset in the central header and in the local one, format, values
        "encrypted": (8, 6, "<H", (1, 0x41, 0x2001)),
        "method": (10, 8, "<H", (1, 8, 9, 12, 14, 93, 97, 99)),
        "packed": (20, 18, "<I", (0, 1, 2**31, 2**32 - 1)),
        "size": (24, 22, "<I", (0, 1, 2**31, 2**32 - 1)),
        "name": (28, 26, "<H", (0, 1, 65535)),
        "extra": (30, 28, "<H", (1, 20, 65535)),
        "offset": (42, None, "<I", (0, 7, 2**32 - 1)),
        "version": (6, 4, "<H", (45, 63, 65535)),
    }
    central, local, form, values = fields[rng.choice(sorted(fields))]
    value = struct.pack(form, rng.choice(values))
    for mark, offset in ((b"PK\1\2", central), (b"PK\3\4", local)):
        place = data.find(mark)
        while place >= 0 and offset is not None:
            data[place + offset : place + offset + len(value)] = value
            place = data.find(mark, place + 4)
            if rng.random() < 0.5:
                break
    return bytes(data)


def _npy(name: str, data: bytes, rng: random.Random) -> bytes:
    """An array with another header, of another shape or type, or spoiled bytes."""
    if rng.random() < 0.3:
        return raw(data, rng)
    array = np.load(io.BytesIO(data))
    if rng.random() < 0.4:
        kinds = ("u1", "i8", "f2", "f8", "c16", "?", "U3", "S3", "V4", "M8[s]", "i1,f4")
        try:
            array = np.resize(array, rng.choice(SHAPES))
            array = array.astype(rng.choice(kinds))
        except (ValueError, TypeError):
            array = array[:1]
        whole = io.BytesIO()
        np.save(whole, array)
        return whole.getvalue()
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
    key = rng.choice(sorted(header))
    types = ("|O", "<U1000000", "|V0", ">f8", "x", [("a", "<i8")], "<f16", "|u1,|u1", "<c16")
    choices = {"descr": types, "fortran_order": (True, None, 3), "shape": FORGED}
    header[key] = rng.choice(choices[key])
    if rng.random() < 0.1:
        del header[key]
    written = repr(header).encode() + rng.choice((b"\n", b"", b"}\n", b" " * 60_000))
    version = bytes(rng.choice(((1, 0), (1, 0), (2, 0), (3, 0), (9, 9))))
    size = struct.pack("<H" if version[0] == 1 else "<I", len(written) % 65536)
    return b"\x93NUMPY" + version + size + written + array.tobytes()


def _member(name: str, data: bytes, rng: random.Random) -> bytes:
    """A member of a .keras file."""
    if name.endswith(".json"):
        return json_text(data, rng)
    return raw(data, rng) if rng.random() < 0.3 else _hdf5(data, rng)


def _hdf5(data: bytes, rng: random.Random) -> bytes:
    """Weights with some of other shapes, types or values, missing, or somewhere else."""
    whole = io.BytesIO(data)
    with h5py.File(whole, "r+") as file:
        names: list[str] = []
        file.visititems(lambda name, item: names.append(name))
        name = rng.choice(names)
        value = file[name][()] if isinstance(file[name], h5py.Dataset) else np.zeros(3)
        del file[name]
        kind = rng.randrange(7)
        if kind == 1:
            file[name] = np.resize(value, rng.choice(((), (0,), (7,), (1, 2, 3))))
        elif kind == 2:
            file[name] = value.astype(rng.choice(("f8", "i4", "S4", "c16")))
        elif kind == 3:
            file[name] = np.full_like(value, rng.choice((np.nan, 0, -1, 2**31)), dtype="f8")
        elif kind == 4:
            file[name] = h5py.SoftLink(rng.choice(("/nowhere", f"/{name}", "/")))
        elif kind == 5:
            file[name] = h5py.ExternalLink("/dev/zero", "/")
        elif kind == 6:
            file.create_dataset(name, rng.choice(((10**9,), (2**20, 2**20))), "f4", chunks=True)
    return whole.getvalue()


def shard(data: bytes, rng: random.Random) -> bytes:
    """TFRecords: spoiled bytes, or records with right checksums and other contents."""
    if rng.random() < 0.4:
        return raw(data, rng)
    records, place = [], 0
    while place < len(data):
        length = struct.unpack_from("<Q", data, place)[0]
        records.append(data[place + 12 : place + 12 + length])
        place += length + 16
    index = rng.randrange(len(records))
    records[index] = _record(records[index], rng)
    if rng.random() < 0.2:
        records.append(rng.choice(records))
    return b"".join(_framed(record) for record in records)


def _record(data: bytes, rng: random.Random) -> bytes:
    kind = rng.randrange(4)
    if kind == 0:
        return raw(data, rng)
    example = tf.train.Example.FromString(data)
    features = example.features.feature
    feature = features[rng.choice(sorted(features))]
    if kind == 1:
        feature.Clear()
        if rng.random() < 0.7:
            feature.float_list.value.extend([1.5] * rng.choice((0, 1, 5)))
    elif kind == 2:
        numbers = (-1, 0, 2**40, -(2**63), 2**63 - 1)
        feature.int64_list.value.extend([rng.choice(numbers)] * rng.choice((1, 1, 3)))
    else:
        images = [raw(value, rng) for value in feature.bytes_list.value] or [b"\x1b[31m\n\xff"]
        feature.bytes_list.value[:] = images * rng.choice((1, 1, 2))
    return example.SerializeToString()


def _framed(record: bytes) -> bytes:
    """A record as a TFRecord file holds it."""
    length = struct.pack("<Q", len(record))
    return length + _checksum(length) + record + _checksum(record)


def _checksum(data: bytes) -> bytes:
    value = 0xFFFFFFFF
    for byte in data:
        value = TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    value ^= 0xFFFFFFFF
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _table() -> list[int]:
    """CRC-32C's, one entry a byte."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


TABLE = _table()
