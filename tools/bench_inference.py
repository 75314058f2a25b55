#!/usr/bin/env python3
"""Measures inference: kgan's ONNX exports beside tf2onnx's, Keras and PyTorch, in ratios.

    .venv/bin/python tools/bench_inference.py [NETWORK ...] [--rounds 15] [--threads 2] [--markdown]

Everything runs in turn, round after round, in one process on the same cores; a
figure is the median over the rounds of how many times as fast as the plain
tf2onnx file it is. The statistics of batch normalisation are random, and every
competitor gives the same pictures. PyTorch (with onnxscript) is an extra of
this benchmark: pip install torch==2.13.0 onnxscript.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import torch
from onnx import helper
from torch_twins import twin

import kgan
from kgan.export import onnx as onnx_export
from kgan.export import precision
from kgan.export.graph import optimize
from kgan.export.signatures import parts_of

NETWORKS = {
    "dcgan 28x28x1": ("dcgan", (28, 28, 1)),
    "dcgan_tanh 28x28x1": ("dcgan_tanh", (28, 28, 1)),
    "dcgan 64x64x3": ("dcgan", (64, 64, 3)),
    "sagan 64x64x3": ("sagan", (64, 64, 3)),
    "dcgan_upsample 128x128x3": ("dcgan_upsample", (128, 128, 3)),
}
BATCHES = (1, 64)
OPSET = 17
MULTIPLIERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def shaken(gan):
    """Gives the statistics and the gains values as after a training."""
    random = np.random.default_rng(0)
    for variable in gan.generator.variables:
        if variable.path.endswith("moving_variance"):
            variable.assign(random.uniform(0.3, 2.0, variable.shape))
        elif variable.path.endswith(("moving_mean", "beta")):
            variable.assign(random.normal(0, 0.3, variable.shape))
        elif variable.path.endswith("gamma"):
            variable.assign(random.normal(1, 0.2, variable.shape))
    gan.calibrate = lambda: None  # it would set the statistics anew
    return gan


def session(model, threads):
    """An onnxruntime session that stops its threads between runs: others are measured then."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def by_onnxruntime(model, threads):
    """A function of latents."""
    run = session(model, threads)
    (name,) = (value.name for value in run.get_inputs())
    return lambda latents: run.run(None, {name: latents})[0]


def torch_export(module, latents):
    """PyTorch's own ONNX export, dynamic in its batch."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "torch.onnx"
        batch = torch.export.Dim("batch")
        torch.onnx.export(
            module,
            (torch.tensor(latents),),
            path,
            dynamo=True,
            dynamic_shapes=({0: batch},),
            external_data=False,
            verbose=False,
        )
        return onnx.load(path)


def competitors(preset, shape, threads):
    """(name -> function of latents, the float32 export, a function that draws latents)."""
    keras.utils.set_random_seed(0)
    gan = shaken(kgan.GAN.from_preset(preset, image_shape=shape))
    (part,) = parts_of(gan)
    network = part.network
    plain = onnx_export.convert(part, OPSET)
    fast = optimize(plain)
    module = twin(network)
    module_last = twin(network).to(memory_format=torch.channels_last)
    serve = tf.function(lambda latents: network(latents, training=False))
    compiled = tf.function(lambda latents: network(latents, training=False), jit_compile=True)

    def by_torch(given):
        def run(latents):
            with torch.inference_mode():
                return given(torch.from_numpy(latents)).numpy()

        return run

    exported = torch_export(module, part.draw(range(2))["latents"])
    turned = lambda run: lambda latents: run(latents).transpose(0, 2, 3, 1)[:, ::-1, ::-1]  # noqa: E731
    runs = {
        "tf2onnx": by_onnxruntime(plain, threads),
        "kgan": by_onnxruntime(fast, threads),
        "kgan float16": by_onnxruntime(precision.with_float16_weights(fast), threads),
        "kgan int8": by_onnxruntime(precision.quantized(plain, part), threads),
        "predict": lambda latents: gan.predict(latents, batch_size=64, verbose=0),
        "tf.function": lambda latents: serve(latents).numpy(),
        "XLA": lambda latents: compiled(latents).numpy(),
        "torch": by_torch(module),
        "torch, NHWC": by_torch(module_last),
        "torch ONNX": by_onnxruntime(exported, threads),
    }
    arrays = part.draw(range(5))["latents"]
    expected = runs["tf2onnx"](arrays)
    for name, run in runs.items():
        made = (turned(run) if name.startswith("torch") else run)(arrays)
        allowed = {"kgan float16": 0.05, "kgan int8": 0.5}.get(name, 1e-4)
        assert np.abs(made - expected).max() < allowed, (name, np.abs(made - expected).max())
    return runs, fast, lambda count: part.draw(range(count))["latents"]


def multiply_adds(model):
    """Of one picture, in the form in which it is exported."""
    inferred = onnx.shape_inference.infer_shapes(model)
    shapes = {
        value.name: [size.dim_value or 1 for size in value.type.tensor_type.shape.dim]
        for value in (*inferred.graph.value_info, *inferred.graph.output, *inferred.graph.input)
    }
    shapes |= {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    total = 0
    for node in model.graph.node:
        if node.op_type in MULTIPLIERS:
            given, kernel = (shapes[name] for name in node.input[:2])
            made = shapes[node.output[0]]
            if node.op_type == "Conv":
                total += np.prod(made) * np.prod(kernel[1:])
            elif node.op_type == "ConvTranspose":
                total += np.prod(given) * np.prod(kernel[1:])
            else:
                total += np.prod(made) * given[-1]
    return int(total)


def matmul_peak(threads, size=1024, runs=30):
    """Multiply-adds a second of onnxruntime's best matrix product."""
    value = [helper.make_tensor_value_info(name, 1, [size, size]) for name in "abc"]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])], "product", value[:2], value[2:]
    )
    opset = [helper.make_opsetid("", OPSET)]
    run = session(helper.make_model(graph, opset_imports=opset, ir_version=8), threads)
    matrix = np.random.default_rng(0).random((size, size), np.float32)
    product = lambda m: run.run(None, {"a": m, "b": m})  # noqa: E731
    return size**3 / min(seconds(product, matrix) for _ in range(runs))


