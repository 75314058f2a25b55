"""A generator of small images in a few nodes, to put things into that no export holds."""

import json

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from kgan import latents, manifest

DIM = 4


def promise(shape=(2, 2, 1)):
    """Its manifest, of images (H, W, C) of `DIM` values."""
    return manifest.whole_manifest(
        "tiny",
        1,
        manifest.generator_manifest(
            image_shape=shape,
            latent_dim=DIM,
            latent_distribution="normal",
            latent_law=latents.law(DIM),
            value_range=(-1.0, 1.0),
            float_output=False,
        ),
        {"data": "none"},
    )


def tensor(name, values):
    """An initializer."""
    return numpy_helper.from_array(np.asarray(values), name)


def model(*nodes, tensors=(), start="latents", info=None, shape=(2, 2, 1)):
    """The ModelProto.

    Args:
        *nodes: nodes to run first.
        tensors: their initializers.
        start: what the pictures are then made of, float32 (batch, 4).
        info: the manifest; its own by default.
        shape: as for `promise`.
    """
    nodes = [
        *nodes,
        helper.make_node("MatMul", [start, "kernel"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["floats"]),
        helper.make_node("Cast", ["floats"], ["images"], to=TensorProto.UINT8),
    ]
    tensors = [
        tensor("kernel", np.eye(DIM, dtype=np.float32) * 9),
        tensor("shape", np.array([-1, *shape])),
        *tensors,
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("latents", TensorProto.FLOAT, ["batch", DIM])],
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", *shape])],
        tensors,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(made, {manifest.METADATA_KEY: json.dumps(info or promise(shape))})
    return made
