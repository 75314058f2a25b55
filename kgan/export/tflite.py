"""Parts as TFLite models of its built-in operators, for phones and other small machines."""

from __future__ import annotations

import re

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from kgan.errors import InputError
from kgan.export.frozen import frozen
from kgan.export.saved_model import without_news
from kgan.export.serving import float_function, with_levels
from kgan.export.signatures import Part, Runner
from kgan.files import first_line


def convert(part: Part, levels: bool) -> bytes:
    """Converts a `Part`; weights stay float32, the batch dynamic.

    Args:
        part: a `Part`.
        levels: give images as uint8 levels, not as floats in the model's range.

    Returns:
        The file's bytes; its one signature has the part's names.

    Raises:
        InputError: the network has an operation that TFLite itself does not have.
    """
    function = float_function(part)
    if levels:
        function = with_levels(part, function)
    serve = frozen(part, function, _know_shapes)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [serve.get_concrete_function()], tf.Module()
    )
    try:
        with without_news():
            return converter.convert()
    except Exception as error:  # of a class that tensorflow does not show
        missing = re.findall(r"^(?:TF Select|Custom) ops: (.+)$", str(error), re.MULTILINE)
        received = (
            f"operations that TFLite does not have: {', '.join(missing)}"
            if missing
            else f"{part.network.name}, {first_line(error)}"
        )
        raise InputError(
            "TFLite's built-in operators cannot run this network; leave TFLite out. "
            f"Received {received}"
        ) from None


def runner(part: Part, model: bytes) -> Runner:
    """A function of input arrays -> output array that runs a converted model."""
    run = Interpreter(model_content=model).get_signature_runner()
    return lambda arrays: run(**arrays)[part.output]


def _know_shapes(graph: tf.Graph, definition: tf.compat.v1.GraphDef) -> None:
    """Gives a graph's Reshapes to a shape computed at run time constant targets, in its GraphDef.

    Keras's UpSampling2D asks for the shape of its input. TensorFlow knows all of it except
    the batch; TFLite's converter loses height and width there, and its convolutions need them.
    """
    for node in [node for node in definition.node if node.op == "Reshape"]:
        shape = graph.get_operation_by_name(node.name).outputs[0].shape
        if shape.rank is None:
            continue
        sizes = np.array([-1 if size is None else size for size in shape], np.int32)
        if np.count_nonzero(sizes == -1) > 1:
            continue
        constant = definition.node.add(op="Const", name=f"{node.name}/known_shape")
        constant.attr["dtype"].type = tf.int32.as_datatype_enum
        constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(sizes))
        node.attr["Tshape"].type = tf.int32.as_datatype_enum
        node.input[1] = constant.name
