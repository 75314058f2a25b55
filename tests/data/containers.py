"""Archives of pictures as the tests make them; every picture's level says which it is."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from kgan.data import open_source


def encoded(level, kind="PNG"):
    """The bytes of a flat picture, 8x8."""
    file = io.BytesIO()
    Image.new("L", (8, 8), level).save(file, kind)
    return file.getvalue()


def make_zip(path, members):
    """A .zip of {name: bytes}."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def make_tar(path, members, mode="w"):
    """A .tar of {name: bytes, or a TarInfo without content}."""
    with tarfile.open(path, mode) as archive:
        for name, data in members.items():
            info = data if isinstance(data, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.name = name
            if data is not info:
                info.size = len(data)
            archive.addfile(info, None if data is info else io.BytesIO(data))
    return path


def make_folder(path, members):
    """A folder of {name: bytes}."""
    for name, data in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def make_lmdb(path, members):
    """An LMDB of {key: bytes}."""
    lmdb = pytest.importorskip("lmdb")
    with lmdb.open(str(path), map_size=2**22) as env, env.begin(write=True) as view:
        for name, data in members.items():
            view.put(name.encode(), data)
    return path


def opened(path, **how):
    return open_source(path, image_shape=(8, 8, 1), **how)


def levels(source, key=None, skip=0):
    """[(level, class or None), ...] of a source's pictures as it gives them."""
    names = source.class_names
    return [
        (int(np.rint(image.mean())), names and names[label])
        for image, label in source.read(source.examples(key, skip))
    ]
