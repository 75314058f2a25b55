"""From a source of images to the batches that a model trains on."""

from __future__ import annotations

import glob
import itertools
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kgan import memory
from kgan.data import augment as augmentations
from kgan.data import mirroring
from kgan.data.array_source import ArraySource
from kgan.data.folder import FolderSource
from kgan.data.order import balanced_order, block_of, order, shuffled
from kgan.data.sources import Source
from kgan.data.workers import Rows, Workers, set_part
from kgan.errors import InputError
from kgan.images import check_range

LARGEST_CACHE_BYTES = 2**30
LOADED_TOGETHER = 256
ENDLESS = np.iinfo(np.int64).max
PREFETCHED_BATCHES = 2
# (key, first batch, the rows that are wanted or None for all) -> an epoch's batches
Reader = Callable[[Any, Any, Rows | None], tf.data.Dataset]


def batches(
    source: Source,
    *,
    batch_size: int,
    value_range: tuple[float, float] = (-1.0, 1.0),
    augment: Sequence[augmentations.AnyAugmentation] = (),
    cache: str | os.PathLike[str] | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    labels: bool = False,
    balance: bool = False,
    first_batch: int | None = None,
    strategy: tf.distribute.Strategy | None = None,
) -> tf.data.Dataset:
    """Makes the pipeline: decode, cache, shuffle, batch, scale, augment, prefetch.

    Args:
        source: a `Source`.
        batch_size: images per batch; a smaller last batch of an epoch is dropped.
        value_range: (low, high) that black and white are mapped to.
        augment: list that `kgan.data.augment.check` accepts, with "all" for its safe ones:
            the flip is among them where a small network cannot tell the pictures from their
            mirror images.
        cache: "memory", None for no cache, a path that the names of
            cache files begin with, or "auto": memory when the images take at most 1 GiB.
        shuffle: whether each epoch has a new order.
        seed: int, for the same order and augmentation each time; None for random ones.
        labels: yield (images, labels) instead of images; classes, or the source's attributes.
        balance: show every class as often as another, see `kgan.data.order.balanced_order`.
        first_batch: None for a dataset of one epoch, a new one each time it is
            iterated. A whole number for an endless dataset that continues where a
            training with the same arguments stopped after so many batches:
            with the rest of that epoch, then epoch after epoch. The source must
            know which images are broken, by `expect_broken`.
        strategy: of several workers, all of which call this with the same arguments: each then
            decodes its own part of what memory keeps, and `fit` its own rows of every batch.
            None, or another strategy, for one process.

    Returns:
        tf.data.Dataset of float32 (batch_size, H, W, C), with `labels` of pairs
        of that and int32 (batch_size,), or float32 (batch_size, k) of attributes.

    Raises:
        InputError: fewer images than a batch, labels of images that have none, or an
            argument that cannot be used.
    """
    if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise InputError(f"batch_size must be a whole number above 0. Received: {batch_size!r}")
    if balance and source.attributes is not None:
        raise InputError(f"Classes can be balanced, attributes not. Received: {source.description}")
    if (labels or balance) and source.class_names is None and source.attributes is None:
        raise InputError(
            "These pictures have no labels: they come from two or more subfolders, from `labels` "
            f"or `y_train` beside an array, or from a TFDS `label`. Received: {source.description}"
        )
    if first_batch is not None:
        if not isinstance(first_batch, (int, np.integer)) or first_batch < 0:
            raise InputError(
                f"first_batch must be a whole number from 0 up, or None. Received: {first_batch!r}"
            )
        if seed is None:
            raise InputError(
                "Data that continue where they stopped need the same seed each time. Received: "
                f"first_batch={first_batch} and no seed"
            )
    augment = augmentations.expanded(augment, lambda: mirroring.ask(source).harmless)
    functions = augmentations.check(augment)
    fold_in = tf.random.experimental.stateless_fold_in
    low, high = check_range("value_range", value_range)
    if seed is None:
        seed = int(np.random.SeedSequence().generate_state(1)[0])
    if cache == "auto":
        size = np.prod(source.image_shape) * source.count
        cache = "memory" if size <= LARGEST_CACHE_BYTES else None
    black, white = 0.0, 255.0
    workers = Workers(strategy)
    if isinstance(source, ArraySource):
        black, white = source.array_range
        read = _from_memory(source.values, source.labels, source, batch_size, balance)
    elif cache == "memory":
        images, classes = _load(source, batch_size, workers)
        read = _from_memory(images, classes, source, batch_size, balance)
    else:
        if balance:
            _check_balances(source, cache)
        if isinstance(source, FolderSource):
            source.balance = balance  # read as the pipeline is made, and no later
        read = _from_stream(source, batch_size, cache, workers)
    workers.agree_on_broken(source)

    scale = (high - low) / (white - black)
    shift = low - black * scale

    @tf.autograph.experimental.do_not_convert  # it would interpret the decoding, at twice the time
    def one_epoch(number: tf.Tensor, first: tf.Tensor, rows: Rows | None) -> tf.data.Dataset:
        key = tf.stack([tf.constant(seed, tf.int64), number])

        def finish(index: tf.Tensor, batch: Any) -> Any:
            images, classes = batch
            images = tf.cast(images, tf.float32) * scale + shift
            of_batch = fold_in(key, index)
            for place, function in enumerate(functions):
                own = fold_in(of_batch, tf.constant(place, tf.int64))
                images = function(images, own, (low, high), rows and (rows.start, rows.batch))
            return (images, classes) if labels else images

        numbered = read(key if shuffle else None, first, rows).enumerate(first)
        return numbered.map(finish, num_parallel_calls=os.cpu_count())

    steps = source.good // batch_size  # per epoch, as far as is known
    # In a stream, images that turn out to be broken may leave fewer batches.
    exact = isinstance(source, ArraySource) or cache == "memory"

    def every_epoch(rows: Rows | None) -> tf.data.Dataset:
        if first_batch is None:
            epochs, begin = itertools.count(), tf.constant(0, tf.int64)
            # Unlike tf.data's own random numbers, these ignore the global seed.
            numbers = tf.data.Dataset.from_generator(
                lambda: iter([next(epochs)]), output_signature=tf.TensorSpec((), tf.int64)
            )
            finished = numbers.flat_map(lambda number: one_epoch(number, begin, rows))
            length = steps if exact or rows else None
        else:
            epoch, rest = (tf.constant(n, tf.int64) for n in divmod(first_batch, steps))
            zero = tf.zeros_like(rest)
            finished = tf.data.Dataset.range(epoch, ENDLESS).flat_map(
                lambda number: one_epoch(number, tf.where(number == epoch, rest, zero), rows)
            )
            length = tf.data.INFINITE_CARDINALITY
        if length is not None:
            finished = finished.apply(tf.data.experimental.assert_cardinality(length))
        return finished

    options = tf.data.Options()
    options.autotune.enabled = False  # it can hold up the end of a short fit for seconds
    # Where each worker reads all: it takes its part of every batch, so that they stay the same.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    whole = every_epoch(None).prefetch(PREFETCHED_BATCHES).with_options(options)
    if workers.count > 1:
        part = every_epoch(workers.rows(batch_size))
        if workers.replicas > 1:
            part = part.rebatch(batch_size // workers.count // workers.replicas)
        set_part(whole, part.prefetch(PREFETCHED_BATCHES).with_options(options))
    return whole


def first_images(source: Source, n: int) -> np.ndarray:
    """Up to n images of a source in its own order, uint8 (N, H, W, C).

    Raises:
        InputError: it has none that can be decoded, or so many do not fit into memory.
    """
    n = min(n, source.count)
    memory.check_array(n, math.prod(source.image_shape), "n")
    images = [image for image, _ in source.read(source.examples().take(n))]
    if not images:
        raise InputError(f"No picture could be decoded. Received: {source.description}")
    return np.stack(images)


def _check_enough(count: int, batch_size: int, source: Source) -> None:
    if count < batch_size:
        raise InputError(
            f"Fewer pictures than a batch of {batch_size}. Received: {count} ({source.description})"
        )


def _check_balances(source: Source, cache: object) -> None:
    """Raises an InputError for a stream that shows its classes only as it is read."""
    if not isinstance(source, FolderSource) or cache is not None:
        raise InputError(
            "Classes can be balanced in a folder of pictures, in an array file, and in what fits "
            f"into memory (1 GiB of pictures as they are trained on). Received: "
            f"{source.description}, {source.count:,} pictures"
            + ("" if cache is None else f", cached in {cache}")
        )


# What follows makes functions of (key, first, rows): the batches, in the source's own numbers, and
# labels of an epoch from batch `first` on, in an order drawn from `key`, an int64 tensor (2,),
# or with None in the source's own; of each batch all, or the rows of one worker.


def _from_memory(
    images: Any, labels: Any, source: Source, batch_size: int, balance: bool
) -> Reader:
    """Batches of an array (N, H, W, C) and its labels, gathered by index."""
    count, classes = len(images), labels
    _check_enough(count, batch_size, source)
    with tf.device("CPU"):  # the pipeline runs there, whatever accelerator trains
        images, labels = tf.constant(images), tf.constant(labels)

    def read(key: tf.Tensor | None, first: tf.Tensor, rows: Rows | None) -> tf.data.Dataset:
        numbers = balanced_order(classes, key) if balance else order(count, key)
        chosen = numbers.batch(batch_size, drop_remainder=True).skip(first)
        if rows:
            chosen = chosen.map(lambda numbers: numbers[rows.start : rows.stop])
        return chosen.map(lambda numbers: (tf.gather(images, numbers), tf.gather(labels, numbers)))

    return read


def _load(source: Any, batch_size: int, workers: Workers) -> tuple[np.ndarray, ...]:
    """All images and labels of a stream, decoded at once to find broken ones before training.

    Each worker decodes a part of them and has the others' sent.

    Returns:
        (uint8 (N, H, W, C), labels (N,) or (N, k)).
    """
    source.least = batch_size
    shape, kind = source.labels_spec
    empty = np.zeros((0, *source.image_shape), np.uint8), np.zeros((0, *shape), kind)
    examples = source.examples()
    if workers.count > 1:
        begin, end = workers.span(source.good)
        examples = source.examples(chosen=lambda place: place >= begin, end=end)
    parts = [empty, *source.read(examples.batch(LOADED_TOGETHER))]
    own = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
    if workers.count == 1:
        return tuple(own)
    return tuple(
        np.frombuffer(b"".join(workers.exchange(a.tobytes())), a.dtype).reshape(-1, *a.shape[1:])
        for a in own
    )


def _from_stream(
    source: Any, batch_size: int, cache: str | os.PathLike[str] | None, workers: Workers
) -> Reader:
    """Batches of images that are decoded as they are read."""
    _check_enough(source.good, batch_size, source)
    source.least = batch_size
    first_ones = source.examples().take(batch_size)
    if workers.count > 1:
        own = workers.rows(batch_size)
        first_ones = source.examples(chosen=own.has, end=batch_size)
    for _ in source.read(first_ones):  # finds what is wrong from the start
        pass
    if cache is None:

        def read(key: tf.Tensor | None, first: tf.Tensor, rows: Rows | None) -> tf.data.Dataset:
            if rows is None:
                examples = source.examples(key, skip=first * batch_size)
                return examples.batch(batch_size, drop_remainder=True)
            # All workers have the same number of batches, whatever proves broken to one of them:
            # others of this epoch take its place.
            steps = source.good // batch_size - first
            skip, end = first * batch_size, steps * batch_size
            own = source.examples(key, skip=skip, chosen=rows.has, end=end)
            filled = own.concatenate(source.examples(key).repeat())
            return filled.take(steps * rows.size).batch(rows.size, drop_remainder=True)

        return read
    cache = Path(cache)
    cache.parent.mkdir(parents=True, exist_ok=True)
    # Other images, or the same ones fitted differently, must not come back from it.
    cache = cache.with_name(f"{cache.name}-{source.fingerprint()}")
    for lock in cache.parent.glob(f"{glob.escape(cache.name)}*.lockfile"):
        raise InputError(
            "This cache is being filled by another process, or one was killed while it did; "
            f"then remove the file. Received: {lock}"
        )
    cached = source.examples().cache(str(cache))
    block = block_of(source.count, np.prod(source.image_shape))

    def read_cached(key: tf.Tensor | None, first: tf.Tensor, rows: Rows | None) -> tf.data.Dataset:
        # A cache keeps the order it was filled in.
        examples = cached if key is None else shuffled(cached, block, key)
        whole = examples.skip(first * batch_size).batch(batch_size, drop_remainder=True)
        if rows is None:
            return whole
        return whole.map(lambda *batch: tuple(part[rows.start : rows.stop] for part in batch))

    return read_cached
