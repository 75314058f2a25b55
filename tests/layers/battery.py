"""One battery for every layer of kgan.layers, after keras's `run_layer_test`."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

POLICIES = ("float32", "mixed_float16", "mixed_bfloat16")


def run_layer_test(
    layer_class: type[keras.layers.Layer],
    init_kwargs: dict[str, Any],
    inputs: Sequence[np.ndarray],
    expected_output_shape: tuple[int, ...],
    *,
    trainable_weights: int = 0,
    non_trainable_weights: int = 0,
    training_arg: bool = False,
    fixed_inputs: Sequence[int] = (),
    supports_mixed: bool = True,
    output_dtype: str | None = None,
) -> None:
    """Checks what every layer owes to Keras, under float32 and the mixed policies.

    That is: its number of weights, all float32; the shape and dtype of its output, and
    `compute_output_spec` saying the same; the config round trip, Keras's serialization and a saved
    functional model, each with exactly the same outputs under the same weights; the same outputs
    and updates in a tf.function; and finite gradients for every trainable weight and float input.

    Args:
        layer_class: the class under test.
        init_kwargs: its arguments. A function stands for a layer and is called for each copy.
        inputs: the arrays it is called with, in order; they show shapes and dtypes.
        expected_output_shape: shape of the output, batch included.
        trainable_weights, non_trainable_weights: how many the layer has.
        training_arg: whether `call` takes `training`; both modes are then run.
        fixed_inputs: indices of inputs without a batch dimension, such as a seed.
        supports_mixed: False leaves the mixed policies out.
        output_dtype: dtype of the output under every policy; None for the policy's compute dtype.
    """
    for policy in POLICIES if supports_mixed else POLICIES[:1]:
        case = _Case(layer_class, init_kwargs, [tf.constant(x) for x in inputs], policy)
        layer = case.build()
        assert len(layer.trainable_weights) == trainable_weights
        assert len(layer.non_trainable_weights) == non_trainable_weights
        assert {weight.dtype for weight in layer.weights} <= {"float32"}
        assert ("training" in inspect.signature(layer.call).parameters) == training_arg
        _check_output(
            case, layer, expected_output_shape, output_dtype or policy.removeprefix("mixed_")
        )
        _check_config(case, layer)
        _check_saving(case, layer, fixed_inputs)
        modes = ({"training": False}, {"training": True}) if training_arg else ({},)
        for mode in modes:
            _check_graph(case, mode, fixed_inputs)
            _check_gradients(case, mode)


class _Case:
    """A layer's class with its arguments, inputs and dtype policy."""

    def __init__(
        self,
        layer_class: type[keras.layers.Layer],
        init_kwargs: dict[str, Any],
        inputs: list[tf.Tensor],
        policy: str,
    ) -> None:
        self.layer_class = layer_class
        self.init_kwargs = init_kwargs
        self.inputs = inputs
        self.policy = policy

    def create(self) -> keras.layers.Layer:
        """A new layer. The policy is in force here alone: what is loaded must bring its own."""
        keras.config.set_dtype_policy(self.policy)
        try:
            return self.layer_class(
                **{
                    name: value() if callable(value) else value
                    for name, value in self.init_kwargs.items()
                }
            )
        finally:
            keras.config.set_dtype_policy("float32")

    def build(self) -> keras.layers.Layer:
        """A new layer, built, with no trainable weight at its start: no zeros hide a mistake."""
        layer = self.create()
        layer(*self.inputs)
        rng = np.random.default_rng(23)
        for weight in layer.trainable_weights:
            weight.assign(weight + rng.uniform(0.1, 0.3, weight.shape))
        return layer


def _check_output(
    case: _Case, layer: keras.layers.Layer, shape: tuple[int, ...], dtype: str
) -> None:
    outputs = layer(*case.inputs)
    assert (tuple(outputs.shape), outputs.dtype.name) == (shape, dtype)
    assert np.isfinite(np.float32(outputs)).all()
    symbols = [keras.KerasTensor(x.shape, x.dtype.name) for x in case.inputs]
    for each in (layer, case.create()):  # built, and not built yet
        spec = each.compute_output_spec(*symbols)
        assert (tuple(spec.shape), spec.dtype) == (shape, dtype)


