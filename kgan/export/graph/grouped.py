"""Grouped convolutions, which tf2onnx writes as one node per group, as one node."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from kgan.export.graph.editing import (
    add_constant,
    bypass,
    constant,
    input_of,
    insert,
    is_plain,
    known_constant,
    made_by,
    only_user,
    remove_unused,
    shape_of,
    transpose,
)


def group_convolutions(model: ir.Model) -> None:
    """Writes Split, a Conv for each part and Concat as one Conv with as many groups.

    Args:
        model: `onnx_ir.Model` with shapes, changed in place.
    """
    graph = model.graph
    for concat in list(graph):
        if concat.op_type != "Concat" or concat.attributes.get_int("axis", 0) not in (1, -3):
            continue
        convolutions = [
            node for node in (made_by(value, "Conv") for value in concat.inputs) if node is not None
        ]
        if len(convolutions) < max(2, len(concat.inputs)):
            continue
        source = _split_before(convolutions)
        if source is None:
            continue
        value, perm = source
        if perm is not None:
            value = transpose(graph, concat, value, perm)
        first = convolutions[0]
        inputs = [value]
        for index in range(1, len(first.inputs)):
            arrays = [known_constant(node.inputs[index]) for node in convolutions]
            inputs.append(add_constant(graph, np.concatenate(arrays), input_of(first, index).name))
        attributes = dict(first.attributes) | {"group": len(convolutions)}
        shape = shape_of(concat.outputs[0])
        bypass(graph, concat, insert(graph, concat, "Conv", inputs, attributes, shape))
    remove_unused(model)


def _split_before(
    convolutions: Sequence[ir.Node],
) -> tuple[ir.Value, tuple[int, ...] | None] | None:
    """(the value that was split, its permutation to NCHW or None) if all are alike; else None."""
    parts: list[ir.Value] = []
    perms, settings = set(), set()
    for node in convolutions:
        arrays = [array for array in map(constant, node.inputs[1:]) if array is not None]
        if only_user(node.outputs[0]) is None or not is_plain(node):
            return None
        if len(arrays) < len(node.inputs) - 1:
            return None
        settings.add(
            (
                *(array.shape for array in arrays),
                *(tuple(node.attributes.get_ints(name, ())) for name in ("pads", "strides")),
            )
        )
        part = input_of(node, 0)
        turned = made_by(part, "Transpose")
        perms.add(None if turned is None else tuple(turned.attributes["perm"].as_ints()))
        if turned is not None:
            if only_user(part) is None:
                return None
            part = input_of(turned, 0)
        if only_user(part) is None:
            return None
        parts.append(part)
    split = made_by(parts[0], "Split")
    if split is None or len(perms) != 1 or len(settings) != 1:
        return None
    if len(parts) != len(split.outputs):
        return None
    if any(part is not output for part, output in zip(parts, split.outputs, strict=True)):
        return None
    (perm,) = perms
    rank = len(shape_of(split.inputs[0]) or ())
    channels = split.attributes.get_int("axis", 0) % max(rank, 1)
    if rank != 4 or channels != (1 if perm is None else perm[1]):
        return None
    return input_of(split, 0), perm
