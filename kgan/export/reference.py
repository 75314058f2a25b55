"""A delivered ONNX model, run once as ONNX itself defines its operators."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnx
from onnx import version_converter

from kgan import images
from kgan.errors import ParityError
from kgan.export.export_options import Precision
from kgan.export.precision import PSNR_FLOORS, psnr
from kgan.export.signatures import Part, Runner
from kgan.export.verify import FIRST_SEED, FLOAT_TOLERANCE, LEVEL_TOLERANCE
from kgan.files import first_line
from kgan.untrusted.declared_shapes import ShapeError
from kgan.untrusted.declared_shapes import infer as shapes_at
from kgan.untrusted.operators import work

# The evaluator is NumPy, and loops in Python in some operators: at these limits it takes one to
# two seconds on two cores, of the ten or more that the export of such a network takes.
MOST_WORK = 1_500_000_000  # multiply-adds
MOST_STEPS = 100_000  # of loops in Python
MOST_VALUES = 2**31
DEQUANTIZES = 19  # first opset of its DequantizeLinear


def check(part: Part, model: onnx.ModelProto, run: Runner, precision: Precision) -> dict[str, Any]:
    """Runs a model on one input with onnx's ReferenceEvaluator, where that is cheap enough.

    onnxruntime accepts more than the standard says, and is the only judge elsewhere: what another
    runtime makes of the file shows here.

    Models above 1.5e9 multiply-adds an image, or 1e5 steps of the evaluator's loops (one per
    output channel, element of the kernel and pixel before a transposed convolution; one per number
    that a pooling gives), are not run. Nor are those with an operator that it lacks, or has wrong:
    as of onnx 1.23 a transposed convolution in groups.

    Args:
        part: the `Part` that was exported.
        model: ModelProto as it is delivered.
        run: runs it with onnxruntime.
        precision: its precision. float32 is compared with Keras; float16 and int8, whose distance
            from Keras has limits of its own, with onnxruntime.

    Returns:
        Dict with "max_abs_difference" (of floats, or levels of 255), for int8 with "psnr_db" in
        its place; or with "not_run", the reason.

    Raises:
        ParityError: the evaluator refuses the model, or gives something else: more than 1e-4
            away (floats; relative to the largest value where that is above 1), more than 1 level
            (uint8), or a PSNR below that which int8 must have.
    """
    from onnx.reference import ReferenceEvaluator  # takes a third of a second

    reason = _too_much(model)
    if reason:
        return {"not_run": reason}
    arrays = part.draw([FIRST_SEED])
    expected = part.expected(arrays) if precision == "float32" else run(arrays)
    try:
        evaluator = ReferenceEvaluator(_newer(model))
    except (NotImplementedError, RuntimeError) as error:  # it looks for each operator's function
        return {"not_run": f"not in the evaluator: {first_line(error)}"}
    try:
        with np.errstate(all="ignore"):
            outputs: Any = evaluator.run([part.output], dict(arrays))
    except Exception as error:  # each operator raises what NumPy raises
        raise ParityError(
            "onnx's ReferenceEvaluator refuses this model; a SavedModel can hold the network "
            f"(--saved-model). Received: {part.network.name}, {first_line(error)}"
        ) from error
    received = outputs[0]
    levels = received.dtype == np.uint8
    if levels and expected.dtype != np.uint8:
        expected = images.to_uint8(expected, part.value_range)
    if received.shape != expected.shape:
        raise ParityError(
            f"onnx's ReferenceEvaluator gives {received.shape}; {expected.shape} is right."
        )
    received, expected = received.astype(np.float64), expected.astype(np.float64)
    if precision == "int8":
        return {"psnr_db": _at_least(PSNR_FLOORS["int8"], psnr(expected, received))}
    scale = max(1.0, float(np.abs(expected).max()))
    limit = LEVEL_TOLERANCE if levels else FLOAT_TOLERANCE * scale
    difference = float(np.abs(received - expected).max())
    # `not <=` so that a NaN fails too.
    if not difference <= limit:
        raise ParityError(
            f"onnx's ReferenceEvaluator gives something else, by {difference:.3g}; at most "
            f"{limit:.3g} is allowed."
        )
    return {"max_abs_difference": difference}


def _newer(model: onnx.ModelProto) -> onnx.ModelProto:
    """An int8 model in an opset whose DequantizeLinear the evaluator has: it lacks the older."""
    (opset,) = model.opset_import
    old = opset.version < DEQUANTIZES
    if not old or all(node.op_type != "DequantizeLinear" for node in model.graph.node):
        return model
    return version_converter.convert_version(model, DEQUANTIZES)


def _at_least(floor: float, decibels: float) -> float:
    if not decibels >= floor:
        raise ParityError(
            f"onnx's ReferenceEvaluator gives something else, with a PSNR of {decibels:.1f} dB; "
            f"at least {floor:.0f} dB is required."
        )
    return round(decibels, 2)


def _too_much(model: onnx.ModelProto) -> str:
    """Why the evaluator is not to run a model; empty where it is."""
    try:
        shapes, _ = shapes_at(model, 1, MOST_VALUES)
    except ShapeError as error:
        return str(error)
    arithmetic = steps = 0
    for node in model.graph.node:
        inputs = [shapes[name] for name in node.input if name]
        outputs = [shapes[name] for name in node.output if name]
        arithmetic += work(node, inputs, outputs)[0]
        if node.op_type == "ConvTranspose":
            if any(each.name == "group" and each.i > 1 for each in node.attribute):
                return "the evaluator has transposed convolutions in groups wrong"
            steps += math.prod(inputs[1][1:]) * math.prod(inputs[0][2:])
        elif node.op_type in ("AveragePool", "MaxPool"):
            steps += math.prod(outputs[0])
    if arithmetic > MOST_WORK or steps > MOST_STEPS:
        return f"too large for the evaluator: {arithmetic} multiply-adds, {steps} steps of its own"
    return ""
