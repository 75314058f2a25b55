"""The generator as an ONNX model: standard operators, dynamic batch, its manifest inside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tf2onnx
from onnx import TensorProto, helper, numpy_helper, version_converter

from kgan import manifest as manifests
from kgan import untrusted
from kgan.errors import InputError
from kgan.export.frozen import frozen
from kgan.export.graph.settled import settled
from kgan.export.serving import float_function, signature_of
from kgan.export.signatures import Part
from kgan.files import first_line

ONE = "one"  # the number
KNOWN = {"Erfc": "Erf", "Expm1": "Exp"}
NEWEST = 18  # opset that tf2onnx writes


def convert(part: Part, opset: int) -> onnx.ModelProto:
    """Converts a `Part`.

    Returns:
        ModelProto with the part's names; images that it gives are float32 in its range.

    Raises:
        InputError: tf2onnx cannot convert the network to standard operators.
    """
    try:
        model, _ = tf2onnx.convert.from_function(
            frozen(part, float_function(part)),
            input_signature=signature_of(part),
            opset=min(opset, NEWEST),
        )
    except Exception as error:  # tf2onnx has no class of its own for what it cannot convert
        raise _cannot_hold(part, first_line(error)) from error
    _write_unknown(model)
    captured = {value.name for value in model.graph.input} - set(part.inputs)
    unknown = {node.op_type for node in model.graph.node if not onnx.defs.has(node.op_type)}
    if captured or unknown:
        operations = f"operations ONNX does not know: {', '.join(sorted(unknown))}"
        raise _cannot_hold(part, "constants from outside it" if captured else operations)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    # tf2onnx declares ai.onnx.ml too; a model of standard operators must not ask for it.
    used = {node.domain for node in model.graph.node}
    for imported in [i for i in model.opset_import if i.domain not in used]:
        model.opset_import.remove(imported)
    return _of_opset(opset, _settled(part, model))


def _settled(part: Part, model: onnx.ModelProto) -> onnx.ModelProto:
    try:
        return settled(model)
    except Exception as error:  # onnxruntime, which runs it, has classes of its own
        raise _cannot_hold(part, f"a graph that cannot be run: {first_line(error)}") from error


def _of_opset(opset: int, model: onnx.ModelProto) -> onnx.ModelProto:
    if opset <= NEWEST:
        return model
    del model.graph.value_info[:]  # the converter infers shapes again, and may find more
    try:
        newer = version_converter.convert_version(model, opset)
    except Exception as error:  # of a class that onnx does not show
        raise InputError(
            f"onnx cannot bring this network from opset {NEWEST} to a newer one; leave --opset "
            f"out. Received: {opset}, {first_line(error)}"
        ) from error
    newer.ir_version = helper.find_min_ir_version_for(newer.opset_import)
    return newer


def _cannot_hold(part: Part, what: str) -> InputError:
    return InputError(
        "tf2onnx cannot write this network as ONNX; a SavedModel can hold it (--saved-model). "
        f"Received: {part.network.name}, with {what}"
    )


def _write_unknown(model: onnx.ModelProto) -> None:
    """Writes what TensorFlow has and ONNX has not: Erfc, which GELU uses, and Expm1, as CELU does.

    Erfc is 1 - Erf, Expm1 is Exp - 1.
    """
    nodes = []
    for node in model.graph.node:
        if node.op_type in KNOWN:
            known = KNOWN[node.op_type]
            (result,) = node.output
            part = f"{result}/{known.lower()}"
            nodes.append(helper.make_node(known, list(node.input), [part]))
            terms = [ONE, part] if known == "Erf" else [part, ONE]
            node = helper.make_node("Sub", terms, [result])
        nodes.append(node)
    if len(nodes) > len(model.graph.node):
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        model.graph.initializer.append(numpy_helper.from_array(np.array(1, np.float32), ONE))


def with_uint8_output(model: onnx.ModelProto, value_range: tuple[float, float]) -> onnx.ModelProto:
    """A copy whose `images` are uint8: the float images scaled from `value_range` and rounded.

    Args:
        model: ModelProto that `convert` made.
        value_range: (low, high), the values of black and white.

    Returns:
        ModelProto with the same inputs.
    """
    low, high = value_range
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    for node in graph.node:
        node.output[:] = ["float_images" if name == "images" else name for name in node.output]
        node.input[:] = ["float_images" if name == "images" else name for name in node.input]
    constants = {
        "range_low": np.float32(low),
        "levels_per_unit": np.float32(255.0 / (high - low)),
        "level_min": np.float32(0.0),
        "level_max": np.float32(255.0),
    }
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    )
    graph.node.extend(
        [
            helper.make_node("Sub", ["float_images", "range_low"], ["above_low"]),
            helper.make_node("Mul", ["above_low", "levels_per_unit"], ["levels"]),
            helper.make_node("Round", ["levels"], ["whole_levels"]),
            helper.make_node("Clip", ["whole_levels", "level_min", "level_max"], ["clipped"]),
            helper.make_node("Cast", ["clipped"], ["images"], to=TensorProto.UINT8),
        ]
    )
    graph.output[0].type.tensor_type.elem_type = TensorProto.UINT8
    return copy


def with_classifier(
    model: onnx.ModelProto, weights: np.ndarray, biases: np.ndarray
) -> onnx.ModelProto:
    """A copy that gives, beside its `features`, the `scores` of classes and the best `classes`.

    Args:
        model: ModelProto whose output is `features`, float32 (batch, F).
        weights, biases: float arrays (F, K) and (K,); scores are features @ weights + biases.

    Returns:
        ModelProto with three outputs; `classes` int64 (batch,) is the place of the largest score,
        the first of equal ones.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    constants = {"classifier_weights": weights, "classifier_biases": biases}
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(value, np.float32), name)
        for name, value in constants.items()
    )
    graph.node.extend(
        [
            helper.make_node("Gemm", ["features", *constants], ["scores"]),
            helper.make_node("ArgMax", ["scores"], ["classes"], axis=1, keepdims=0),
        ]
    )
    graph.output.extend(
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", len(biases)]),
            helper.make_tensor_value_info("classes", TensorProto.INT64, ["batch"]),
        ]
    )
    return copy


def write(model: onnx.ModelProto, manifest: Mapping[str, Any], path: Path) -> None:
    """Checks a model as kgan.runtime will, and writes it with its manifest in the metadata.

    Raises:
        onnx.checker.ValidationError: the model breaks ONNX's rules.
        InputError: it holds something that `kgan.runtime` refuses, such as a loop.
    """
    helper.set_model_props(model, {manifests.METADATA_KEY: json.dumps(manifest)})
    model.producer_name = "kgan"
    model.producer_version = manifest["versions"]["kgan"]
    onnx.checker.check_model(model, full_check=True)
    try:
        untrusted.Model(model, path.name)
    except InputError as error:
        raise InputError(
            f"kgan.runtime would refuse this network as ONNX; a SavedModel can hold it: {error}"
        ) from error
    path.write_bytes(model.SerializeToString())
