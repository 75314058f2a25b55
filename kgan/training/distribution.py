"""Which devices a run trains on: the tf.distribute strategies by name, and who writes files."""

import contextlib
import json
import os

import keras
import tensorflow as tf

from kgan.errors import InputError, LostWorker
from kgan.files import first_line

STRATEGIES = ("auto", "none", "mirrored", "multiworker", "tpu")


def make_strategy(name="auto"):
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
        name = _found()
    if name == "multiworker":
        return _multiworker()
    if name == "tpu":
        return _tpu()
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def _found():
    if _tpu_is_named() or tf.config.list_physical_devices("TPU"):
        return "tpu"
    if len(_workers()) > 1:
        return "multiworker"
    return "mirrored" if len(tf.config.list_physical_devices("GPU")) > 1 else "none"


def _workers():
    """The addresses in TF_CONFIG."""
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        cluster = json.loads(text).get("cluster", {})
        return [address for role in ("chief", "worker") for address in cluster.get(role, [])]
    except (ValueError, AttributeError, TypeError):
        raise InputError(f"TF_CONFIG must be JSON of a cluster. Received: {text}") from None


def _multiworker():
    if not _workers():
        raise InputError(
            "The strategy multiworker wants TF_CONFIG in the environment of each worker, such as "
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


def _tpu_is_named():
    return any(os.environ.get(name) for name in ("TPU_NAME", "KUBE_GOOGLE_CLOUD_TPU_ENDPOINTS"))


def _tpu():
    try:
        # "local" is the TPU of this very machine.
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect(
            None if _tpu_is_named() else "local"
        )
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, RuntimeError, tf.errors.OpError) as error:
        raise InputError(f"No TPU can be used here. Received: {first_line(error)}") from None


def has_workers(strategy):
    """Whether other processes train the same model."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def is_chief(strategy):
    """Whether this process is the one that writes files, of all that train together."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    chiefs = resolver.cluster_spec().as_dict().get("chief")
    return resolver.task_type == "chief" or (
        not chiefs and resolver.task_type == "worker" and resolver.task_id == 0
    )


def check_divides(strategy, batch_size):
    """Raises an InputError where the replicas cannot share a batch equally."""
    count = strategy.num_replicas_in_sync
    if batch_size % count:
        raise InputError(
            f"A batch is shared by the {count} replicas of the strategy: its size must be a "
            f"multiple of {count}. Received: {batch_size}"
        )


@contextlib.contextmanager
def telling_of_lost_workers(strategy, directory):
    """Raises a LostWorker, one line, where another worker of a run no longer answers."""
    try:
        yield
    except tf.errors.OpError as problem:
        if not has_workers(strategy):
            raise
        raise LostWorker(
            "The other workers no longer answer; where they are gone, start all anew with kgan "
            f"train --resume {directory}. Received: {type(problem).__name__}"
        ) from problem


class StopTogether(keras.callbacks.Callback):
    """Ends the training of all workers after the same step, when one of them wants to stop.

    The last of the callbacks. Else one worker that is told to stop, or whose clock
    says so, would leave the others waiting for it.
    """

    def on_train_begin(self, logs=None):
        strategy = self.model.distribute_strategy
        self._ask = _make_any(strategy) if has_workers(strategy) else None

    def on_train_batch_end(self, batch, logs=None):
        if self._ask is not None:
            self.model.stop_training = bool(self._ask(tf.constant(self.model.stop_training)))


def _make_any(strategy):
    @tf.function
    def any_of(wish):
        def total():
            replica = tf.distribute.get_replica_context()
            return replica.all_reduce(tf.distribute.ReduceOp.SUM, tf.cast(wish, tf.int32))

        return strategy.experimental_local_results(strategy.run(total))[0] > 0

    return any_of
