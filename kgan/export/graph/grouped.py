"""Convolutions of groups of channels, which tf2onnx writes one by one, as one node."""

import numpy as np

from kgan.export.graph.editing import (
    add_constant,
    bypass,
    constant,
    insert,
    is_plain,
    made_by,
    only_user,
    remove_unused,
    shape_of,
    transpose,
)


def group_convolutions(model):
    """Writes Split, a Conv for each part, Concat as one Conv of as many groups.

    Args:
        model: `onnx_ir.Model` with shapes, changed in place.
    """
    graph = model.graph
    for concat in list(graph):
        if concat.op_type != "Concat" or concat.attributes.get_int("axis", 0) not in (1, -3):
            continue
        convolutions = [made_by(value, "Conv") for value in concat.inputs]
        found = _split_before(convolutions)
        if found is None:
            continue
        value, perm = found
        if perm is not None:
            value = transpose(graph, concat, value, perm)
        first = convolutions[0]
        kernels = np.concatenate([constant(node.inputs[1]) for node in convolutions])
        inputs = [value, add_constant(graph, kernels, first.inputs[1].name)]
        if len(first.inputs) > 2:
            biases = np.concatenate([constant(node.inputs[2]) for node in convolutions])
            inputs.append(add_constant(graph, biases, first.inputs[2].name))
        given = dict(first.attributes) | {"group": len(convolutions)}
        bypass(
            graph, concat, insert(graph, concat, "Conv", inputs, given, shape_of(concat.outputs[0]))
        )
    remove_unused(model)


def _split_before(convolutions):
    """(what was split, the permutation to NCHW or None) where all are alike, else None."""
    if len(convolutions) < 2 or None in convolutions:
        return None
    split = parts = None
    perms, settings = set(), set()
    for index, node in enumerate(convolutions):
        arrays = [constant(value) for value in node.inputs[1:]]
        if only_user(node.outputs[0]) is None or not is_plain(node):
            return None
        if any(array is None for array in arrays):
            return None
        settings.add(
            (
                *(array.shape for array in arrays),
                *(tuple(node.attributes.get_ints(name, ())) for name in ("pads", "strides")),
            )
        )
        part = node.inputs[0]
        turned = made_by(part, "Transpose")
        perms.add(None if turned is None else tuple(turned.attributes["perm"].as_ints()))
        if turned is not None:
            if only_user(part) is None:
                return None
            part = turned.inputs[0]
        if split is None:
            split = made_by(part, "Split")
            parts = [] if split is None else list(split.outputs)
        if index >= len(parts) or part is not parts[index] or only_user(part) is None:
            return None
    if len(parts) != len(convolutions) or len(perms) != 1 or len(settings) != 1:
        return None
    (perm,) = perms
    rank = len(shape_of(split.inputs[0]) or ())
    channels = split.attributes.get_int("axis", 0) % max(rank, 1)
    if rank != 4 or channels != (1 if perm is None else perm[1]):
        return None
    return split.inputs[0], perm