def _check_config(case: _Case, layer: keras.layers.Layer) -> None:
    config = layer.get_config()
    assert case.init_kwargs.keys() <= config.keys()
    serialized = keras.saving.serialize_keras_object(layer)
    for copy in (
        case.layer_class.from_config(layer.get_config()),
        keras.saving.deserialize_keras_object(serialized),
    ):
        assert type(copy) is case.layer_class
        assert copy.get_config() == config
        copy(*case.inputs)
        copy.set_weights(layer.get_weights())
        _assert_equal(copy(*case.inputs), layer(*case.inputs))


def _check_saving(case: _Case, layer: keras.layers.Layer, fixed_inputs: Sequence[int]) -> None:
    symbols = [keras.Input(batch_shape=s, dtype=t.name) for s, t in _specs(case, fixed_inputs)]
    model = keras.Model(symbols, layer(*symbols))
    expected = model(case.inputs)
    assert model.output.dtype == expected.dtype.name
    assert model.output.shape == (None, *expected.shape[1:])
    with tempfile.TemporaryDirectory() as directory:
        model.save(Path(directory) / "model.keras")
        loaded = keras.models.load_model(Path(directory) / "model.keras")
    _assert_equal(loaded(case.inputs), expected)
    assert {weight.dtype for weight in loaded.weights} <= {"float32"}
    assert [weight.shape for weight in loaded.weights] == [weight.shape for weight in layer.weights]
    (again,) = [each for each in loaded.layers if type(each) is case.layer_class]
    assert _as_json(again.get_config()) == _as_json(layer.get_config())
    assert again.compute_dtype == layer.compute_dtype


def _check_graph(case: _Case, mode: dict[str, bool], fixed_inputs: Sequence[int]) -> None:
    eager, graph = case.build(), case.build()
    graph.set_weights(eager.get_weights())
    signature = [tf.TensorSpec(s, t) for s, t in _specs(case, fixed_inputs)]
    function = tf.function(lambda *inputs: graph(*inputs, **mode), input_signature=signature)
    # Half precision is rounded elsewhere where operations are fused.
    tolerance = 1e-5 if case.policy == "float32" else 5e-2
    outputs = np.float32(eager(*case.inputs, **mode))
    largest = max(1.0, np.abs(outputs).max())  # what is rounded on the way is as large
    np.testing.assert_allclose(
        np.float32(function(*case.inputs)), outputs, rtol=tolerance, atol=tolerance * largest
    )
    for one, other in zip(graph.get_weights(), eager.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def _check_gradients(case: _Case, mode: dict[str, bool]) -> None:
    layer = case.build()
    floats = [x for x in case.inputs if x.dtype.is_floating]
    with tf.GradientTape() as tape:
        tape.watch(floats)
        outputs = tf.cast(layer(*case.inputs, **mode), tf.float32)
        loss = tf.reduce_mean(outputs**2)
    variables = [weight.value for weight in layer.trainable_weights]
    for source, gradient in zip(
        [*variables, *floats], tape.gradient(loss, [*variables, *floats]), strict=True
    ):
        assert gradient is not None, source
        assert np.isfinite(tf.convert_to_tensor(gradient).numpy()).all(), source


def _specs(
    case: _Case, fixed_inputs: Sequence[int]
) -> list[tuple[tuple[int | None, ...], tf.DType]]:
    """Shape and dtype of each input, the batch open."""
    return [
        (tuple(x.shape) if index in fixed_inputs else (None, *x.shape[1:]), x.dtype)
        for index, x in enumerate(case.inputs)
    ]


def _as_json(config: Any) -> Any:
    """A config as a file gives it back: lists for tuples, without how a wrapped layer was built."""
    if isinstance(config, dict):
        return {key: _as_json(each) for key, each in config.items() if key != "build_config"}
    return [_as_json(each) for each in config] if isinstance(config, (list, tuple)) else config


def _assert_equal(received: tf.Tensor, expected: tf.Tensor) -> None:
    assert received.dtype == expected.dtype
    np.testing.assert_array_equal(np.float32(received), np.float32(expected))
