"""Networks whose blocks are computed again in the backward pass, not kept: `remat`.

In a graph TensorFlow's `recompute_grad`, which `keras.remat` and `keras.RematScope` are, has no
second derivative, which R1, R2 and WGAN-GP's penalty take. Here the backward pass of a block is
itself recomputed, and can be differentiated again.

Reference:
    Chen et al. 2016, section 3, https://arxiv.org/abs/1604.06174
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from kgan.losses.gradients_of import is_wanted
from kgan.training.blocks import Block, blocks_of, graphs_of

Function = Callable[..., Sequence[tf.Tensor]]

# Replicas take turns within a step, and two models may share a network: id -> how many are at it.
USERS: dict[int, int] = {}
LOCK = threading.Lock()


@contextlib.contextmanager
def of_blocks(*networks: keras.Model) -> Iterator[None]:
    """Context manager: between forward and backward pass only what joins the blocks is kept.

    Weights, statistics and seeds are in the second computation what they were in the first, and
    the first alone changes them. What a layer draws must come from seeds of Keras's that it has.
    """
    graphs = [graph for network in networks for graph in graphs_of(network)]
    with LOCK:
        for graph in graphs:
            USERS[id(graph)] = USERS.get(id(graph), 0) + 1
            # An attribute of the network hides the class's own.
            graph._run_through_graph = _in_blocks(graph)
    try:
        yield
    finally:
        with LOCK:
            for graph in graphs:
                USERS[id(graph)] -= 1
                if not USERS[id(graph)]:
                    del USERS[id(graph)], graph._run_through_graph


def recomputed(function: Function, wanted: Callable[[], list[int]]) -> Function:
    """A function of tensors whose gradient, of any order, keeps nothing but what it is given.

    Args:
        function: tensors -> a list of tensors, the same at each call.
        wanted: gives, when a gradient is taken, the places of the arguments that it may be of.

    Returns:
        A function that gives the same.
    """

    @tf.custom_gradient
    def run(*inputs: tf.Tensor) -> tuple[Sequence[tf.Tensor], Function]:
        outputs = function(*inputs)

        def gradient(*upstream: tf.Tensor) -> list[tf.Tensor | None]:
            places, n = wanted(), len(inputs)
            of_floats = [u for u, y in zip(upstream, outputs, strict=True) if y.dtype.is_floating]
            backward = recomputed(
                functools.partial(_backward, function, places, n),
                lambda: [*wanted(), *range(n, n + len(of_floats))],
            )
            found = dict(zip(places, backward(*inputs, *of_floats), strict=True))
            return [found.get(place) for place in range(n)]

        return outputs, gradient

    return run


def _backward(
    function: Function, places: list[int], n: int, *tensors: tf.Tensor
) -> Sequence[tf.Tensor]:
    """Gradients of n arguments' `places`, from these and what flows back; nothing is kept."""
    inputs, upstream = list(tensors[:n]), tensors[n:]
    if not tf.executing_eagerly():
        inputs = _when_known(inputs, upstream[0])
    of = [inputs[place] for place in places]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(of)
        outputs = [y for y in function(*inputs) if y.dtype.is_floating]
    return tape.gradient(outputs, of, upstream, unconnected_gradients="zero")


def _when_known(inputs: list[tf.Tensor], upstream: tf.Tensor) -> list[tf.Tensor]:
    """The same numbers, there only when what flows back is.

    Without it a graph computes them with the first ones, or takes the first ones. Nothing that
    knows how to simplify a graph can tell that it is 0 that is added.
    """
    one = tf.reduce_max(tf.cast(tf.reshape(upstream, [-1])[:1], tf.float32))
    nothing = tf.where(tf.math.is_nan(one), one, 0.0)
    return [x + tf.cast(nothing, x.dtype) if x.dtype.is_floating else x for x in inputs]


class _NothingCast(keras.layers.Layer):
    """Calls a function in which weights are what they are, not cast as for the network around."""

    def __init__(self) -> None:
        super().__init__(name="block", dtype="float32", autocast=False)
        self.built = True

    def call(self, tensors: Any, function: Callable[[Any], Any]) -> Any:
        return function(tensors)


def _in_blocks(graph: Any) -> Callable[..., Any]:
    """What takes the place of a functional network's `_run_through_graph`."""
    blocks = blocks_of(graph)

    def run(inputs: Any, operation_fn: Any = lambda op: op, call_fn: Any = None) -> Any:
        if call_fn is not None:  # shapes alone
            return type(graph)._run_through_graph(graph, inputs, operation_fn, call_fn)
        known = dict(zip(map(id, graph.inputs), keras.tree.flatten(inputs), strict=True))
        for block in blocks:
            outputs = _run_block(block, operation_fn, [known[id(x)] for x in block.inputs])
            known.update(zip(map(id, block.outputs), outputs, strict=True))
        found = [known[id(x)] for x in graph.outputs]
        return keras.tree.pack_sequence_as(graph._outputs_struct, found)

    return run


def _run_block(block: Block, operation_fn: Any, maps: list[tf.Tensor]) -> Sequence[tf.Tensor]:
    """A block's outputs, from its inputs and from what the scopes around say its variables are."""
    n = len(maps)

    def forward(maps: list[tf.Tensor]) -> Sequence[tf.Tensor]:
        variables = block.variables()
        written: list[list[tuple[Any, Any]]] = []  # in each computation

        def compute(*tensors: tf.Tensor) -> list[tf.Tensor]:
            scope = keras.StatelessScope(zip(variables, tensors[n:], strict=True))
            before = [scope.get_current_value(v) for v in variables]
            with scope:
                outputs = block.run(tensors[:n], operation_fn)
            after = [scope.get_current_value(v) for v in variables]
            kept = zip(variables, before, after, strict=True)
            written.append([(v, new) for v, old, new in kept if new is not old])
            return outputs

        def wanted() -> list[int]:
            of_maps = [i for i, x in enumerate(maps) if x.dtype.is_floating]
            return of_maps + [n + i for i, v in enumerate(variables) if is_wanted(v)]

        values = [tf.convert_to_tensor(v.value) for v in variables]
        outputs = recomputed(compute, wanted)(*maps, *values)
        for variable, value in written[0]:
            variable.assign(value)
        return outputs

    return _NothingCast()(maps, function=forward)
