"""Functional networks cut into blocks, so that little is kept where only what joins them is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from kgan.models.rebuild import all_layers

LIMITS = 24  # of a block's size that are tried
PASSES = 2  # that are kept at once in the discriminator's half of a step, real and fake


class Block(NamedTuple):
    """Some layers of a functional network that are computed together.

    Attributes:
        nodes: Keras's nodes, in the order of computation.
        inputs, outputs: KerasTensors that come from before, and that are used after.
    """

    nodes: Sequence[Any]
    inputs: Sequence[keras.KerasTensor]
    outputs: Sequence[keras.KerasTensor]

    def run(self, inputs: Sequence[tf.Tensor], operation_fn: Callable[[Any], Any]) -> list:
        """The outputs from inputs, each layer called as `operation_fn` makes it."""
        known = dict(zip(map(id, self.inputs), inputs, strict=True))
        for node in self.nodes:
            args, kwargs = node.arguments.fill_in(known)
            outputs = keras.tree.flatten(operation_fn(node.operation)(*args, **kwargs))
            known.update(zip(map(id, node.outputs), outputs, strict=True))
        return [known[id(x)] for x in self.outputs]

    def variables(self) -> list[Any]:
        """All variables of its layers, each once: weights, statistics, seeds."""
        layers = [n.operation for n in self.nodes if isinstance(n.operation, keras.layers.Layer)]
        return list({id(v): v for layer in layers for v in layer.variables}.values())


def graphs_of(network: keras.Model) -> list[Any]:
    """The functional networks that a network is, runs or has within; none of a class of one's own.

    Those with masks are left out: no mask goes from block to block.
    """
    bodies = [network, *getattr(network, "also_run", list)()]
    layers = {id(layer): layer for body in bodies for layer in all_layers(body)}.values()
    found = [getattr(layer, "_functional", None) or layer for layer in layers]
    graphs = {id(one): one for one in found if hasattr(one, "_nodes_by_depth")}
    return [graph for graph in graphs.values() if not any(map(_masks, all_layers(graph)))]


def _masks(layer: Any) -> bool:
    return isinstance(layer, keras.layers.Masking) or bool(getattr(layer, "mask_zero", False))


def blocks_of(graph: Any) -> list[Block]:
    """A functional network's blocks, in order.

    They are cut where the sum is smallest of what is kept between all blocks, twice as a step
    keeps two passes, and what is computed within the largest.

    Args:
        graph: one of `graphs_of`.
    """
    nodes = [
        node
        for depth in sorted(graph._nodes_by_depth, reverse=True)
        for node in graph._nodes_by_depth[depth]
        if node.operation and not node.is_input
    ]
    last_use = {id(x): place for place, node in enumerate(nodes) for x in node.input_tensors} | {
        id(x): len(nodes) for x in graph.outputs
    }
    cuts = _best_cuts(nodes, last_use)
    blocks = []
    for start, end in zip([0, *cuts], [*cuts, len(nodes)], strict=True):
        made = {id(x): x for node in nodes[start:end] for x in node.outputs}
        taken = {id(x): x for node in nodes[start:end] for x in node.input_tensors}
        blocks.append(
            Block(
                nodes[start:end],
                [x for key, x in taken.items() if key not in made],
                [x for key, x in made.items() if last_use.get(key, -1) >= end],
            )
        )
    return blocks


def _best_cuts(nodes: Sequence[Any], last_use: dict[int, int]) -> list[int]:
    """The places before which to cut."""
    n = len(nodes)
    sizes = [sum(bytes_of(x) for x in node.outputs) for node in nodes]
    made = [0]
    for size in sizes:
        made.append(made[-1] + size)
    # What is kept by a cut before each place.
    crossing = [
        sum(
            bytes_of(x)
            for node in nodes[:place]
            for x in node.outputs
            if last_use.get(id(x), -1) >= place
        )
        for place in range(n + 1)
    ]
    best: tuple[float, list[int]] = (math.inf, [])
    smallest = max(sizes, default=0)
    ratio = (made[-1] / smallest) ** (1 / LIMITS) if smallest else 1.0
    for limit in (smallest * ratio**step for step in range(LIMITS + 1)):
        # costs[end]: the least that is kept by cuts of the nodes before it, and the last cut.
        costs: list[tuple[float, int]] = [(0.0, 0)]
        for end in range(1, n + 1):
            starts = [s for s in range(end) if made[end] - made[s] <= limit * 1.0001]
            costs.append(min((costs[s][0] + crossing[s] * (s > 0), s) for s in starts))
        cuts, place = [], costs[n][1]
        while place:
            cuts.append(place)
            place = costs[place][1]
        cuts.reverse()
        within = max(made[b] - made[a] for a, b in zip([0, *cuts], [*cuts, n], strict=True))
        best = min(best, (PASSES * costs[n][0] + within, cuts))
    return best[1]


def bytes_of(tensor: keras.KerasTensor) -> int:
    """Bytes per image of a tensor in a network; a side that is not known counts as 1."""
    return math.prod(side or 1 for side in tensor.shape[1:]) * tf.as_dtype(tensor.dtype).size
