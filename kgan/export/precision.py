"""Smaller forms of an exported model: float16 weights, or int8 weights and arithmetic."""

import contextlib
import logging
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization

from kgan.errors import InputError
from kgan.export.graph import optimize
from kgan.export.graph.constants import share_constants

FORMS = ("float32", "float16", "int8")
# Below it a form is refused: at 50 dB no picture of 8 bits shows a difference, at 30 dB
# compression begins to be seen.
PSNR_FLOORS = {"float16": 50.0, "int8": 30.0}
LARGE = 0.1  # share of the weights from which a last layer is int8 too
MOST_CHANNELS = 4  # of pictures
SMALLEST = 64  # constants of fewer numbers stay as they are
CALIBRATION = 512  # latents
COMPARED = 256
FIRST_SEED = 2_000_003  # for calibration; those compared come before it
WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
TIMED = {1: 20, 64: 5}  # batch -> runs


def check_form(form):
    """Returns `form`.

    Raises:
        InputError: it is none of float32, float16 and int8.
    """
    if form not in FORMS:
        raise InputError(f"precision must be one of {', '.join(FORMS)}. Received: {form!r}")
    return form


def reduced(plain, model, part, form):
    """A smaller form of a model, compared with it.

    Args:
        plain: ModelProto of a part as tf2onnx made it.
        model: what is delivered of it in float32, its images floats.
        part: the `Part` it was made from.
        form: "float16" or "int8".

    Returns:
        (ModelProto, dict of "psnr_db", "bytes", "float32_bytes" and the
        ratios of speed "speed_batch_1" and "speed_batch_64" to float32).

    Raises:
        InputError: the form is too far from float32 (`PSNR_FLOORS`) or no
            smaller, or int8 has nothing to work on.
    """
    made = with_float16_weights(model) if form == "float16" else quantized(plain, part)
    if made.ByteSize() >= model.ByteSize():
        raise InputError(
            f"In {form} this network is no smaller: {made.ByteSize()} bytes, {model.ByteSize()} in "
            f"float32. Received: {part.network.name}"
        )
    sessions = [session(model), session(made)]
    arrays = part.draw(range(FIRST_SEED - COMPARED, FIRST_SEED))
    expected, received = (_run_in_parts(run, arrays) for run in sessions)
    decibels = psnr(expected, received)
    # `not >=` so that a NaN fails too.
    if not decibels >= PSNR_FLOORS[form]:
        raise InputError(
            f"In {form} this network's output has a PSNR of {decibels:.1f} dB against float32, "
            f"at least {PSNR_FLOORS[form]:.0f} dB is asked for. Received: {part.network.name}"
        )
    figures = {
        "psnr_db": round(decibels, 2),
        "bytes": made.ByteSize(),
        "float32_bytes": model.ByteSize(),
    }
    for batch in TIMED:
        figures[f"speed_batch_{batch}"] = round(_speed(*sessions, part, batch), 2)
    return made, figures


def session(model):
    """An onnxruntime session that leaves the cores alone when it is done."""
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def psnr(expected, received):
    """Peak signal-to-noise ratio in dB; the peak is the range of what is expected."""
    expected, received = (array.astype(np.float64) for array in (expected, received))
    error = np.mean((expected - received) ** 2)
    peak = expected.max() - expected.min()
    return float(10 * np.log10(peak**2 / max(error, 1e-20)))


def _run_in_parts(run, arrays, size=16):
    count = len(next(iter(arrays.values())))
    return np.concatenate(
        [
            run.run(None, {name: array[start : start + size] for name, array in arrays.items()})[0]
            for start in range(0, count, size)
        ]
    )


def _speed(before, after, part, batch):
    """How many times as fast the second session is, the median of runs in turn."""
    arrays = part.draw(range(batch))
    seconds = []
    for _ in range(TIMED[batch] + 1):
        seconds.append([])
        for run in (before, after):
            begun = time.perf_counter()
            run.run(None, arrays)
            seconds[-1].append(time.perf_counter() - begun)
    slow, fast = np.array(seconds[1:]).T  # the first runs allocate
    return float(np.median(slow / fast))