def seconds(run, latents, repeats=1):
    """How long a run takes, the mean of several."""
    begun = time.perf_counter()
    for _ in range(repeats):
        run(latents)
    return (time.perf_counter() - begun) / repeats


def measure(runs, latents, rounds):
    """name -> seconds, an array of the rounds."""
    repeats = max(1, 8 // len(latents))
    for run in runs.values():
        run(latents)
    taken = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            taken[name].append(seconds(run, latents, repeats))
    return {name: np.array(values) for name, values in taken.items()}


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(NETWORKS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--markdown", action="store_true", help="as a table for docs/export.md")
    arguments = parser.parse_args()
    unknown = set(arguments.networks) - set(NETWORKS)
    if unknown:
        parser.error(f"no such network: {', '.join(unknown)} (there are {', '.join(NETWORKS)})")
    torch.set_num_threads(arguments.threads)
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    rows, named = [], None
    for network in arguments.networks or NETWORKS:
        runs, fast, draw = competitors(*NETWORKS[network], arguments.threads)
        named = list(runs)
        work = multiply_adds(fast)
        for batch in BATCHES:
            taken = measure(runs, draw(batch), arguments.rounds)
            # Beside the network, so that a slow moment of the machine meets both.
            peak = matmul_peak(arguments.threads)
            ratios = {name: np.median(taken["tf2onnx"] / values) for name, values in taken.items()}
            milliseconds = 1e3 * np.median(taken["kgan"])
            share = work * batch / np.median(taken["kgan"]) / peak
            rows.append((network, batch, milliseconds, share, ratios))
            if not arguments.markdown:
                figures = "  ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
                print(
                    f"{network}, batch {batch}: kgan {milliseconds:.2f} ms, "
                    f"{share:.0%} of the matrix product's peak | {figures}",
                    flush=True,
                )
    if arguments.markdown:
        print(f"| network | batch | ms | of peak | {' | '.join(named)} |")
        print(f"|---|---|---|---|{'---|' * len(named)}")
        for network, batch, milliseconds, share, ratios in rows:
            figures = " | ".join(f"{ratio:.2f}" for ratio in ratios.values())
            print(f"| {network} | {batch} | {milliseconds:.2f} | {share:.0%} | {figures} |")


if __name__ == "__main__":
    sys.exit(main())
