"""Checks an ONNX model without running it: its contents, and what it needs at run time.

Nothing in the file is trusted before it is checked here. Every tensor includes its data, every
operator is known, and at a given batch size every shape is known beforehand, so that memory and
arithmetic are counted before onnxruntime sees the model.
"""

from __future__ import annotations

import functools
import hashlib
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import onnx
from onnx import AttributeProto, TensorProto, helper

from kgan import manifest as manifests
from kgan.errors import InputError
from kgan.files import first_line, printable
from kgan.untrusted.declared_shapes import MOST_DIMENSIONS, SMALL, ShapeError
from kgan.untrusted.declared_shapes import infer as shapes_at
from kgan.untrusted.onnx_files import onnx_rules, parse, read_file
from kgan.untrusted.operators import OPERATORS, work
from kgan.untrusted.promise import check_promise, sides_of

MOST_NODES = 10_000
MOST_BYTES = 2**31  # of everything that one run produces, as if nothing were freed
MOST_WORK = 2**38  # multiply-adds per image

# type of a tensor: (bytes per value, the field of values that are not stored raw)
DTYPES: dict[int, tuple[int, str]] = {
    TensorProto.FLOAT: (4, "float_data"),
    TensorProto.FLOAT16: (2, "int32_data"),
    TensorProto.DOUBLE: (8, "double_data"),
    TensorProto.UINT8: (1, "int32_data"),
    TensorProto.INT8: (1, "int32_data"),
    TensorProto.INT32: (4, "int32_data"),
    TensorProto.INT64: (8, "int64_data"),
    TensorProto.BOOL: (1, "int32_data"),
}
NAMES: dict[str, int] = {
    "float32": TensorProto.FLOAT,
    "uint8": TensorProto.UINT8,
    "int64": TensorProto.INT64,
}
ATTRIBUTES = (
    AttributeProto.FLOAT,
    AttributeProto.INT,
    AttributeProto.STRING,
    AttributeProto.TENSOR,
    AttributeProto.FLOATS,
    AttributeProto.INTS,
)
# Attributes that divide or count: values below 1 have crashed whole processes.
ABOVE_0 = ("blocksize", "dilations", "group", "kernel_shape", "strides")
LARGEST_ATTRIBUTE = 2**31


def read_model(path: str | os.PathLike[str]) -> Model:
    """Reads and checks an .onnx file, without onnxruntime.

    Args:
        path: the file.

    Returns:
        A `Model`.

    Raises:
        InputError: the file is too large, is not an ONNX model, was not written by kgan, or
            cannot be run safely.
    """
    path = Path(path)
    data = read_file(path)
    proto = parse(data, path)
    with onnx_rules(path):
        return Model(proto, path, hashlib.sha256(data).hexdigest())