def with_float16_weights(model):
    """A copy that stores its constants in float16 and computes with them in float32.

    onnxruntime casts them once, when it loads the file: half the size, the
    speed of float32, and right on every device.

    Args:
        model: float32 ModelProto.

    Returns:
        ModelProto.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    casts = []
    for tensor in copy.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < SMALLEST:
            continue
        with np.errstate(over="ignore"):
            halves = numpy_helper.to_array(tensor).astype(np.float16)
        if np.isfinite(halves).all():
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(halves, f"{name}/float16"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *copy.graph.node]
    del copy.graph.node[:]
    copy.graph.node.extend(nodes)
    return copy


def quantized(plain, part):
    """A copy whose layers compute in int8: static QDQ, each output channel with its own scale.

    onnxruntime has no int8 transposed convolution: each becomes its phases, but those of so few
    channels that only a last layer has them.

    The ranges of what flows between the layers are those that `CALIBRATION`
    inputs show. The layers that make the output stay in float32 where they are
    small: their error would be seen as it is.

    Args:
        plain: float32 ModelProto as tf2onnx made it.
        part: the `Part` it was made from, which draws the inputs.

    Returns:
        ModelProto.

    Raises:
        InputError: it holds no layer that can compute in int8.
    """
    model = optimize(plain, lambda kernel_shape, axes: kernel_shape[0] > MOST_CHANNELS)
    layers = _layers_for_int8(model)
    if not layers:
        raise InputError(
            "int8 is for convolutions and Dense layers; this network has none but the last. "
            f"Received: {part.network.name}"
        )
    with tempfile.TemporaryDirectory() as place, _quiet():
        given, path = Path(place) / "float32.onnx", Path(place) / "int8.onnx"
        onnx.save(model, given)  # a ModelProto given would be emptied
        quantization.quantize_static(
            given,
            path,
            _Inputs(part),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Gemm", "MatMul"],
            nodes_to_quantize=[node.name for node in layers],
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.MinMax,
            extra_options={"TensorQuantOverrides": _one_scale(layers)},
        )
        made = ir.load(path)
        # The quantizer gives every layer its own zero points, all of them zeros.
        share_constants(made)
        return ir.to_proto(made)


def _layers_for_int8(model):
    """The layers with constant weights but the last ones, and but those that attention compares.

    A softmax of what int8 layers make of keys and queries is far from the true one, and
    onnxruntime's convolutions of groups are slower in int8.
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    makers = {name: node for node in model.graph.node for name in node.output}
    users = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    weights = {tensor.name: int(np.prod(tensor.dims)) for tensor in model.graph.initializer}
    last, seen = [], [makers[model.graph.output[0].name]]
    while seen:
        node = seen.pop()
        if node.op_type in WEIGHTED and node.input[1] in constants:
            last.append(node.name)
        else:
            seen.extend(makers[name] for name in node.input if name in makers)
    if sum(weights[n.input[1]] for n in model.graph.node if n.name in last) > LARGE * sum(
        weights.values()
    ):
        last = []

    def attends(node):
        return any(
            (user.op_type == "MatMul" and user.input[1] not in constants)
            or (user.op_type in ("Reshape", "Transpose") and attends(user))
            for user in users.get(node.output[0], [])
        )

    return [
        node
        for node in model.graph.node
        if node.op_type in WEIGHTED
        and node.op_type != "ConvTranspose"
        and node.input[1] in constants
        and node.name not in last
        and not attends(node)
        and next((a.i for a in node.attribute if a.name == "group"), 1) == 1
    ]


def _one_scale(layers):
    """Dense layers get one scale for all outputs, of which there are as many as pixels."""
    settings = {"quant_type": quantization.QuantType.QInt8, "symmetric": True}
    return {node.input[1]: [settings] for node in layers if node.op_type in ("Gemm", "MatMul")}


class _Inputs(quantization.CalibrationDataReader):
    def __init__(self, part):
        self.batches = (
            part.draw(range(first, first + 16))
            for first in range(FIRST_SEED, FIRST_SEED + CALIBRATION, 16)
        )

    def get_next(self):
        return next(self.batches, None)


@contextlib.contextmanager
def _quiet():
    """The quantizer advises pre-processing on the root logger; the graph has been through more."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
