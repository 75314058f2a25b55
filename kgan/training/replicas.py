"""What the replicas of a tf.distribute strategy do together within a step.

On one device each of these is the plain thing.
"""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def count() -> int:
    """Replicas that take this step together, on all workers."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def mean(values: list[tf.Tensor]) -> list[tf.Tensor]:
    """Each of a list of float tensors as its mean over the replicas."""
    if count() == 1 or not values:
        return values
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, values)


def leave_to_branch() -> bool:
    """Whether `either` runs its functions in other replica contexts than that of its caller."""
    # A TPU's replicas are one program, in which all take the same branch anyway.
    on_tpu = isinstance(tf.distribute.get_strategy(), tf.distribute.TPUStrategy)
    return not on_tpu and not tf.__internal__.distribute.strategy_supports_no_merge_call()


def either(condition: tf.Tensor, take: Callable[[], None], skip: Callable[[], None]) -> None:
    """Runs `take` or `skip`, either of which may update variables as an optimizer does.

    A replica may not wait for the others inside a branch of its own, which is what
    updating variables amounts to: so they branch together.

    Args:
        condition: bool tensor, the same on every replica.
        take, skip: functions of no arguments; what they return is dropped.
    """
    if not leave_to_branch():
        tf.cond(condition, lambda: _run(take), lambda: _run(skip))
        return

    def branch(
        strategy: tf.distribute.Strategy,
        condition: tf.Tensor,
        take: Callable[[], None],
        skip: Callable[[], None],
    ) -> None:
        def on_all(function: Callable[[], None]) -> None:
            # Each replica has its own function, over its own tensors.
            strategy.extended.call_for_each_replica(_run, args=(function,))

        first = strategy.experimental_local_results(condition)[0]
        tf.cond(first, lambda: on_all(take), lambda: on_all(skip))

    tf.distribute.get_replica_context().merge_call(branch, args=(condition, take, skip))


def every(times: int, count: tf.Tensor, take: Callable[[], None]) -> None:
    """Runs `take`, which may update variables, where a count is a multiple of `times`.

    Args:
        times: int above 0.
        count: int tensor, the same on every replica.
        take: function of no arguments; what it returns is dropped.
    """
    if times == 1:
        take()
    else:
        either(tf.equal(count % times, 0), take, lambda: None)


def _run(function: Callable[[], None]) -> None:
    function()
