"""Networks up to one of their layers: what is inside, on the way."""

from __future__ import annotations

import keras

from kgan.errors import InputError
from kgan.files import printable
from kgan.models.rebuild import float32_copy


def up_to(network: keras.Model, layer: str) -> keras.Model:
    """A network that gives what one layer of another gives, computing in float32.

    Args:
        network: of the functional API.
        layer: name of a layer of its own.

    Raises:
        InputError: the network is of another kind, or has no such layer.
    """
    whole = check_functional(float32_copy(network))
    if layer not in {each.name for each in whole.layers}:
        known = ", ".join(each.name for each in whole.layers)
        raise InputError(f"No such layer. Known: {printable(known, None)}. Received: {layer!r}")
    return keras.Model(whole.inputs, whole.get_layer(layer).output)


def check_functional(network: keras.Model) -> keras.Model:
    """Returns the network.

    Raises:
        InputError: it is none of Keras's functional API, whose layers have outputs by themselves.
    """
    try:
        if network.inputs and network.layers:
            return network
    except (AttributeError, ValueError):  # a subclass of keras.Model has no inputs
        pass
    raise InputError(
        "This looks at single layers, which a network of Keras's functional API has. "
        f"Received: {printable(network.name)}, a {type(network).__name__}"
    )


def first_with_kernel(network: keras.Model) -> keras.layers.Layer:
    """The first layer of a network with a kernel, its own or the wrapped layer's.

    Raises:
        InputError: there is none.
    """
    for layer in check_functional(network).layers:
        inner = getattr(layer, "layer", layer)
        if hasattr(inner, "kernel") and len(inner.kernel.shape) > 1:
            return layer
    raise InputError(f"No layer has a kernel. Received: {printable(network.name)}")