class Model:
    """A checked ONNX model.

    Args:
        proto: ModelProto; anything in it besides the model is dropped.
        origin: where it comes from, for messages.
        sha256: of the file, hexadecimal.

    Attributes:
        manifest: the manifest stored in it, a dict.
        inputs: the descriptions of its inputs in the manifest.
        outputs: the descriptions of its outputs in the manifest, mostly one.
        proto: the ModelProto.
        sha256: that of the file, as it was read; None for a model from no file.

    Raises:
        InputError: it was not written by kgan, or cannot be run safely.
    """

    def __init__(
        self, proto: onnx.ModelProto, origin: str | os.PathLike[str], sha256: str | None = None
    ) -> None:
        self.origin = origin
        self.sha256 = sha256
        self.proto = proto
        proto.DiscardUnknownFields()
        metadata = {entry.key: entry.value for entry in proto.metadata_props}
        self.manifest = check_promise(
            manifests.parse(metadata.get(manifests.METADATA_KEY, ""), origin), origin
        )
        self._check_parts()
        names = [value.name for value in proto.graph.input]
        self.inputs, self.outputs = sides_of(self.manifest, names)
        self._check_side("inputs", proto.graph.input, self.inputs)
        self._check_side("outputs", proto.graph.output, self.outputs)
        # What the file claims about intermediate tensors is not needed and might be wrong.
        del proto.graph.value_info[:]
        onnx.checker.check_model(skeleton(proto))
        self.needs(1)

    def _refuse(self, problem: str, received: object) -> NoReturn:
        raise InputError(f"{problem}. Received: {self.origin} with {printable(received)}")

    def _check_parts(self) -> None:
        proto, graph = self.proto, self.proto.graph
        imported = [(each.domain, each.version) for each in proto.opset_import]
        if [domain for domain, _ in imported] not in ([""], ["ai.onnx"]):
            self._refuse("An export uses only ONNX's own operator set", imported)
        if proto.functions or proto.training_info or graph.sparse_initializer:
            self._refuse(
                "An export has no functions, training parts or sparse tensors", "one of them"
            )
        self._check_length()
        for tensor in graph.initializer:
            self._check_tensor(tensor)
        for node in graph.node:
            if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS:
                name = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
                self._refuse("Not one of the standard operators that exports use", repr(name))
            for attribute in node.attribute:
                self._check_attribute(node, attribute)

    def _check_length(self) -> None:
        count = len(self.proto.graph.node)
        if count > MOST_NODES:
            self._refuse(f"An export has at most {MOST_NODES} operators", count)

    def _check_attribute(self, node: onnx.NodeProto, attribute: AttributeProto) -> None:
        described = f"{attribute.name!r} of {node.op_type}"
        if attribute.type not in ATTRIBUTES or attribute.ref_attr_name:
            self._refuse("An operator's settings are numbers, texts and tensors", described)
        if attribute.type == AttributeProto.TENSOR:
            self._check_tensor(attribute.t)
        least = 1 if attribute.name in ABOVE_0 else -LARGEST_ATTRIBUTE
        values = [attribute.i] if attribute.type == AttributeProto.INT else attribute.ints
        for value in values:
            if not least <= value <= LARGEST_ATTRIBUTE:
                self._refuse(
                    f"This setting must be from {least} to {LARGEST_ATTRIBUTE}",
                    f"{described} = {value}",
                )

    def _check_tensor(self, tensor: TensorProto) -> None:
        described = f"the tensor {tensor.name!r}"
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            self._refuse("An export is one file, with no data in other files", described)
        if tensor.data_type not in DTYPES:
            self._refuse("An export's tensors are numbers", f"{described} of {tensor.data_type}")
        if len(tensor.dims) > MOST_DIMENSIONS or any(size < 0 for size in tensor.dims):
            self._refuse(
                f"A shape has at most {MOST_DIMENSIONS} sizes, none below 0",
                f"{described} {list(tensor.dims)[: MOST_DIMENSIONS + 1]}",
            )
        size, kept_in = DTYPES[tensor.data_type]
        count = math.prod(tensor.dims)
        held = {name: len(getattr(tensor, name)) for name in {e[1] for e in DTYPES.values()}}
        held = {name: number for name, number in held.items() if number}
        if tensor.raw_data:
            fits = not held and len(tensor.raw_data) == count * size
        else:
            fits = held == ({kept_in: count} if count else {})
        if not fits or tensor.string_data or tensor.uint64_data or tensor.HasField("segment"):
            self._refuse("A tensor must have as much data as its shape says", described)

    def _check_side(
        self,
        kind: str,
        values: Sequence[onnx.ValueInfoProto],
        promised: Sequence[manifests.Manifest],
    ) -> None:
        names = {tensor.name for tensor in self.proto.graph.initializer}
        received = [declared(value) for value in values]
        expected = [
            (side["name"], NAMES[side["dtype"]], [None, *side["shape"][1:]]) for side in promised
        ]
        if received != expected or any(value.name in names for value in values):
            self._refuse(
                f"The model's {kind} are not those of its manifest, "
                + ", ".join(f"{side['name']} {side['dtype']} {side['shape']}" for side in promised),
                ", ".join(described(value) for value in values) or "none",
            )

    @functools.lru_cache(maxsize=64)  # noqa: B019, few batch sizes, and a model lives long
    def needs(self, batch: int) -> tuple[int, int]:
        """Upper bounds of the (bytes, multiply-adds) of a run on `batch` images.

        Raises:
            InputError: a run needs more than the limits, a shape is not known beforehand, or an
                output does not have the manifest's shape.
        """
        shapes, sizes = self._shapes(batch)
        for output in self.outputs:
            if shapes[output["name"]] != (batch, *output["shape"][1:]):
                self._refuse(
                    f"The model's output is not the manifest's {output['shape']}",
                    f"{list(shapes[output['name']])} for a batch of {batch}",
                )
        total = sum(math.prod(shapes[name]) * size for name, size in sizes.items())
        scratch = arithmetic = 0
        for node in self.proto.graph.node:
            done, values = work(
                node,
                [shapes[name] if name else None for name in node.input],
                [shapes[name] for name in node.output if name],
            )
            arithmetic += done
            scratch = max(scratch, 4 * values)
        if total + scratch > MOST_BYTES:
            self._refuse(
                f"A run may take at most {MOST_BYTES} bytes",
                f"{total + scratch} for a batch of {batch}",
            )
        if arithmetic > MOST_WORK * batch:
            self._refuse(
                f"An image may take at most {MOST_WORK} multiply-adds", arithmetic // batch
            )
        return total + scratch, arithmetic

    def _shapes(self, batch: int) -> tuple[dict[str, tuple[int, ...]], dict[str, int]]:
        """The shape of every tensor, and the bytes per value of those that a run produces."""
        try:
            shapes, produced = shapes_at(self.proto, batch, MOST_BYTES)
        except ShapeError as error:
            self._refuse(
                f"An export's shapes are known beforehand and take less than {MOST_BYTES} bytes",
                error,
            )
        except Exception as error:  # onnx and numpy each raise classes of their own
            self._refuse("The shapes in this model do not fit", first_line(error))
        for name, dtype in produced.items():
            if dtype not in DTYPES:
                self._refuse("An export's tensors are numbers", f"{name!r} of {dtype}")
        return shapes, {name: DTYPES[dtype][0] for name, dtype in produced.items()}


