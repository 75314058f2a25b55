"""A keras.Model made of two networks, saved and made again with both."""

import contextlib

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.models.rebuild import all_layers
from kgan.training.distribution import StopTogether, has_workers, is_chief
from kgan.training.guarded_update import SUSPECTS
from kgan.training.network_checks import computes_in_float16, seed_states

FLOAT16_SKIPS = 10  # in a row, while the loss scale settles


class NetworkPair(keras.Model):
    """What `GAN` and `Autoencoder` share: a config that holds two whole networks.

    Every random seed's state is saved too, which Keras itself leaves out.

    Subclasses name the networks' attributes in `roles`, and give `arguments()`,
    the rest of what they were made with.
    """

    roles = ()

    def arguments(self):
        raise NotImplementedError

    def fit(self, *args, callbacks=None, **kwargs):
        # Of several workers one writes: with the others' files it would be a race for one name.
        if has_workers(self.distribute_strategy):
            chief = is_chief(self.distribute_strategy)
            kept = [c for c in callbacks or () if chief or not getattr(c, "chief_only", False)]
            callbacks = [*kept, StopTogether()]
        return super().fit(*args, callbacks=callbacks, **kwargs)

    fit.__doc__ = keras.Model.fit.__doc__

    def make_train_function(self, force=False):
        if self.train_function is not None and not force:
            return
        if not self._has_replicas():
            super().make_train_function(force)
            return
        self.updates.compile_alone = bool(self.jit_compile)
        if self.jit_compile:
            self._check_nothing_synchronized()
        with self._not_compiled_as_one():
            super().make_train_function(force)
        self.train_function = self._step_by_step(self.train_function)

    def make_test_function(self, force=False):
        if self.test_function is not None and not force:
            return
        if not self._has_replicas():
            super().make_test_function(force)
            return
        with self._not_compiled_as_one():
            super().make_test_function(force)
        self.test_function = self._step_by_step(self.test_function)

    @contextlib.contextmanager
    def _not_compiled_as_one(self):
        """XLA cannot hold what replicas do together."""
        asked, self.jit_compile = self.jit_compile, False
        try:
            yield
        finally:
            self.jit_compile = asked

    def _step_by_step(self, step):
        """A function that takes `steps_per_execution` steps, or those that are left.

        Keras takes them in a TensorFlow loop, which cannot hold what replicas do together.
        """

        def several(iterator):
            times, self.steps_per_execution = self.steps_per_execution, 1
            try:
                logs = step(iterator)
                for _ in range(times - 1):
                    try:
                        logs = step(iterator)
                    except (StopIteration, tf.errors.OutOfRangeError):  # it comes again
                        break
                return logs
            finally:
                self.steps_per_execution = times

        return several

    def _has_replicas(self):
        """Whether several take a step together; a TPU's compile it whole by themselves."""
        strategy = self.distribute_strategy
        several = strategy.num_replicas_in_sync > 1
        return several and not isinstance(strategy, tf.distribute.TPUStrategy)

    def _check_nothing_synchronized(self):
        for layer in all_layers(self):
            if getattr(layer, "synchronized", False):
                raise InputError(
                    "jit_compile=True cannot compile batch normalisation that is synchronized over "
                    "several replicas: leave jit_compile at 'auto', or make the layers with "
                    f"synchronized=False. Received: {layer.name}"
                )

    def in_trouble(self):
        """Whether updates are being skipped for what may be in the weights already.

        Bad pictures are not, nor a few steps in which a float16 training finds its scale.
        """
        suspect = SUSPECTS[int(self.updates.suspect.numpy())]
        tolerated = FLOAT16_SKIPS if computes_in_float16(self) else 0
        return suspect != "images" and self.updates.skipped_in_a_row()[1] > tolerated

    def logs(self):
        """The epoch's means up to now, the same on every replica, as a step gives them to Keras."""
        figures = self.get_metrics_result()
        if has_workers(tf.distribute.get_strategy()):
            # There Keras takes their mean over the first axis.
            figures = {name: value[None] for name, value in figures.items()}
        return figures

    def get_config(self):
        networks = {
            role: keras.saving.serialize_keras_object(getattr(self, role)) for role in self.roles
        }
        return networks | self.arguments() | {"name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        networks = {
            role: keras.saving.deserialize_keras_object(config[role], custom_objects=custom_objects)
            for role in cls.roles
        }
        return cls(**(config | networks))

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for index, state in enumerate(seed_states(self)):
            store[f"seed_{index}"] = state

    def load_own_variables(self, store):
        states = {key: store[key] for key in store.keys() if key.startswith("seed_")}
        super().load_own_variables({k: store[k] for k in store.keys() if k not in states})
        for index, state in enumerate(seed_states(self)):
            state.assign(states[f"seed_{index}"])
