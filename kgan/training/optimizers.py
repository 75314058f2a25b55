"""A GAN's two optimizers, as Keras's callbacks find them in `model.optimizer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from kgan.training.gan import GAN


class NamedOptimizer:
    """An optimizer under the name of its network: in logs the two would both be "adam"."""

    def __init__(self, name: str, optimizer: keras.Optimizer) -> None:
        self.name = name
        self.own = getattr(optimizer, "inner_optimizer", optimizer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)

    @property
    def learning_rate(self) -> Any:
        return self.own.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        self.own.learning_rate = rate


class TwoOptimizers:
    """Both optimizers of a GAN, for what reads or writes `model.optimizer`.

    Keras's LearningRateScheduler, ReduceLROnPlateau, SwapEMAWeights and TensorBoard act on each
    of `optimizers`, as they do on a keras.optimizers.MultiOptimizer's. Keras before 3.15 looks
    for one optimizer: there `learning_rate` is the generator's, and the discriminator's keeps its
    ratio to it.

    Args:
        gan: a compiled `GAN`.

    Attributes:
        optimizers: the two, named "g_optimizer" and "d_optimizer"; without a loss scale's wrapper.
        iterations: int64 variable, the batches trained on.
    """

    built = True  # the optimizers are, from `compile` on

    def __init__(self, gan: GAN) -> None:
        self._gan = gan
        both = {"g_optimizer": gan.g_optimizer, "d_optimizer": gan.d_optimizer}
        self.optimizers = [NamedOptimizer(name, each) for name, each in both.items()]
        self._ratio = 1.0

    @property
    def iterations(self) -> Any:
        return self._gan.batches_seen

    @property
    def variables(self) -> list[Any]:
        return [*self._gan.g_optimizer.variables, *self._gan.d_optimizer.variables]

    @property
    def learning_rate(self) -> Any:
        return self.optimizers[0].learning_rate

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        g_rate, d_rate = (float(each.learning_rate) for each in self.optimizers)
        if g_rate:  # a schedule may go through 0
            self._ratio = d_rate / g_rate
        for each, share in zip(self.optimizers, (1.0, self._ratio), strict=True):
            each.learning_rate = share * rate

    # What SwapEMAWeights reads of one optimizer, before Keras 3.15.

    @property
    def use_ema(self) -> bool:
        return any(each.use_ema for each in self.optimizers)

    @property
    def _distribution_strategy(self) -> Any:
        return self.optimizers[0]._distribution_strategy

    @property
    def _trainable_variables(self) -> list[Any]:
        return [v for each in self._averaging() for v in each._trainable_variables]

    @property
    def _model_variables_moving_average(self) -> list[Any]:
        averages = [v for each in self._averaging() for v in each._model_variables_moving_average]
        if not averages:
            raise AttributeError("neither optimizer has use_ema=True")
        return averages

    def _averaging(self) -> list[NamedOptimizer]:
        return [each for each in self.optimizers if each.use_ema]

    def finalize(self) -> None:
        """Gives a network the average of an optimizer with `use_ema=True`, as Keras's fit does."""
        with self._gan.distribute_strategy.scope():
            for each in self._averaging():
                each.finalize_variable_values(each._trainable_variables)
        if self._averaging():
            self._gan.calibrated_at.assign(-1)  # of other weights than those that it has now


class FinalWeights(keras.callbacks.Callback):
    """Gives a GAN its optimizers' averages when a fit ends, before other callbacks see that."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if isinstance(self.model.optimizer, TwoOptimizers):
            self.model.optimizer.finalize()
