"""Damaged exports: one seed, one way in which a good .onnx file is spoiled."""

import json
import random

import onnx
from onnx import TensorProto, helper

NUMBERS = (0, 1, 2, 3, 7, 255, 4096, 2**20, 2**31 - 1, 2**31, 2**40, 2**62, 2**63 - 1)
JUNK = (None, True, -1, 0, 1.5, 10**30, float("nan"), "", "x" * 2000, "\x1b[31m", [], {}, [[]])
OPERATORS = sorted({schema.name for schema in onnx.defs.get_all_schemas()})


def mutated(whole, seed):
    """The bytes of a spoiled copy.

    Args:
        whole: the bytes of a good .onnx file.
        seed: what is done to it.

    Returns:
        (name of what was done, bytes).
    """
    rng = random.Random(seed)
    change = rng.choice(CHANGES)
    if change in ON_BYTES:
        return change.__name__, bytes(change(bytearray(whole), rng))
    model = onnx.ModelProto.FromString(whole)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        try:
            change(model, rng)
        except (ValueError, IndexError):  # a number the field has no place for; nothing left
            continue
    return change.__name__, model.SerializeToString()


def number(rng):
    return rng.choice(NUMBERS) * rng.choice((1, 1, 1, -1))


def flip_bits(data, rng):
    for _ in range(rng.choice((1, 3, 20))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def flip_bits_of_the_graph(data, rng):
    """As above, at the end of the file, where the nodes and not the weights are."""
    for _ in range(rng.choice((1, 3))):
        data[-rng.randrange(1, min(len(data), 6000))] ^= 1 << rng.randrange(8)
    return data


def truncate(data, rng):
    return data[: rng.randrange(len(data))]


def cut_out(data, rng):
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice((1, 10, 1000)) :]


def insert(data, rng):
    start = rng.randrange(len(data))
    return data[:start] + rng.randbytes(rng.choice((1, 10, 1000))) + data[start:]


def tensor_shape(model, rng):
    tensor = rng.choice(model.graph.initializer)
    if rng.random() < 0.3:
        tensor.dims.append(number(rng))
    elif tensor.dims:
        tensor.dims[rng.randrange(len(tensor.dims))] = number(rng)


def tensor_shape_reversed(model, rng):
    tensor = rng.choice(model.graph.initializer)
    tensor.dims[:] = list(reversed(tensor.dims))


def tensor_type(model, rng):
    rng.choice(model.graph.initializer).data_type = rng.randrange(0, 25)


def tensor_data(model, rng):
    tensor = rng.choice(model.graph.initializer)
    if tensor.raw_data:
        tensor.raw_data = rng.choice((tensor.raw_data[:-1], tensor.raw_data * 2, b""))
    else:
        tensor.float_data.extend([1.0, 2.0])


def small_numbers(model, rng):
    """Shapes, slices, paddings: constants that others' shapes hang on."""
    whole = [t for t in model.graph.initializer if t.data_type == TensorProto.INT64]
    tensor = rng.choice(whole)
    values = list(onnx.numpy_helper.to_array(tensor).ravel())
    values[rng.randrange(len(values))] = number(rng)
    tensor.CopyFrom(helper.make_tensor(tensor.name, TensorProto.INT64, tensor.dims, values))


def drop_tensor(model, rng):
    del model.graph.initializer[rng.randrange(len(model.graph.initializer))]


def rename_tensor(model, rng):
    rng.choice(model.graph.initializer).name = rng.choice(model.graph.initializer).name


def data_elsewhere(model, rng):
    tensor = rng.choice(model.graph.initializer)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = (
        "location",
        rng.choice(("weights.bin", "../weights.bin", "/etc/passwd")),
    )


def rename_operator(model, rng):
    rng.choice(model.graph.node).op_type = rng.choice(OPERATORS)


def foreign_domain(model, rng):
    node = rng.choice(model.graph.node)
    node.domain = rng.choice(("com.microsoft", "ai.onnx.ml", "me"))
    if rng.random() < 0.5:
        model.opset_import.append(helper.make_opsetid(node.domain, 1))


def drop_node(model, rng):
    del model.graph.node[rng.randrange(len(model.graph.node))]


def repeat_node(model, rng):
    model.graph.node.append(rng.choice(model.graph.node))


def shuffle_nodes(model, rng):
    nodes = list(model.graph.node)
    rng.shuffle(nodes)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def other_input(model, rng):
    """Another tensor, of another shape, or one that is made later: a circle."""
    node = rng.choice(model.graph.node)
    names = [name for other in model.graph.node for name in (*other.output, *other.input)]
    node.input[rng.randrange(len(node.input))] = rng.choice([*names, "", "missing"])


def drop_input(model, rng):
    node = rng.choice(model.graph.node)
    del node.input[rng.randrange(len(node.input))]


def more_inputs(model, rng):
    node = rng.choice(model.graph.node)
    node.input.extend(rng.choice(model.graph.node).input)


