"""Which devices a run trains on: the tf.distribute strategies by name, and who writes files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.files import first_line, printable
from kgan.training.meeting import STEPPED, meet, take_signals_back

Strategy = Literal["auto", "none", "mirrored", "multiworker", "tpu"]
STRATEGIES = get_args(Strategy)
ROLES = ("chief", "worker")
EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'
)


def make_strategy(
    name: Strategy = "auto", settings: dict[str, Any] | None = None
) -> tf.distribute.Strategy:
    """A tf.distribute strategy by name.

    One of several workers must be made before TensorFlow does anything else.

    Args:
        name: "none" for one device; "mirrored" for every GPU of this machine;
            "multiworker" for the machines that TF_CONFIG names; "tpu"; or "auto":
            the TPU or the workers that the environment names, "mirrored" where
            there are several GPUs, else "none".
        settings: what this process was started with, of what JSON holds, which must be the same
            for all workers; None for nothing to compare.

    Raises:
        InputError: an unknown name, one whose devices are not there, a TF_CONFIG that is none,
            or workers of other settings.
    """
    if name not in STRATEGIES:
        raise InputError(f"strategy must be one of {', '.join(STRATEGIES)}. Received: {name!r}")
    if name == "auto":
        name = _by_environment()
    if name == "multiworker":
        return _multiworker(settings or {})
    if name == "tpu":
        return _tpu()
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def _by_environment() -> Strategy:
    if _tpu_is_named() or tf.config.list_physical_devices("TPU"):
        return "tpu"
    if len(_cluster()[0]) > 1:
        return "multiworker"
    return "mirrored" if len(tf.config.list_physical_devices("GPU")) > 1 else "none"


def is_worker(name: Strategy = "auto") -> bool:
    """Whether the strategy of that name, as for `make_strategy`, makes this process a worker."""
    return name == "multiworker" or (name == "auto" and _by_environment() == "multiworker")


def _cluster() -> tuple[list[str], int]:
    """(the addresses in TF_CONFIG, the chief's first; which of them this process has)."""
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        config = json.loads(text)
        cluster = config.get("cluster", {})
        addresses = [address for role in ROLES for address in cluster.get(role, [])]
        if not addresses and not cluster:
            return [], 0
        ports = [int(address.rpartition(":")[2]) for address in addresses]
        role, index = config["task"]["type"], config["task"]["index"]
        known = set(cluster) <= set(ROLES) and all(type(at) is list for at in cluster.values())
        fits = type(index) is int and 0 <= index < len(cluster[role])
        whole = len(set(addresses)) == len(addresses) and len(cluster.get("chief", [])) < 2
        if not (known and fits and whole and all(0 < port < 2**16 for port in ports)):
            raise ValueError
    except (ValueError, AttributeError, TypeError, LookupError, RecursionError):
        raise InputError(
            f"TF_CONFIG must be JSON of a cluster of workers, and of which of them this one is, "
            f"such as {EXAMPLE}. Received: {printable(text)}"
        ) from None
    return addresses, addresses.index(cluster[role][index])


def _multiworker(settings: dict[str, Any]) -> tf.distribute.Strategy:
    addresses, own = _cluster()
    if not addresses:
        raise InputError(
            "The strategy multiworker needs TF_CONFIG in the environment of each worker, such as "
            f"{EXAMPLE}. Received: none"
        )
    meet(addresses, own, settings)
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        take_signals_back()
        return strategy
    except (ValueError, KeyError, tf.errors.OpError) as error:
        raise InputError(
            f"No cluster can be made of TF_CONFIG ({first_line(error)}). "
            f"Received: {printable(os.environ['TF_CONFIG'])}"
        ) from None


def _tpu_is_named() -> bool:
    return any(os.environ.get(name) for name in ("TPU_NAME", "KUBE_GOOGLE_CLOUD_TPU_ENDPOINTS"))


def _tpu() -> tf.distribute.Strategy:
    try:
        # "local" is the TPU of this very machine.
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect(
            None if _tpu_is_named() else "local"
        )
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, RuntimeError, tf.errors.OpError) as error:
        raise InputError(f"No TPU can be used here. Received: {first_line(error)}") from None


def has_workers(strategy: tf.distribute.Strategy) -> bool:
    """Whether other processes train the same model."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes files, of all that train together."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    chiefs = resolver.cluster_spec().as_dict().get("chief")
    return resolver.task_type == "chief" or (
        not chiefs and resolver.task_type == "worker" and resolver.task_id == 0
    )


def check_divides(strategy: tf.distribute.Strategy, batch_size: int) -> None:
    """Raises an InputError where the replicas cannot share a batch equally."""
    count = strategy.num_replicas_in_sync
    if batch_size % count:
        raise InputError(
            f"A batch is shared by the {count} replicas of the strategy: its size must be a "
            f"multiple of {count}. Received: {batch_size}"
        )


class StopTogether(keras.callbacks.Callback):
    """Ends the training of all workers after the same step, when one of them wants to stop.

    The last of the callbacks. Else one worker that is told to stop, or whose clock
    says so, would leave the others waiting for it. Where one was interrupted all were.

    Args:
        callbacks: those before it; `interrupted` of one that has it is true where it is for any
            worker.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        super().__init__()
        self._interrupts: list[Any] = [one for one in callbacks if hasattr(one, "interrupted")]

    def on_train_begin(self, logs: Any = None) -> None:
        strategy = self.model.distribute_strategy
        self._ask = _make_any(strategy) if has_workers(strategy) else None

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._ask is not None:
            STEPPED.set()
            wishes = [self.model.stop_training, any(one.interrupted for one in self._interrupts)]
            self.model.stop_training, interrupted = map(bool, self._ask(tf.constant(wishes)))
            for one in self._interrupts:  # never back: a signal may just have come
                one.interrupted |= interrupted


def _make_any(strategy: tf.distribute.Strategy) -> Callable[[tf.Tensor], tf.Tensor]:
    @tf.function
    def any_of(wishes: tf.Tensor) -> tf.Tensor:
        def total() -> tf.Tensor:
            replica = tf.distribute.get_replica_context()
            return replica.all_reduce(tf.distribute.ReduceOp.SUM, tf.cast(wishes, tf.int32))

        return strategy.experimental_local_results(strategy.run(total))[0] > 0

    return any_of