def described(value: onnx.ValueInfoProto) -> str:
    """An input or output of a ModelProto in words, as the file declares it."""
    name, dtype, shape = declared(value)
    known = {number: word for word, number in NAMES.items()}
    word = known.get(dtype) or helper.tensor_dtype_to_string(dtype).rpartition(".")[2].lower()
    sizes = ["batch" if size is None else size for size in shape or ()]
    return f"{name} {word} ({', '.join(map(str, sizes))})"


def declared(value: onnx.ValueInfoProto) -> tuple[str, int, list[int | None] | None]:
    """(name, type, shape) of an input or output; None for an open size or a missing shape."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return value.name, tensor.elem_type, None
    sizes = [size.dim_value if size.HasField("dim_value") else None for size in tensor.shape.dim]
    return value.name, tensor.elem_type, sizes


def skeleton(proto: onnx.ModelProto) -> onnx.ModelProto:
    """A copy for onnx's checker, in which large tensors are inputs without data."""
    graph = proto.graph
    small = onnx.ModelProto(ir_version=proto.ir_version)
    small.opset_import.extend(proto.opset_import)
    small.graph.name = graph.name or "graph"
    small.graph.node.extend(graph.node)
    small.graph.input.extend(graph.input)
    for tensor in graph.initializer:
        if math.prod(tensor.dims) <= SMALL:
            small.graph.initializer.append(tensor)
        else:
            small.graph.input.append(
                helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            )
    small.graph.output.extend(graph.output)
    return small
