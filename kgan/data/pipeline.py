"""From a source of pictures to the batches a model trains on."""

import glob
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from kgan.data import augment as augmentations
from kgan.data.sources import ArraySource
from kgan.errors import InputError
from kgan.images import check_range

LARGEST_CACHE_BYTES = 2**30
STREAM_BUFFER_BYTES = 2**28  # of decoded pictures that wait to be shuffled
PREFETCHED_BATCHES = 2


def batches(source, *, batch_size, value_range, augment, cache, shuffle, seed, labels=False):
    """Makes the pipeline: decode, cache, shuffle, batch, scale, augment, prefetch.

    Args:
        source: a `Source`.
        batch_size: pictures a batch; what is left over at the end of an epoch is dropped.
        value_range: (low, high) that black and white become.
        augment: list as `kgan.data.augment.check` takes it.
        cache: "memory", None for no cache, a path that the names of
            cache files begin with, or "auto": memory when they take 1 GiB at most.
        shuffle: a new order each epoch.
        seed: int, for the same order and augmentation each time; None for random ones.
        labels: give (images, labels) instead of images.

    Returns:
        tf.data.Dataset of float32 (batch_size, H, W, C), with `labels` of pairs
        of that and int32 (batch_size,).

    Raises:
        InputError: fewer pictures than a batch, labels asked of pictures that
            have none, or an argument that cannot be used.
    """
    if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise InputError(f"batch_size must be a whole number above 0. Received: {batch_size!r}")
    if labels and source.class_names is None:
        raise InputError(
            "These pictures have no labels: they come from two or more subfolders, from `labels` "
            f"or `y_train` beside an array, or from a TFDS `label`. Received: {source.description}"
        )
    functions = augmentations.check(augment)
    low, high = check_range("value_range", value_range)
    if seed is None:
        seed = int(np.random.SeedSequence().generate_state(1)[0])
    if cache == "auto":
        size = np.prod(source.image_shape) * (source.count or np.inf)
        cache = "memory" if size <= LARGEST_CACHE_BYTES else None
    if isinstance(source, ArraySource):
        uint8_batches = _from_memory(
            source.pictures, source.labels, source, batch_size, shuffle, seed
        )
    elif cache == "memory":
        uint8_batches = _from_memory(*_load(source, batch_size), source, batch_size, shuffle, seed)
    else:
        uint8_batches = _from_stream(source, batch_size, cache, shuffle, seed)

    def finish(batch, number):
        images, classes = batch
        images = tf.cast(images, tf.float32) * ((high - low) / 255.0) + low
        for index, function in enumerate(functions):
            seed = tf.stack([number, tf.cast(index, tf.int64)])
            images = function(images, seed, (low, high))
        return (images, classes) if labels else images

    numbers = tf.data.Dataset.random(seed, rerandomize_each_iteration=True)
    finished = tf.data.Dataset.zip(uint8_batches, numbers).map(
        finish, num_parallel_calls=os.cpu_count()
    )
    options = tf.data.Options()
    options.autotune.enabled = False  # it can hold up the end of a short fit for seconds
    return finished.prefetch(PREFETCHED_BATCHES).with_options(options)


def first_pictures(source, n):
    """Up to n pictures of a source in its own order, uint8 (N, H, W, C).

    Raises:
        InputError: it has none that can be decoded.
    """
    if isinstance(source, ArraySource):
        return source.pictures[:n]
    pictures = [picture for picture, _ in _read(source, source.examples().take(n))]
    if not pictures:
        raise InputError(f"No picture could be decoded. Received: {source.description}")
    return np.stack(pictures)


def _check_enough(count, batch_size, source):
    if count < batch_size:
        raise InputError(
            f"Fewer pictures than a batch of {batch_size}. Received: {count} ({source.description})"
        )


def _from_memory(pictures, labels, source, batch_size, shuffle, seed):
    """Batches of a uint8 array (N, H, W, C) and its labels or None, gathered by index."""
    count = len(pictures)
    _check_enough(count, batch_size, source)
    with tf.device("CPU"):  # the pipeline runs there, whatever accelerator trains
        pictures = tf.constant(pictures)
        labels = tf.fill([count], -1) if labels is None else tf.constant(labels, tf.int32)
    order = tf.data.Dataset.range(count)
    if shuffle:
        order = order.shuffle(count, seed, reshuffle_each_iteration=True)
    return order.batch(batch_size, drop_remainder=True).map(
        lambda rows: (tf.gather(pictures, rows), tf.gather(labels, rows))
    )


def _load(source, batch_size):
    """All pictures and labels of a stream, decoded at once to find what is broken before training.

    Returns:
        (uint8 (N, H, W, C), int32 (N,)).
    """
    source.least = batch_size
    read = list(_read(source, source.examples()))
    pictures = [picture for picture, _ in read]
    empty = np.zeros((0, *source.image_shape), np.uint8)
    return np.stack(pictures) if pictures else empty, np.array([c for _, c in read], np.int32)


def _read(source, examples):
    """The examples of a dataset as arrays; what ends the reading comes out as an InputError."""
    try:
        yield from examples.as_numpy_iterator()
    # tf reports a record that is not valid text as a UnicodeDecodeError
    except (tf.errors.OpError, UnicodeDecodeError) as problem:
        if source.error is not None:
            raise source.error from None  # raised while decoding; tf has wrapped it
        raise InputError(
            f"Damaged, or not of the kind it should be. Received: {source.description}"
        ) from problem


def _from_stream(source, batch_size, cache, shuffle, seed):
    """Batches of pictures that are decoded as they are read."""
    if source.count is None:
        found = sum(1 for _ in _read(source, source.examples().take(batch_size)))
        _check_enough(found, batch_size, source)
    else:
        _check_enough(source.count - len(source.skipped), batch_size, source)
    source.least = batch_size
    # A cache keeps the order it was filled in: shuffle after it, else before decoding.
    examples = source.examples(shuffle_seed=seed if shuffle and cache is None else None)
    if cache is not None:
        cache = Path(cache)
        cache.parent.mkdir(parents=True, exist_ok=True)
        # Other pictures, or the same ones fitted otherwise, must not come back from it.
        cache = cache.with_name(f"{cache.name}-{source.fingerprint()}")
        for lock in cache.parent.glob(f"{glob.escape(cache.name)}*.lockfile"):
            raise InputError(
                "This cache is being filled by another process, or one was killed while it did; "
                f"then remove the file. Received: {lock}"
            )
        examples = examples.cache(str(cache))
    if shuffle and not (cache is None and source.shuffles_itself):
        buffer = max(1, STREAM_BUFFER_BYTES // int(np.prod(source.image_shape)))
        examples = examples.shuffle(buffer, seed, reshuffle_each_iteration=True)
    return examples.batch(batch_size, drop_remainder=True)
