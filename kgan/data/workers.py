"""The workers that train together, as their data see them: who reads what, and what all know."""

from __future__ import annotations

import hashlib
import json
import weakref
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kgan.data.sources import Source
from kgan.errors import InputError
from kgan.files import printable

CHUNK = 2**26  # bytes of each worker that travel at a time
WORD = 4  # bytes of an int32: not every type can be gathered


class Rows(NamedTuple):
    """The rows of every batch that one of several workers reads.

    Attributes:
        start, stop: which, from `start` up to but not with `stop`.
        batch: how many all workers have together.
    """

    start: int
    stop: int
    batch: int

    @property
    def size(self) -> int:
        """How many they are."""
        return self.stop - self.start

    def has(self, place: tf.Tensor) -> tf.Tensor:
        """Whether the image at a place of an epoch is among them."""
        row = place % self.batch
        return (row >= self.start) & (row < self.stop)


class Workers:
    """The processes of a `MultiWorkerMirroredStrategy`; of every other strategy, this one alone.

    All of them make it, and call its methods, in the same order.

    Args:
        strategy: theirs; None for this process alone.

    Attributes:
        count: how many there are.
        index: which of them this one is, the chief 0.
        replicas: devices of each.
    """

    def __init__(self, strategy: tf.distribute.Strategy | None) -> None:
        self.count, self.index, self.replicas = 1, 0, 1
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            return
        resolver = strategy.cluster_resolver
        cluster = resolver.cluster_spec().as_dict()
        before = len(cluster.get("chief", ())) if resolver.task_type == "worker" else 0
        self.count = max(1, sum(len(cluster.get(role, ())) for role in ("chief", "worker")))
        self.index = before + (resolver.task_id or 0)
        self.replicas = strategy.num_replicas_in_sync // self.count
        self._strategy = strategy
        self._gather = tf.function(self._gathered)

    def _gathered(self, words: tf.Tensor) -> tf.Tensor:
        def gather() -> tf.Tensor:
            return tf.distribute.get_replica_context().all_gather(words[None], axis=0)

        gathered = self._strategy.run(gather)
        # The devices of one worker have all given the same.
        return self._strategy.experimental_local_results(gathered)[0][:: self.replicas]

    def rows(self, batch: int) -> Rows:
        """Which rows of every batch this worker reads.

        Raises:
            InputError: the replicas cannot share a batch equally.
        """
        if batch % (self.count * self.replicas):
            raise InputError(
                f"A batch is shared by {self.count} workers of {self.replicas} devices each: its "
                f"size must be a multiple of {self.count * self.replicas}. Received: {batch}"
            )
        each = batch // self.count
        return Rows(self.index * each, (self.index + 1) * each, batch)

    def span(self, count: int) -> tuple[int, int]:
        """(first, end) of this worker's part of so many images, in their order."""
        return count * self.index // self.count, count * (self.index + 1) // self.count

    def exchange(self, own: bytes) -> list[bytes]:
        """What each worker gives, in their order."""
        if self.count == 1:
            return [own]
        length = np.frombuffer(np.int64(len(own)).tobytes(), np.int32)
        lengths = self._gather(tf.constant(length)).numpy().reshape(-1).view(np.int64)
        parts: list[list[bytes]] = [[] for _ in lengths]
        for start in range(0, int(lengths.max()), CHUNK):
            size = -(-min(CHUNK, int(lengths.max()) - start) // WORD) * WORD
            piece = own[start : start + size].ljust(size, b"\0")
            words = self._gather(tf.constant(np.frombuffer(piece, np.int32))).numpy()
            for part, row in zip(parts, words, strict=True):
                part.append(row.tobytes())
        return [b"".join(part)[:n] for part, n in zip(parts, lengths, strict=True)]

    def check_same(self, source: Source) -> None:
        """Compares the data of all workers, wherever each of them has its own.

        Raises:
            InputError: they differ; at all workers, with the same words.
        """
        if self.count == 1:  # to look at all of the data takes time
            return
        said = json.dumps([source.description, likeness(source)]).encode()
        chiefs, *others = [json.loads(one) for one in self.exchange(said)]
        for number, other in enumerate(others, 1):
            if other[1] != chiefs[1]:
                raise InputError(
                    "All workers train on the same data: as many pictures, of the same names and "
                    f"sizes. Received: {printable(chiefs[0], None)} ({chiefs[1]}) at worker 0, "
                    f"{printable(other[0], None)} ({other[1]}) at worker {number}"
                )

    def agree_on_broken(self, source: Source) -> None:
        """Tells each worker which images others could not decode, so that all count alike."""
        known = self.exchange(json.dumps(sorted(source.broken)).encode())
        for index in {number for one in known for number in json.loads(one)} - source.broken:
            source.broken.add(index)
            source.skipped[source.name(index)] = "another worker could not decode it"


def likeness(source: Source) -> str:
    """A short hash of which images these are, the same for a copy of them elsewhere."""
    names = None if source.attributes is None else source.attributes.names
    facts = [source.image_shape, source.count, source.class_names, names, *source.contents()]
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


_PARTS: weakref.WeakKeyDictionary[tf.data.Dataset, tf.data.Dataset] = weakref.WeakKeyDictionary()


def set_part(batches: tf.data.Dataset, part: tf.data.Dataset) -> None:
    """Notes a dataset of the same batches that has this worker's rows alone, a replica's at a time.

    What is made of `batches` later, as by `map`, has no such part.
    """
    _PARTS[batches] = part


def part_of(batches: object) -> tf.data.Dataset | None:
    """What `set_part` noted; None where it noted nothing."""
    return _PARTS.get(batches) if isinstance(batches, tf.data.Dataset) else None
