"""Writes the images of any source into TFRecord shards, however many there are."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kgan.channels import PICTURES, PICTURES_IN_WORDS
from kgan.data import shard_manifest
from kgan.data.array_source import ArraySource
from kgan.data.record_features import ENCODED, LABEL, LABEL_TEXT
from kgan.data.sources import LOG, WORKERS, Source
from kgan.errors import InputError
from kgan.file_systems import no_room
from kgan.files import staging_directory, writing
from kgan.reading import sha256
from kgan.version import __version__

IMAGES_PER_SHARD = 4096


def pack(
    source: Source,
    directory: str | os.PathLike[str],
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Writes a source's images, as a model will see them, into TFRecord shards.

    Each image is a PNG in `image/encoded` of a tf.train.Example, with its
    class in `image/class/label`; a `manifest.json` states count, shape, classes
    and the SHA-256 of each shard. They come in a random order, so that reading
    them one after the other is nearly a shuffle. Only some images are in memory at
    a time; for a folder, all file names are.

    Args:
        source: a `Source`, from `kgan.data.open_source`.
        directory: where the shards go; it must not exist. All or nothing is written.
        seed: seed of the order.
        progress: called with (images written, images in total) after each shard.

    Returns:
        The manifest, a dict.

    Raises:
        InputError: the directory exists or cannot be written, no image can be decoded, or they
            have channels that make no picture.
    """
    directory = Path(directory)
    if source.image_shape[2] not in PICTURES:
        raise InputError(
            f"Shards hold PNG pictures, of {PICTURES_IN_WORDS} channels. "
            f"Received: {source.image_shape[2]} channels"
        )
    if isinstance(source, ArraySource) and source.dtype != np.uint8:
        LOG.warning("packed with 8 bits: shards hold no %s", source.dtype)
    if os.path.lexists(directory):
        raise InputError(f"This exists; choose another directory. Received: {directory}")
    parent = directory.parent
    with writing("Cannot write shards there", directory), staging_directory(parent) as staging:
        shards = _write_shards(source, staging, seed, progress)
        manifest = {
            "format": shard_manifest.FORMAT,
            "format_version": shard_manifest.FORMAT_VERSION,
            "kgan_version": __version__,
            "source": source.description,
            "count": sum(shard["count"] for shard in shards),
            "skipped": len(source.skipped),
            "image_shape": list(source.image_shape),
            "class_names": source.class_names,
            "default_augment": source.default_augment,
            "shards": shards,
        }
        text = json.dumps(manifest, indent=1) + "\n"
        (staging / shard_manifest.MANIFEST_FILE).write_text(text, encoding="utf-8")
        os.rename(staging, directory)
    return manifest


def _write_shards(
    source: Source, folder: Path, seed: int, progress: Callable[[int, int], None] | None
) -> list[dict[str, Any]]:
    def encode(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.io.encode_png(image), label

    key = tf.constant([seed, 0], tf.int64)
    examples = source.examples(key).map(encode, num_parallel_calls=WORKERS).prefetch(WORKERS)
    images = source.read(examples)
    shards: list[dict[str, Any]] = []
    written = 0
    while (first := next(images, None)) is not None:
        path = folder / f"pictures-{len(shards):05d}.tfrecord"
        count = 0
        rest = itertools.islice(images, IMAGES_PER_SHARD - 1)
        try:
            with tf.io.TFRecordWriter(os.fsencode(path)) as writer:
                for png, label in itertools.chain([first], rest):
                    writer.write(_example(png, label, source.class_names))
                    count += 1
        except tf.errors.OpError as problem:
            if no_room(problem):  # which `pack` tells
                raise
            raise InputError(f"Cannot write there: {problem.message}") from None
        shards.append(
            {
                "file": path.name,
                "count": count,
                "bytes": path.stat().st_size,
                "sha256": sha256(path),
            }
        )
        written += count
        if progress:
            progress(written, source.good)
    if not shards:
        raise InputError(f"No picture could be decoded. Received: {source.description}")
    return shards


def _example(png: bytes, label: int, class_names: Sequence[str] | None) -> bytes:
    features = {ENCODED: _bytes(png)}
    if class_names:
        features[LABEL] = tf.train.Feature(int64_list=tf.train.Int64List(value=[label]))
        features[LABEL_TEXT] = _bytes(class_names[label].encode())
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def _bytes(value: bytes) -> tf.train.Feature:
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
