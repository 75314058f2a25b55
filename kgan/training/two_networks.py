"""`TwoNetworks`: a keras.Model made of two networks, saved and rebuilt with both."""

from __future__ import annotations

import abc
import contextlib
import functools
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.models.own_code import why_not_from_config
from kgan.models.rebuild import all_layers
from kgan.training.batches import FirstBatch, as_keras_takes, check_unweighted, drops_asserts
from kgan.training.distribution import StopTogether, has_workers, is_chief
from kgan.training.guarded_update import SUSPECTS, Updates
from kgan.training.lecam_anchors import LeCamAnchors
from kgan.training.network_checks import check_trainable, computes_in_float16, seed_states
from kgan.training.notebook_view import as_html
from kgan.training.optimizers import FinalWeights
from kgan.training.schedules import FitLength

FLOAT16_SKIPS = 10  # in a row, while the loss scale settles
COUNTING = (Updates, LeCamAnchors)  # layers, so that Keras saves them


def _as_in_keras(method: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: Keras's own signature and help. To a type checker any arguments will do."""

    def adopt(own: Callable[..., Any]) -> Callable[..., Any]:
        functools.update_wrapper(own, method)
        own.__doc__ = inspect.getdoc(method)  # which Keras's overrides have from their base
        return own

    return adopt


class TwoNetworks(keras.Model, abc.ABC):
    """What `GAN` and `Autoencoder` share: all of Keras's hooks that are not about their step.

    Each hook of Keras is overridden once, here or in the final class. The state of every
    random seed is saved too, which Keras itself leaves out.

    Attributes:
        kind: which of the two it is.
        roles: names of the networks' attributes.
        makes_pictures: whether it makes (H, W, C) with 1 to 8 channels; a subclass that trains on
            something else says False.
        compiled_before: arguments of `compile` that it has gained, as models saved before were
            compiled.
        counts_since: keys in saved files of variables that it has gained, which begin at 0.
        updates: the guarded updates, with the figures of the epoch.
        batches_seen: int64 variable, the batches that it was ever trained on.
        first_batch: what looks at the values of the first batch of a fit or an evaluation.
        value_range, image_shape: (low, high) of its images, (H, W, C).
        not_saved: why a saved file would not bring it back, in words; None where it does.
    """

    kind: ClassVar[Literal["gan", "autoencoder"]]
    roles: ClassVar[tuple[str, ...]]
    makes_pictures: ClassVar[bool] = True
    compiled_before: ClassVar[Mapping[str, Any]] = {}
    counts_since: ClassVar[Sequence[str]] = ()
    updates: Updates
    batches_seen: Any
    value_range: tuple[float, float]
    image_shape: tuple[int, ...]
    not_saved: str | None = None
    # Keras's own.
    train_function: Any
    test_function: Any
    jit_compile: Any
    steps_per_execution: int
    is_loading = False  # what was saved is loaded as it was, whatever it is
    is_summarized = False  # the summary's rows are being written

    def __init__(self, name: str | None) -> None:
        super().__init__(name=name)
        self.first_batch = FirstBatch()

    @abc.abstractmethod
    def arguments(self) -> dict[str, Any]:
        """What `from_arguments` takes beside the networks and the name; it is in the config."""

    @classmethod
    def from_arguments(cls, **arguments: Any) -> TwoNetworks:
        """The model of a config whose networks are built already."""
        return cls(**arguments)

    @abc.abstractmethod
    def prepare_inference(self) -> None:
        """Does what inference needs after training; called before it, outside of any graph."""

    @_as_in_keras(keras.Model.fit)
    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        bound = inspect.signature(keras.Model.fit).bind(self, *args, **kwargs)
        given = bound.arguments
        given["x"] = as_keras_takes(self, given.get("x"), given.get("y"))
        if given.get("validation_data") is not None:
            given["validation_data"] = as_keras_takes(self, given["validation_data"])
        # Keras drops them where there are no labels.
        check_unweighted(self, given.get("sample_weight"), given.get("class_weight"))
        callbacks = _as_list(given.get("callbacks"))
        # Only one of several workers writes: with the others' files they would race for one name.
        if has_workers(self.distribute_strategy):
            chief = is_chief(self.distribute_strategy)
            kept = [c for c in callbacks if chief or not getattr(c, "chief_only", False)]
            callbacks = [*kept, StopTogether(kept)]
        # First, so that nothing is written of a batch that is refused.
        given["callbacks"] = [self.first_batch, FinalWeights(), FitLength(), *callbacks]
        return super().fit(*bound.args[1:], **bound.kwargs)

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        # Keras takes the mean of a first batch over all workers, which TensorFlow cannot of images
        # with labels; what it wants are shapes, which this worker's part has too.
        if iterator is not None and has_workers(self.distribute_strategy):
            own = self.distribute_strategy.experimental_local_results
            *_, batches = next(iter(iterator))
            data_batch = keras.tree.map_structure(lambda each: own(each)[0], next(batches))
            iterator = None
        super()._maybe_symbolic_build(iterator, data_batch)

    @_as_in_keras(keras.Model.evaluate)
    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        bound = inspect.signature(keras.Model.evaluate).bind(self, *args, **kwargs)
        given = bound.arguments
        # In a fit it is Keras that calls, with the data and the callbacks of that fit.
        if not given.get("kwargs", {}).get("_use_cached_eval_dataset"):
            given["x"] = as_keras_takes(self, given.get("x"), given.get("y"))
            check_unweighted(self, given.get("sample_weight"))
            given["callbacks"] = [self.first_batch, *_as_list(given.get("callbacks"))]
        return super().evaluate(*bound.args[1:], **bound.kwargs)

    @_as_in_keras(keras.Model.train_on_batch)
    def train_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        if drops_asserts(self):
            bound = inspect.signature(keras.Model.train_on_batch).bind(self, *args, **kwargs)
            as_keras_takes(self, bound.arguments["x"], bound.arguments.get("y"))
        with self.first_batch.of_own_loop(self):
            return super().train_on_batch(*args, **kwargs)

    @property
    def layers(self) -> list[keras.layers.Layer]:
        # Keras's own, by which it names what it saves; in a summary without those that count.
        hidden = COUNTING if self.is_summarized else ()
        return [layer for layer in super().layers if not isinstance(layer, hidden)]

    @_as_in_keras(keras.Model.summary)
    def summary(self, *args: Any, **kwargs: Any) -> None:
        self.is_summarized = True
        try:
            super().summary(*args, **kwargs)
        finally:
            self.is_summarized = False

    def _repr_html_(self) -> str:
        """What a notebook shows; the model stays as it is."""
        return as_html(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # In a graph, such as that of predict, it is too late: that prepares before.
        if tf.executing_eagerly() and not kwargs.get("training"):
            self.prepare_inference()
        return super().__call__(*args, **kwargs)

    def make_predict_function(self, force: bool = False) -> Any:
        self.prepare_inference()
        return super().make_predict_function(force)

    def make_train_function(self, force: bool = False) -> None:
        if self.train_function is not None and not force:
            return
        for role in self.roles:
            check_trainable(role, getattr(self, role))
        if not self._has_replicas():
            super().make_train_function(force)
            return
        self.updates.compile_alone = bool(self.jit_compile)
        if self.jit_compile:
            self._check_nothing_synchronized()
        with self._not_compiled_as_one():
            super().make_train_function(force)
        self.train_function = self._step_by_step(self.train_function)

    def make_test_function(self, force: bool = False) -> None:
        self.prepare_inference()
        if self.test_function is not None and not force:
            return
        if not self._has_replicas():
            super().make_test_function(force)
            return
        with self._not_compiled_as_one():
            super().make_test_function(force)
        self.test_function = self._step_by_step(self.test_function)

    @contextlib.contextmanager
    def _not_compiled_as_one(self) -> Iterator[None]:
        """XLA cannot hold what replicas do together."""
        asked, self.jit_compile = self.jit_compile, False
        try:
            yield
        finally:
            self.jit_compile = asked

    def _step_by_step(self, step: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """A function that takes `steps_per_execution` steps, or those that are left.

        Keras takes them in a TensorFlow loop, which cannot hold what replicas do together.
        """

        def several(iterator: Any) -> Any:
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

    def _has_replicas(self) -> bool:
        """Whether several take a step together; a TPU's compile it whole by themselves."""
        strategy = self.distribute_strategy
        several = strategy.num_replicas_in_sync > 1
        return several and not isinstance(strategy, tf.distribute.TPUStrategy)

    def _check_nothing_synchronized(self) -> None:
        for layer in all_layers(self):
            if getattr(layer, "synchronized", False):
                raise InputError(
                    "jit_compile=True cannot compile batch normalisation that is synchronized over "
                    "several replicas: leave jit_compile at 'auto', or make the layers with "
                    f"synchronized=False. Received: {layer.name}"
                )

    def in_trouble(self) -> bool:
        """Whether updates are being skipped for what may be in the weights already.

        Bad images are not, nor a few steps in which a float16 training finds its scale.
        """
        suspect = SUSPECTS[int(self.updates.suspect.numpy())]
        tolerated = FLOAT16_SKIPS if computes_in_float16(self) else 0
        return suspect != "images" and self.updates.skipped_in_a_row()[1] > tolerated

    def logs(self) -> dict[str, tf.Tensor]:
        """The epoch's means up to now, the same on every replica, as a step gives them to Keras."""
        figures = self.get_metrics_result()
        if has_workers(tf.distribute.get_strategy()):
            # There Keras takes their mean over the first axis.
            figures = {name: value[None] for name, value in figures.items()}
        return figures

    def tell_what_is_not_saved(self) -> None:
        """Warns, when the model is made, of a network that no saved file would bring back."""
        for role in [role for role in self.roles if hasattr(self, role)]:  # a subclass adds its own
            why = why_not_from_config(getattr(self, role))
            if why is not None:
                self.not_saved = f"the {role}'s config does not bring it back: {why}"
                warnings.warn(
                    f"This {type(self).__name__} trains, draws and exports, but cannot be saved "
                    f"and loaded: {self.not_saved}",
                    stacklevel=3,
                )
                return

    def get_config(self) -> dict[str, Any]:
        try:
            networks = {
                role: keras.saving.serialize_keras_object(getattr(self, role))
                for role in self.roles
            }
        except Exception as error:  # of any kind: it comes out of the user's code
            if self.not_saved is None:
                raise
            raise InputError(f"This model cannot be saved: {self.not_saved}") from error
        return networks | self.arguments() | {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> TwoNetworks:
        networks = {
            role: keras.saving.deserialize_keras_object(config[role], custom_objects=custom_objects)
            for role in cls.roles
        }
        return cls.from_arguments(**(config | networks))

    def compile_from_config(self, config: dict[str, Any]) -> None:
        choices = keras.saving.deserialize_keras_object(config)
        self.is_loading = True
        try:
            self.compile(**(dict(self.compiled_before) | choices))
        finally:
            self.is_loading = False

    @_as_in_keras(keras.Model.save)
    def save(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        if str(filepath).endswith((".h5", ".hdf5")):
            raise InputError(
                f"A {type(self).__name__} is saved whole as .keras; an .h5 holds one network, "
                f"as of {self.roles[0]}.save(...); kgan.export makes files for applications. "
                f"Received: {str(filepath)!r}"
            )
        super().save(filepath, *args, **kwargs)

    @_as_in_keras(keras.Model.export)
    def export(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        raise InputError(
            f"A {type(self).__name__} is exported, and compared with Keras, by kgan.export: "
            f"kgan.export.to_saved_model(model, directory), or to_onnx. Received: {str(filepath)!r}"
        )

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        for index, state in enumerate(seed_states(self)):
            store[f"seed_{index}"] = state

    def load_own_variables(self, store: Any) -> None:
        states = {key: store[key] for key in store.keys() if key.startswith("seed_")}
        own = {name: 0 for name in self.counts_since}  # which older files lack
        super().load_own_variables(own | {k: store[k] for k in store.keys() if k not in states})
        for index, state in enumerate(seed_states(self)):
            state.assign(states[f"seed_{index}"])


def _as_list(callbacks: Any) -> list[keras.callbacks.Callback]:
    """What Keras takes as callbacks, None and a CallbackList too, as a list."""
    if isinstance(callbacks, keras.callbacks.Callback):
        return [callbacks]
    return list(getattr(callbacks, "callbacks", callbacks) or ())
