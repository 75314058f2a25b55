"""Parts as TFLite models of its built-in operators, for phones and other small machines."""

import re
import warnings

import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from kgan.errors import InputError
from kgan.export.serving import float_function, signature_of, with_levels


def convert(part, levels):
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
    function = with_levels(part, function) if levels else function
    function = convert_variables_to_constants_v2(function.get_concrete_function())
    graph = _with_known_shapes(function.graph)
    places = [tensor.name for tensor in function.inputs]

    @tf.function(input_signature=signature_of(part), autograph=False)
    def serve(*tensors):
        given = dict(zip(places, tensors, strict=True))
        (output,) = tf.graph_util.import_graph_def(graph, given, [function.outputs[0].name])
        return {part.output: output}

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [serve.get_concrete_function()], tf.Module()
    )
    try:
        return converter.convert()
    except Exception as error:  # of a class that tensorflow does not show
        missing = re.findall(r"^(?:TF Select|Custom) ops: (.+)$", str(error), re.MULTILINE)
        if not missing:
            raise
        raise InputError(
            "TFLite's built-in operators cannot run this network; leave TFLite out. "
            f"Received operations it has not: {', '.join(missing)}"
        ) from None


def runner(part, model):
    """A function of input arrays -> output array that runs a converted model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it will move to a package of its own
        run = tf.lite.Interpreter(model_content=model).get_signature_runner()
    return lambda arrays: run(**arrays)[part.output]


def _with_known_shapes(graph):
    """The GraphDef of a graph, every Reshape to a shape worked out at run time given its numbers.

    Keras's UpSampling2D asks for the shape of what it is given. TensorFlow knows all of it but
    the batch; TFLite's converter loses height and width there, and its convolutions need them.
    """
    definition = graph.as_graph_def()
    for node in [node for node in definition.node if node.op == "Reshape"]:
        shape = graph.get_operation_by_name(node.name).outputs[0].shape
        if shape.rank is None:
            continue
        known = [-1 if size is None else size for size in shape]
        if known.count(-1) > 1:
            continue
        constant = definition.node.add(op="Const", name=f"{node.name}/known_shape")
        constant.attr["dtype"].type = tf.int32.as_datatype_enum
        constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(np.int32(known)))
        node.attr["Tshape"].type = tf.int32.as_datatype_enum
        node.input[1] = constant.name
    return definition
