"""One guarded optimizer update, and the figures of an epoch."""

import keras
import tensorflow as tf

ALWAYS = ("d_loss", "g_loss", "real_logits", "fake_logits")
WHERE_THEY_ARE = ("penalty", "augment_probability")


def ready_optimizer(optimizer, network, scale_loss):
    """An optimizer built for a network's variables.

    Args:
        optimizer: a Keras optimizer, its name or its config.
        network: the model it is to update.
        scale_loss: wrap it in Keras's dynamic LossScaleOptimizer.
    """
    if isinstance(optimizer, dict):  # a copy: Keras takes the config apart
        optimizer = optimizer | {"config": dict(optimizer["config"])}
    optimizer = keras.optimizers.get(optimizer)
    if scale_loss and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(network.trainable_variables)
    return optimizer


class Updates(keras.layers.Layer):
    """Applies optimizer updates that are finite, counts those that are not, and keeps the means.

    A layer, so that Keras tracks and saves its metrics with the model.
    """

    def __init__(self):
        super().__init__(name="updates")
        self.means = {name: keras.metrics.Mean(name=name) for name in (*ALWAYS, *WHERE_THEY_ARE)}
        self.shown = set()  # which of those that not every training has
        self.skipped = keras.metrics.Sum(name="skipped_updates")
        self.built = True

    @property
    def metrics(self):
        shown = [self.means[name] for name in WHERE_THEY_ARE if name in self.shown]
        always = [self.means[name] for name in ALWAYS]
        return [*always, *shown, self.skipped]

    def apply(self, network, optimizer, objective, regularize=True):
        """Takes one optimizer step on `network`, or none if a number is not finite.

        The objective runs in a StatelessScope: what its layers would write
        (normalisation statistics, seeds) is collected and only `network`'s own
        is kept, after a finite step. Every other network stays as it was.

        Args:
            network: the model whose variables the step may change.
            optimizer: the Keras optimizer built for its trainable variables.
            objective: callable of no arguments -> (scalar loss, anything).
            regularize: add the weight regularizers of the network's layers.

        Returns:
            (loss, the objective's second result, bool tensor: the step was taken).
        """
        with tf.GradientTape() as tape:
            with keras.StatelessScope() as scope:
                loss, extra = objective()
            for variable in network.trainable_variables if regularize else ():
                if variable.regularizer is not None:
                    loss += tf.cast(variable.regularizer(variable), loss.dtype)
            scaled_loss = optimizer.scale_loss(loss)
        trainable = network.trainable_variables
        gradients = tape.gradient(scaled_loss, [v.value for v in trainable])
        finite = tf.reduce_all(
            [tf.reduce_all(tf.math.is_finite(g)) for g in (loss, *gradients) if g is not None]
        )
        new_state = [
            (variable, scope.get_current_value(variable))
            for variable in network.variables
            if scope.get_current_value(variable) is not None
        ]

        def take():
            # First: a layer may write its kernel in the forward pass, as keras's spectral
            # normalisation does, and must not undo the update.
            for variable, value in new_state:
                variable.assign(value)
            optimizer.apply(gradients, trainable)

        def skip():
            # It leaves the weights alone by itself, and must see an overflow to lower its scale:
            # in the gradients, where it looks, also when only the loss had one.
            if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                overflow = [None if g is None else g * float("nan") for g in gradients]
                optimizer.apply(overflow, trainable)

        tf.cond(finite, take, skip)
        self.skipped.update_state(1.0 - tf.cast(finite, tf.float32))
        return loss, extra, finite

    def record(self, finite, **figures):
        """Adds a step's figures to the epoch's means; those of a skipped step are left out."""
        for name, value in figures.items():
            kept = tf.where(finite, value, tf.zeros_like(value))
            self.means[name].update_state(kept, sample_weight=tf.cast(finite, tf.float32))
