"""Which devices a run trains on: the tf.distribute strategies by name, and who writes files."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any, Literal, get_args

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.files import first_line

Strategy = Literal["auto", "none", "mirrored", "multiworker", "tpu"]
STRATEGIES = get_args(Strategy)


def make_strategy(
    name: Strategy = "auto",
) -> tf.distribute.Strategy:
    """A tf.distribute strategy by name.

    One of several workers must be made before TensorFlow does anything else.

    Args:
        name: "none" for one device; "mirrored" for every GPU of this machine;
            "multiworker" for the machines that TF_CONFIG names; "tpu"; or "auto":
            the TPU or the workers that the environment names, "mirrored" where
            there are several GPUs, else "none".

    Raises:
        InputError: an unknown name, or one whose devices are not there.
    """
    if name not in STRATEGIES:
        raise InputError(f"strategy must be one of {', '.join(STRATEGIES)}. Received: {name!r}")
    if name == "auto":
        name = _by_environment()
    if name == "multiworker":
        return _multiworker()
    if name == "tpu":
        return _tpu()
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def _by_environment() -> Strategy:
    if _tpu_is_named() or tf.config.list_physical_devices("TPU"):
        return "tpu"
    if len(_workers()) > 1:
        return "multiworker"
    return "mirrored" if len(tf.config.list_physical_devices("GPU")) > 1 else "none"


def _workers() -> list[str]:
    """The addresses in TF_CONFIG."""
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        cluster = json.loads(text).get("cluster", {})
        return [address for role in ("chief", "worker") for address in cluster.get(role, [])]
    except (ValueError, AttributeError, TypeError):
        raise InputError(f"TF_CONFIG must be JSON of a cluster. Received: {text}") from None


def _multiworker() -> tf.distribute.Strategy:
    if not _workers():
        raise InputError(
            "The strategy multiworker needs TF_CONFIG in the environment of each worker, such as "
            '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
            '"task": {"type": "worker", "index": 0}}. Received: none'
        )
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (ValueError, KeyError, tf.errors.OpError) as error:
        raise InputError(
            f"No cluster can be made of TF_CONFIG ({first_line(error)}). "
            f"Received: {os.environ['TF_CONFIG']}"
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
    says so, would leave the others waiting for it.
    """

    def on_train_begin(self, logs: Any = None) -> None:
        strategy = self.model.distribute_strategy
        self._ask = _make_any(strategy) if has_workers(strategy) else None

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self._ask is not None:
            self.model.stop_training = bool(self._ask(tf.constant(self.model.stop_training)))


def _make_any(strategy: tf.distribute.Strategy) -> Callable[[tf.Tensor], tf.Tensor]:
    @tf.function
    def any_of(wish: tf.Tensor) -> tf.Tensor:
        def total() -> tf.Tensor:
            replica = tf.distribute.get_replica_context()
            return replica.all_reduce(tf.distribute.ReduceOp.SUM, tf.cast(wish, tf.int32))

        return strategy.experimental_local_results(strategy.run(total))[0] > 0

    return any_of
