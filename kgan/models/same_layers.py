"""A network with other weights in the same layers, for layers that cannot be made a second time.

A Lambda's function, a layer without `get_config` and a closure are in no config: a copy made from
one would be another network, or none. The layers themselves run as well with other values.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras


class Float32(keras.DTypePolicy):
    """Computes in float32, whatever the dtype of the variables is."""

    def __init__(self, variable_dtype: str) -> None:
        super().__init__("float32")
        self._kept = variable_dtype

    @property
    def variable_dtype(self) -> str:
        return self._kept


class SameLayers(keras.Model):
    """Runs another network's layers with weights of its own.

    Args:
        network: a built Keras model, or another `SameLayers`; the weights start as its are.
        float32: run every layer in float32, whatever its policy.
    """

    def __init__(self, network: keras.Model, float32: bool = False) -> None:
        super().__init__(name=network.name, dtype="float32", autocast=False)  # each layer's do
        self._float32 = float32
        # Not an attribute that Keras tracks: the layers and their weights are another's.
        self._body = lambda: body_of(network)
        self._own = [
            self.add_weight(
                name=f"weight_{index}",
                shape=variable.shape,
                dtype=variable.dtype,
                initializer="zeros",
                trainable=False,
            )
            for index, variable in enumerate(network.variables)
        ]
        for own, variable in zip(self._own, network.variables, strict=True):
            own.assign(variable.value)
        self.built = True

    def body(self) -> keras.Model:
        """The network whose layers it runs; a method, as Keras saves what is an attribute."""
        return self._body()

    @contextlib.contextmanager
    def in_place(self) -> Iterator[keras.Model]:
        """Gives the layers' network with these weights in it; what it writes is written here.

        Like any scope of Keras's it hides those around it, and is hidden by those inside.
        """
        theirs = self.body().variables
        scope = keras.StatelessScope(zip(theirs, self._own, strict=True))
        before = [scope.get_current_value(variable) for variable in theirs]
        with scope, _in_float32(self.body()) if self._float32 else contextlib.nullcontext():
            yield self.body()
        for own, variable, value in zip(self._own, theirs, before, strict=True):
            written = scope.get_current_value(variable)
            if written is not value:
                own.assign(written)

    def call(self, inputs: Any, training: bool = False) -> Any:
        with self.in_place() as network:
            outputs = network(inputs, training=training)
        return keras.ops.cast(outputs, "float32") if self._float32 else outputs


def body_of(network: keras.Model) -> keras.Model:
    """The network whose layers run: of a `SameLayers` the other one, else itself."""
    return network.body() if isinstance(network, SameLayers) else network


@contextlib.contextmanager
def weights_in_place(network: keras.Model) -> Iterator[keras.Model]:
    """`body_of` a network, its layers with the network's own weights."""
    if isinstance(network, SameLayers):
        with network.in_place() as body:
            yield body
    else:
        yield network


@contextlib.contextmanager
def _in_float32(network: keras.Model) -> Iterator[None]:
    """Every layer has the policy float32 meanwhile."""
    floats = keras.backend.is_float_dtype
    layers = [one for one in network._flatten_layers() if floats(one.compute_dtype)]
    policies = [layer.dtype_policy for layer in layers]
    try:
        # Past the setter, which would quantize, or write into a map that layers share.
        for layer in layers:
            layer._dtype_policy = Float32(layer.variable_dtype)
        yield
    finally:
        for layer, policy in zip(layers, policies, strict=True):
            layer._dtype_policy = policy
