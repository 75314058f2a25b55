"""Code of the user's own in a network, and whether a config brings the network back."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from kgan.files import first_line

LIBRARIES = ("keras", "kgan")
MADE_OF = (keras.Initializer, keras.constraints.Constraint, keras.Regularizer)
LAMBDA = "<lambda>"
CLOSE = 1e-4  # of the largest output


def own_code(network: keras.Model) -> dict[str, list[Any]]:
    """Classes and functions in a network that are neither Keras's nor kgan's, by name.

    A config knows them by that name; where one has several, it does not say which is meant.
    """
    found: dict[str, list[Any]] = {}
    for layer in network._flatten_layers():
        for one in (type(layer), *_in_attributes(layer)):
            same = found.setdefault(one.__name__, [])
            # A Lambda's function that Keras has loaded has Keras's module.
            loaded = isinstance(layer, keras.layers.Lambda) and one.__name__ == LAMBDA
            own = loaded or one.__module__.partition(".")[0] not in LIBRARIES
            if own and one not in same:
                same.append(one)
    return {name: objects for name, objects in found.items() if objects}


def _in_attributes(layer: keras.Layer) -> Iterator[Any]:
    """The functions, and the classes of initializers and the like, that a layer was given."""
    waiting = [value for name, value in vars(layer).items() if not hasattr(type(layer), name)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (list, tuple)):
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, types.FunctionType):
            yield value
        elif isinstance(value, MADE_OF):
            yield type(value)


def from_config(network: keras.Model, config: dict[str, Any]) -> keras.Model:
    """The network of a serialized config, with the classes, functions and weights of another."""
    objects = {name: found[-1] for name, found in own_code(network).items()}
    copy = keras.saving.deserialize_keras_object(config, objects)
    if not copy.built:  # a subclassed model only has variables from its first call on
        copy.build(network.get_build_config()["input_shape"])
    copy.set_weights(network.get_weights())
    return copy


def why_not_from_config(network: keras.Model) -> str | None:
    """Why a network's config does not bring it back, in words; None where it does.

    Networks of Keras's and kgan's own layers do. One with code of the user's is made anew, and
    the two are compared.
    """
    own = own_code(network)
    if not own:
        return None
    for name, objects in own.items():
        if name == LAMBDA:
            return f"a lambda, in {_with(network, objects[0])}, has no name to find it by"
        if len(objects) > 1:
            return f"{len(objects)} different things in it have the name {name}"
    try:
        copy = from_config(network, keras.saving.serialize_keras_object(network))
    except Exception as error:  # of any kind: it comes out of the user's code
        return _culprit(network, own, error)
    return _difference(network, copy)


def _with(network: keras.Model, function: Any) -> str:
    layers = [layer for layer in network._flatten_layers() if function in _in_attributes(layer)]
    return f"{layers[0].name} ({type(layers[0]).__name__})"


def _culprit(network: keras.Model, own: dict[str, list[Any]], error: Exception) -> str:
    """What the innermost layer that cannot be made again has to say."""
    objects = {name: found[0] for name, found in own.items()}
    for layer in reversed([*network._flatten_layers()]):
        try:
            keras.saving.deserialize_keras_object(
                keras.saving.serialize_keras_object(layer), objects
            )
        except NotImplementedError:
            return f"{layer.name} ({type(layer).__name__}) has no get_config"
        except Exception as problem:
            cause = first_line(problem)
            return f"{layer.name} ({type(layer).__name__}) does not come back from it: {cause}"
    return first_line(error)


def _difference(network: keras.Model, copy: keras.Model) -> str | None:
    """Whether two networks of the same weights give different outputs, in words."""
    inputs = example_inputs(network)
    if len(copy.variables) != len(network.variables):
        return "it then has other weights: a get_config leaves something out"
    for variable, value in zip(copy.variables, network.variables, strict=True):
        variable.assign(value)
    with keras.StatelessScope():  # seeds and statistics stay as they are
        first, again, other = (
            np.asarray(one(inputs, training=False)) for one in (network, network, copy)
        )
    bound = CLOSE * max(1.0, float(np.abs(first).max(initial=0.0)))
    if np.abs(first - again).max(initial=0.0) > bound:
        return None  # it draws by itself, and proves nothing
    if np.abs(first - other).max(initial=0.0) > bound:
        return "it then gives other outputs: a get_config leaves something out"
    return None


def example_inputs(network: keras.Model, n: int = 2) -> Any:
    """Numbers that a built network can be run on: normal ones, and zeros for labels."""
    shape = getattr(network, "input_shape", None) or network.get_build_config()["input_shape"]
    several = isinstance(shape[0], (list, tuple))
    first = tuple(shape[0] if several else shape)
    drawn = np.random.default_rng(0).normal(size=(n, *first[1:])).astype(np.float32)
    if not several:
        return drawn
    of_label = tuple(shape[1][1:])  # () for a class, (k,) for attributes
    return [drawn, np.zeros((n, *of_label), np.float32 if of_label else np.int32)]
