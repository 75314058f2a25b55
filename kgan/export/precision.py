"""Smaller forms of an exported model: float16 weights, or int8 weights and arithmetic."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import time
from collections.abc import Iterator, Mapping
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
from kgan.export.int8_layers import layers_for_int8, one_scale
from kgan.export.signatures import Part

# A form below it is refused: at 50 dB no 8-bit image shows a difference, at 30 dB
# compression begins to be visible.
PSNR_FLOORS = {"float16": 50.0, "int8": 30.0}
ATTENTION_COST = 3.0  # dB that int8 in an attention may cost
MOST_CHANNELS = 4  # of images
SMALLEST = 64  # smaller constants are not reduced
CALIBRATION = 512  # latents
COMPARED = 256
FIRST_SEED = 2_000_003  # for calibration; those compared come before it
TIMED = {1: 20, 64: 5}  # batch size -> runs


def reduced(
    plain: onnx.ModelProto, model: onnx.ModelProto, part: Part, form: str
) -> tuple[onnx.ModelProto, dict[str, float]]:
    """A smaller form of a model, compared with it.

    Args:
        plain: ModelProto of a part as tf2onnx made it.
        model: the float32 model that would be delivered, with float images.
        part: the `Part` it was made from.
        form: "float16" or "int8".

    Returns:
        (ModelProto, dict of "psnr_db", "bytes", "float32_bytes" and the
        speed ratios to float32, "speed_batch_1" and "speed_batch_64").

    Raises:
        InputError: the form is too far from float32 (`PSNR_FLOORS`) or no
            smaller, or the network has no layer that int8 applies to.
    """
    arrays = part.draw(range(FIRST_SEED - COMPARED, FIRST_SEED))
    before = session(model)
    expected = _run_in_batches(before, arrays)

    def distance(other: onnx.ModelProto) -> tuple[onnxruntime.InferenceSession, float]:
        after = session(other)
        return after, psnr(expected, _run_in_batches(after, arrays))

    smaller = with_float16_weights(model) if form == "float16" else quantized(plain, part)
    after, decibels = distance(smaller)
    if form == "int8" and any(node.op_type == "Softmax" for node in plain.graph.node):
        # Weights that are all but zeros, of an attention that looks everywhere, are zeros in int8.
        without = quantized(plain, part, attention=False)
        other, least = distance(without)
        if not decibels >= least - ATTENTION_COST:
            smaller, after, decibels = without, other, least
    if smaller.ByteSize() >= model.ByteSize():
        raise InputError(
            f"In {form} this network would be {smaller.ByteSize()} bytes, no smaller than its "
            f"{model.ByteSize()} in float32. Received: {part.network.name}"
        )
    # `not >=` so that a NaN fails too.
    if not decibels >= PSNR_FLOORS[form]:
        raise InputError(
            f"In {form} this network's output has a PSNR of {decibels:.1f} dB against float32; "
            f"at least {PSNR_FLOORS[form]:.0f} dB is required. Received: {part.network.name}"
        )
    figures = {
        "psnr_db": round(decibels, 2),
        "bytes": smaller.ByteSize(),
        "float32_bytes": model.ByteSize(),
    }
    for batch_size in TIMED:
        figures[f"speed_batch_{batch_size}"] = round(_speed(before, after, part, batch_size), 2)
    return smaller, figures


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """An onnxruntime session that tells errors alone and whose threads do not spin after a run."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def psnr(expected: np.ndarray, received: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB; the peak is the range of `expected`."""
    expected, received = (array.astype(np.float64) for array in (expected, received))
    error = np.mean((expected - received) ** 2)
    peak = expected.max() - expected.min()
    return float(10 * np.log10(peak**2 / max(error, 1e-20)))


def _run_in_batches(
    run: onnxruntime.InferenceSession, arrays: Mapping[str, np.ndarray], size: int = 16
) -> np.ndarray:
    count = len(next(iter(arrays.values())))
    return np.concatenate(
        [
            run.run(None, {name: array[start : start + size] for name, array in arrays.items()})[0]
            for start in range(0, count, size)
        ]
    )


def _speed(
    before: onnxruntime.InferenceSession,
    after: onnxruntime.InferenceSession,
    part: Part,
    batch_size: int,
) -> float:
    """How many times as fast as the first session the second is: the median over runs in turn."""
    arrays = part.draw(range(batch_size))
    seconds: list[list[float]] = []
    for _ in range(TIMED[batch_size] + 1):
        seconds.append([])
        for run in (before, after):
            begun = time.perf_counter()
            run.run(None, arrays)
            seconds[-1].append(time.perf_counter() - begun)
    slow, fast = np.array(seconds[1:]).T  # the first runs allocate
    return float(np.median(slow / fast))


def with_float16_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that stores its constants in float16 and computes with them in float32.

    onnxruntime casts them once, when it loads the file: half the size, the
    speed of float32, and correct on every device.

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


def quantized(plain: onnx.ModelProto, part: Part, attention: bool = True) -> onnx.ModelProto:
    """A copy whose layers compute in int8: static QDQ, each output channel with its own scale.

    onnxruntime has no int8 transposed convolution: each becomes its phases, except those with so
    few channels that only a last layer has them.

    The ranges of the activations are measured on `CALIBRATION` inputs. The layers that make the
    output stay in float32 where they are small: their error would go straight into the images.

    Args:
        plain: float32 ModelProto as tf2onnx made it.
        part: the `Part` it was made from, which draws the inputs.
        attention: also what an attention takes by its weights, its values and their sums; the
            weights themselves are found in float32.

    Returns:
        ModelProto.

    Raises:
        InputError: it has no layer that can compute in int8.
    """
    model = optimize(plain, lambda kernel_shape, axes: kernel_shape[0] > MOST_CHANNELS)
    found = layers_for_int8(model)
    if not found.layers:
        raise InputError(
            "int8 applies to convolutions and Dense layers before the last; this network has none. "
            f"Received: {part.network.name}"
        )
    chosen = [*found.layers, *(found.attention if attention else ())]
    with tempfile.TemporaryDirectory() as directory, _quiet():
        source, target = Path(directory) / "float32.onnx", Path(directory) / "int8.onnx"
        onnx.save(model, source)  # the quantizer would empty a ModelProto
        quantization.quantize_static(
            source,
            target,
            _Inputs(part),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Gemm", "MatMul"],
            nodes_to_quantize=[node.name for node in chosen],
            per_channel=True,
            # Weights of 7 bits: without VNNI, processors add up pairs of products in 16 bits, which
            # 8 bits overflow.
            reduce_range=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod.MinMax,
            extra_options={"TensorQuantOverrides": one_scale(found.layers)},
        )
        smaller = ir.load(target)
        # The quantizer gives every layer its own zero points, all of them zeros.
        share_constants(smaller)
        return ir.to_proto(smaller)


class _Inputs(quantization.CalibrationDataReader):
    def __init__(self, part: Part) -> None:
        self.batches = (
            part.draw(range(first, first + 16))
            for first in range(FIRST_SEED, FIRST_SEED + CALIBRATION, 16)
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.batches, None)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hides the quantizer's advice to pre-process the graph, which is optimized already."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
