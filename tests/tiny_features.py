"""A network of features that tests write themselves: means of the 8x8 blocks of 32x32 images."""

import numpy as np
import onnx
from onnx import TensorProto, helper

WIDTH = 48  # 3 channels of 4x4 blocks


def write_network(path):
    """Writes it as an .onnx file; returns the path."""
    shape = ["batch", 3, 32, 32]
    graph = helper.make_graph(
        [
            helper.make_node(
                "AveragePool", ["images"], ["means"], kernel_shape=[8, 8], strides=[8, 8]
            ),
            helper.make_node("Flatten", ["means"], ["features"]),
        ],
        "means",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", WIDTH])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


def means(images):
    """The same features by NumPy of uint8 images (N, 32, 32, C), scaled to [0, 1]."""
    blocks = images.reshape(len(images), 4, 8, 4, 8, -1).mean(axis=(2, 4)) / 255.0
    blocks = np.broadcast_to(blocks, (*blocks.shape[:3], 3)).transpose(0, 3, 1, 2)
    return blocks.reshape(len(images), WIDTH)
