"""Guarded optimizer updates, and the figures of an epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.losses.gradients_of import gradients_of
from kgan.training import fused_operations, replicas

ALWAYS = ("d_loss", "g_loss", "real_logits", "fake_logits")
WHERE_THEY_ARE = ("penalty", "augment_probability")

# What may not be finite in an update, the first of them the likely cause of the rest.
SUSPECTS = ("images", "logits", "loss", "gradients")


def ready_optimizer(optimizer: Any, network: keras.Model, scale_loss: bool) -> keras.Optimizer:
    """An optimizer built for a network's variables, in the strategy in scope.

    Args:
        optimizer: a Keras optimizer, its name or its config.
        network: the model it is to update.
        scale_loss: wrap it in Keras's dynamic LossScaleOptimizer.

    Raises:
        InputError: an optimizer made outside of that strategy's scope, or float16 weights.
    """
    halves = [v for v in network.trainable_variables if v.dtype == "float16"]
    if halves:
        raise InputError(
            "Weights in float16 lose the small steps of a training; the policy mixed_float16 keeps "
            f"them in float32. Received: {halves[0].path} in float16"
        )
    strategy = tf.distribute.get_strategy()
    if getattr(optimizer, "_distribution_strategy", strategy) is not strategy:
        raise InputError(
            "An optimizer must be made in the scope of the strategy that the model was made in: "
            f"`with strategy.scope():`. Received: {optimizer!r}"
        )
    if isinstance(optimizer, dict):  # a copy: Keras takes the config apart
        optimizer = optimizer | {"config": dict(optimizer["config"])}
    optimizer = keras.optimizers.get(optimizer)
    if scale_loss and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(network.trainable_variables)
    return optimizer


class Update(NamedTuple):
    """What one guarded update came to.

    Attributes:
        loss: this replica's loss, weight regularizers included.
        extra: the objective's third result.
        taken: bool tensor; False where the update was skipped as not finite.
    """

    loss: tf.Tensor
    extra: Any
    taken: tf.Tensor


class _KnownToAll(keras.metrics.Metric):
    """A metric whose figures every replica knows already: they are not added up again."""

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        aggregation: Any = None,
        name: str | None = None,
    ) -> Any:
        return super().add_variable(shape, initializer, dtype, "only_first_replica", name)


class Mean(_KnownToAll, keras.metrics.Mean):
    """keras.metrics.Mean within a step that several replicas take."""


class Sum(_KnownToAll, keras.metrics.Sum):
    """keras.metrics.Sum within a step that several replicas take."""


class Updates(keras.layers.Layer):
    """Applies optimizer updates that are finite, counts those that are not, and keeps the means.

    A layer, so that Keras tracks and saves its metrics with the model, in saved files under
    this class's name.

    Args:
        roles: names of the networks that are updated, each by an optimizer of its own.
        always, where_they_are: names of the figures of every training and of some.

    Attributes:
        streaks: role -> int64 variable, its updates skipped in a row up to now.
        suspect: int64 variable, the place in `SUSPECTS` of what was not finite first
            in the last update skipped.
        compile_alone: compile an update's arithmetic by XLA, apart from what the
            replicas do together, which XLA cannot hold.
    """

    def __init__(
        self,
        roles: Iterable[str],
        always: Sequence[str] = ALWAYS,
        where_they_are: Sequence[str] = WHERE_THEY_ARE,
    ) -> None:
        super().__init__(name="updates")
        self.always = always
        self.where_they_are = where_they_are
        self.means = {name: Mean(name=name) for name in (*always, *where_they_are)}
        self.shown: set[str] = set()  # which of those that not every training has
        self.skipped = Sum(name="skipped_updates")
        self.streaks = {role: self._count(f"{role}_streak") for role in roles}
        self.suspect = self._count("suspect")
        self.compile_alone = False
        self.built = True

    def _count(self, name: str) -> Any:
        return self.add_weight(
            name=name, shape=(), dtype="int64", initializer="zeros", trainable=False
        )

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        shown = [self.means[name] for name in self.where_they_are if name in self.shown]
        always = [self.means[name] for name in self.always]
        return [*always, *shown, self.skipped]

    def skipped_in_a_row(self) -> tuple[str, int]:
        """(role, the updates of it skipped in a row up to now) of the longest streak.

        To be asked between steps, not within one.
        """
        return max(
            ((role, int(streak.numpy())) for role, streak in self.streaks.items()),
            key=lambda pair: pair[1],
        )

    def apply(
        self,
        role: str,
        network: keras.Model,
        optimizer: keras.Optimizer,
        objective: Callable[[], tuple],
        images: tf.Tensor,
        regularize: bool = True,
        beta_2: tf.Tensor | None = None,
    ) -> Update:
        """Takes one optimizer step on `network`, or none if a number is not finite.

        The objective runs in a StatelessScope: what its layers would write
        (normalisation statistics, seeds) is collected and only `network`'s own
        is kept, after a finite step. Every other network stays as it was.
        The replicas of a strategy take the same step, from the mean of their
        losses, or skip it together.

        Args:
            role: the network's, one of those named to the constructor.
            network: the model whose variables the step may change.
            optimizer: the Keras optimizer built for its trainable variables.
            objective: callable of no arguments -> (scalar loss, logits, anything).
            images: the training images that went into it.
            regularize: add the weight regularizers of the network's layers.
            beta_2: the optimizer's, in this step; None for its own number.

        Returns:
            An `Update`.
        """
        trainable = network.trainable_variables
        kept: list[Any] = []  # the network's variables that its layers wrote in the forward pass

        def compute() -> tuple:
            with tf.GradientTape() as tape:
                with keras.StatelessScope(collect_losses=True) as scope:
                    loss, logits, extra = objective()
                for variable in trainable if regularize else ():
                    if variable.regularizer is not None:
                        loss += tf.cast(variable.regularizer(variable), loss.dtype)
                # Keras adds up the replicas' gradients. Divided here and not later, so that what
                # passes through float16 layers is as large as on one device.
                scaled_loss = optimizer.scale_loss(loss) / float(replicas.count())
            with gradients_of(trainable):
                gradients = tape.gradient(scaled_loss, [v.value for v in trainable])
            kept[:] = [v for v in network.variables if scope.get_current_value(v) is not None]
            return loss, logits, extra, gradients, [scope.get_current_value(v) for v in kept]

        if self.compile_alone:
            compute = tf.function(compute, jit_compile=True, autograph=False)
        loss, logits, extra, gradients, state = compute()
        # Their squares, which optimizers keep: beyond 1e19 those are infinite in float32.
        squares = [tf.nn.l2_loss(tf.cast(g, tf.float32)) for g in gradients if g is not None]
        squares = [tf.stack(squares)]
        suspects = (images, logits, loss, squares)
        healthy = replicas.mean([tf.stack([_finite(suspect) for suspect in suspects])])[0]
        finite = tf.reduce_all(healthy[SUSPECTS.index("loss") :] == 1.0)
        state = _agreed(kept, state)
        scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)

        def take() -> None:
            # First: a layer may write its kernel in the forward pass, as keras's spectral
            # normalisation does, and must not undo the update.
            for variable, value in zip(kept, state, strict=True):
                variable.assign(value)
            if scaled:
                scale = tf.convert_to_tensor(optimizer.dynamic_scale)
                unscaled = [None if g is None else g / scale for g in gradients]
                with fused_operations.adam(optimizer.inner_optimizer, beta_2):
                    optimizer.inner_optimizer.apply(unscaled, trainable)
                _raise_scale(optimizer)
            else:
                with fused_operations.adam(optimizer, beta_2):
                    optimizer.apply(gradients, trainable)
            self.streaks[role].assign(0)

        def skip() -> None:
            if scaled:
                _lower_scale(optimizer)
            self.streaks[role].assign(self.streaks[role] + 1)
            # An image that one replica has spoils, through the normalisation, all logits.
            self.suspect.assign(tf.argmax(tf.cast(healthy < 1.0, tf.int32)))

        replicas.either(finite, take, skip)
        self.skipped.update_state(1.0 - tf.cast(finite, tf.float32))
        return Update(loss, extra, finite)

    def record(self, finite: Any, images: Any = 1, **figures: Any) -> None:
        """Adds a step's figures to the epoch's means; those of a skipped step are left out.

        Args:
            finite: bool tensor, the step was taken.
            images: how many the step counts for, where batches differ.
            **figures: scalars, each the mean over this replica's part of the batch.
        """
        images = tf.cast(images, tf.float32)
        values = [tf.cast(tf.convert_to_tensor(value), tf.float32) for value in figures.values()]
        # A last batch may be too small for every replica: one may have no image, and no mean.
        values = [tf.where(images > 0, value, 0.0) * images for value in values]
        *totals, images = tf.unstack(
            replicas.mean([tf.stack([*values, images])])[0], num=len(values) + 1
        )
        weight = tf.cast(finite, tf.float32) * images
        for name, total in zip(figures, totals, strict=True):
            value = total / images
            kept = tf.where(finite, value, tf.zeros_like(value))
            self.means[name].update_state(kept, sample_weight=weight)


def _finite(tensors: Any) -> tf.Tensor:
    """1.0 where every number is finite, else 0.0."""
    tensors = tensors if isinstance(tensors, list) else [tensors]
    return tf.cast(
        tf.reduce_all([tf.reduce_all(tf.math.is_finite(tensor)) for tensor in tensors]), tf.float32
    )


def _agreed(variables: list[Any], values: list[tf.Tensor]) -> list[tf.Tensor]:
    """The values for all replicas: means of statistics; counts and seeds are equal already."""
    floats = [i for i, v in enumerate(variables) if keras.backend.is_float_dtype(v.dtype)]
    means = replicas.mean([values[i] for i in floats])
    agreed = dict(zip(floats, means, strict=True))
    return [agreed.get(i, value) for i, value in enumerate(values)]


# What keras.optimizers.LossScaleOptimizer does to its scale. Its own `apply` looks at the
# gradients alone, and not at what the other replicas and the loss say.


def _raise_scale(optimizer: keras.optimizers.LossScaleOptimizer) -> None:
    steps = optimizer.step_counter + 1
    grown = tf.equal(steps, optimizer.dynamic_growth_steps)
    scale = tf.convert_to_tensor(optimizer.dynamic_scale)
    optimizer.step_counter.assign(tf.where(grown, tf.zeros_like(steps), steps))
    optimizer.dynamic_scale.assign(tf.where(grown, 2.0 * scale, scale))


def _lower_scale(optimizer: keras.optimizers.LossScaleOptimizer) -> None:
    optimizer.step_counter.assign(0)
    optimizer.dynamic_scale.assign(0.5 * optimizer.dynamic_scale)