def setting(model, rng):
    nodes = [node for node in model.graph.node if node.attribute]
    attribute = rng.choice(rng.choice(nodes).attribute)
    if attribute.ints:
        attribute.ints[rng.randrange(len(attribute.ints))] = number(rng)
        if rng.random() < 0.2:
            attribute.ints.append(number(rng))
    elif attribute.s:
        attribute.s = rng.choice((b"", b"SAME_UPPER", b"cubic", b"\xff\xfe"))
    else:
        attribute.i = number(rng)


def drop_setting(model, rng):
    nodes = [node for node in model.graph.node if node.attribute]
    del rng.choice(nodes).attribute[0]


def new_setting(model, rng):
    name = rng.choice(("axis", "group", "strides", "auto_pad", "axes", "to", "perm", "pads"))
    value = rng.choice((number(rng), [number(rng)], [1, 1], "VALID", 0.5))
    rng.choice(model.graph.node).attribute.append(helper.make_attribute(name, value))


def rename_input(model, rng):
    rng.choice((*model.graph.input, *model.graph.output)).name = rng.choice(("x", "labels", ""))


def input_type(model, rng):
    value = rng.choice((*model.graph.input, *model.graph.output))
    value.type.tensor_type.elem_type = rng.randrange(0, 25)


def input_shape(model, rng):
    value = rng.choice((*model.graph.input, *model.graph.output))
    sizes = value.type.tensor_type.shape.dim
    rng.choice(sizes).dim_value = number(rng)
    if rng.random() < 0.2:
        del sizes[0]


def more_values(model, rng):
    values = rng.choice((model.graph.input, model.graph.output))
    values.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [number(rng)]))


def wrong_shape_in_between(model, rng):
    name = rng.choice(model.graph.node).output[0]
    shape = [abs(number(rng)) for _ in range(rng.randrange(5))]
    model.graph.value_info.append(helper.make_tensor_value_info(name, rng.randrange(1, 12), shape))


def blow_up(model, rng):
    """A node in the way of another that makes much of little."""
    node = rng.choice(model.graph.node)
    position = list(model.graph.node).index(node)
    at = rng.randrange(len(node.input))
    sizes = [abs(number(rng)) for _ in range(rng.randrange(1, 5))]
    name = f"sizes_{len(model.graph.node)}"
    model.graph.initializer.append(helper.make_tensor(name, TensorProto.INT64, [len(sizes)], sizes))
    kind = rng.choice(("Expand", "Tile", "Reshape", "ConstantOfShape", "Pad", "Resize"))
    inputs = {"ConstantOfShape": [name], "Resize": [node.input[at], "", "", name]}
    blown = f"blown_{name}"
    added = helper.make_node(kind, inputs.get(kind, [node.input[at], name]), [blown])
    node.input[at] = blown
    model.graph.node.insert(position, added)


def subgraph(model, rng):
    body = helper.make_graph([], "body", [], [])
    kind = rng.choice(("Loop", "If", "Scan"))
    node = helper.make_node(kind, [model.graph.input[0].name], ["never"])
    for name in ("body", "then_branch", "else_branch"):
        node.attribute.append(helper.make_attribute(name, body))
    model.graph.node.append(node)


def function(model, rng):
    node = rng.choice(model.graph.node)
    opset = [helper.make_opsetid("", 17)]
    body = [helper.make_node(node.op_type, ["a"], ["b"])]
    model.functions.append(helper.make_function("", node.op_type, ["a"], ["b"], body, opset))


def versions(model, rng):
    if rng.random() < 0.5:
        model.ir_version = number(rng)
    else:
        model.opset_import[0].version = number(rng)


def manifest_field(model, rng):
    entry = next(e for e in model.metadata_props if e.key == "kgan.manifest")
    manifest = json.loads(entry.value)
    place = manifest
    while True:
        key = rng.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
        if not place[key] or not isinstance(place[key], (dict, list)) or rng.random() < 0.3:
            break
        place = place[key]
    if rng.random() < 0.3:
        del place[key]
    else:
        place[key] = rng.choice((*JUNK, *NUMBERS))
    entry.value = json.dumps(manifest)


def manifest_text(model, rng):
    entry = next(e for e in model.metadata_props if e.key == "kgan.manifest")
    entry.value = rng.choice(("", "[" * 100_000, "null", "{}", entry.value[:-9], '{"format": 1}'))


ON_BYTES = (flip_bits, flip_bits_of_the_graph, truncate, cut_out, insert)
CHANGES = (
    *ON_BYTES,
    tensor_shape,
    tensor_shape_reversed,
    tensor_type,
    tensor_data,
    small_numbers,
    small_numbers,
    drop_tensor,
    rename_tensor,
    data_elsewhere,
    rename_operator,
    rename_operator,
    foreign_domain,
    drop_node,
    repeat_node,
    shuffle_nodes,
    other_input,
    other_input,
    drop_input,
    more_inputs,
    setting,
    setting,
    drop_setting,
    new_setting,
    rename_input,
    input_type,
    input_shape,
    more_values,
    wrong_shape_in_between,
    blow_up,
    blow_up,
    subgraph,
    function,
    versions,
    manifest_field,
    manifest_field,
    manifest_text,
)
