"""What the runtime refuses before onnxruntime sees it, and with which words."""

import os
import re
import time

import numpy as np
import pytest
from onnx import TensorProto, helper

import kgan
from kgan.untrusted import Session, checked_session, read_model
from tests.untrusted.tiny import DIM, model, tensor

node = helper.make_node


def refusal(made, tmp_path):
    """The line with which the runtime refuses a model."""
    path = tmp_path / "spoiled.onnx"
    path.write_bytes(made.SerializeToString())
    start = time.perf_counter()
    with pytest.raises(kgan.InputError) as caught:
        kgan.runtime.Generator(path).generate(5)
    assert time.perf_counter() - start < 30
    line = str(caught.value)
    assert line.isprintable()
    assert "spoiled.onnx" in line
    return line


def test_the_tiny_generator_itself_is_taken(tmp_path):
    path = tmp_path / "tiny.onnx"
    path.write_bytes(model().SerializeToString())
    generator = kgan.runtime.Generator(path)
    latents = np.arange(8, dtype=np.float32).reshape(2, 4)
    np.testing.assert_array_equal(
        generator.from_latents(latents), (9 * latents).reshape(2, 2, 2, 1).astype(np.uint8)
    )
    assert generator.from_latents(latents[:0]).shape == (0, 2, 2, 1)


@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin", "/etc/passwd"])
def test_data_in_other_files(tmp_path, location):
    (tmp_path / "weights.bin").write_bytes(np.eye(DIM, dtype=np.float32).tobytes())
    made = model()
    kernel = made.graph.initializer[0]
    kernel.ClearField("raw_data")
    kernel.data_location = TensorProto.EXTERNAL
    entry = kernel.external_data.add()
    entry.key, entry.value = "location", location
    assert "one file, with no data in other files" in refusal(made, tmp_path)


def test_data_of_a_constant_node_in_another_file(tmp_path):
    elsewhere = TensorProto(name="x", data_type=TensorProto.FLOAT, dims=[1])
    elsewhere.data_location = TensorProto.EXTERNAL
    made = model(node("Constant", [], ["c"], value=elsewhere))
    assert "one file, with no data in other files" in refusal(made, tmp_path)


BODY = helper.make_graph([], "body", [], [])


@pytest.mark.parametrize(
    ("spoiling", "says"),
    [
        (node("Gelu", ["latents"], ["x"], domain="com.microsoft"), "'com.microsoft.Gelu'"),
        (node("Mine", ["latents"], ["x"]), "'Mine'"),
        (node("If", ["latents"], ["x"], then_branch=BODY, else_branch=BODY), "'If'"),
        (node("Loop", ["", "latents"], ["x"], body=BODY), "'Loop'"),
        (node("RandomNormalLike", ["latents"], ["x"]), "'RandomNormalLike'"),
        (node("NonZero", ["latents"], ["x"]), "'NonZero'"),
        (node("Relu", ["latents"], ["x"], body=BODY), "numbers, texts and tensors"),
        (node("Relu", ["y"], ["x"]), "topologically sorted"),
        (node("Transpose", ["latents"], ["x"], perm=[0, 7]), "shapes in this model do not fit"),
        (node("Cast", ["latents"], ["x"], to=TensorProto.STRING), "tensors are numbers"),
        (node("AveragePool", ["latents"], ["x"], kernel_shape=[0]), "'kernel_shape'"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_operators_that_no_export_has(tmp_path, spoiling, says):
    assert says in refusal(model(spoiling), tmp_path)


def test_an_operator_set_of_its_own_and_functions(tmp_path):
    made = model()
    made.opset_import.append(helper.make_opsetid("me", 1))
    assert "only ONNX's own operator set" in refusal(made, tmp_path)
    made = model()
    body = [node("Neg", ["a"], ["b"])]
    opset = [helper.make_opsetid("", 17)]
    made.functions.append(helper.make_function("", "MatMul", ["a"], ["b"], body, opset))
    assert "no functions" in refusal(made, tmp_path)


@pytest.mark.parametrize(
    ("nodes", "sizes"),
    [
        ([node("ConstantOfShape", ["sizes"], ["x"])], [2**31]),
        ([node("ConstantOfShape", ["sizes"], ["x"])], [2**40, 2**40]),
        ([node("Tile", ["latents", "sizes"], ["x"])], [2**20, 2**20]),
        ([node("Expand", ["latents", "sizes"], ["x"])], [2**20, 2**20, 1, 4]),
        ([node("Pad", ["latents", "sizes"], ["x"])], [0, 0, 0, 2**34]),
        ([node("Resize", ["latents", "", "", "sizes"], ["x"])], [1, 2**33]),
        # Where a whole graph's inference writes out every value of a shape: it filled the memory.
        (
            [
                node("ConstantOfShape", ["sizes"], ["long"]),
                node("Cast", ["long"], ["whole"], to=TensorProto.INT64),
                node("Less", ["whole", "whole"], ["x"]),
            ],
            [2**31],
        ),
        # By a shape that is computed.
        (
            [
                node("Shape", ["latents"], ["s"]),
                node("Mul", ["s", "sizes"], ["larger"]),
                node("ConstantOfShape", ["larger"], ["x"]),
            ],
            [2**20, 2**20],
        ),
        # Each small, all of them too much.
        (
            [node("ConstantOfShape", ["sizes"], [f"x{i}"]) for i in range(40)],
            [2**25],
        ),
    ],
    ids=["vector", "matrix", "tile", "expand", "pad", "resize", "values", "computed", "many"],
)
def test_what_would_fill_the_memory(tmp_path, nodes, sizes):
    line = refusal(model(*nodes, tensors=[tensor("sizes", np.array(sizes))]), tmp_path)
    assert re.search("shapes are known beforehand|A run may take|do not fit", line), line


def test_what_fills_the_memory_at_one_batch_size_alone(tmp_path):
    """(batch - 1) * 2**31 values: none at batch 1, where a file is first looked at."""
    nodes = [
        node("Shape", ["latents"], ["s"], end=1),
        node("Sub", ["s", "one"], ["others"]),
        node("Mul", ["others", "sizes"], ["many"]),
        node("ConstantOfShape", ["many"], ["x"]),
    ]
    tensors = [tensor("one", np.array([1])), tensor("sizes", np.array([2**31]))]
    made = model(*nodes, tensors=tensors)
    (tmp_path / "quiet.onnx").write_bytes(made.SerializeToString())
    assert kgan.runtime.Generator(tmp_path / "quiet.onnx").generate(1).shape == (1, 2, 2, 1)
    assert "known beforehand" in refusal(made, tmp_path)


def test_what_would_take_for_ever(tmp_path):
    nodes = [
        node("ConstantOfShape", ["sizes"], ["square"]),
        node("MatMul", ["square", "square"], ["x"]),
    ]
    made = model(*nodes, tensors=[tensor("sizes", np.array([8_000, 8_000]))])
    assert "An image may take" in refusal(made, tmp_path)


def test_a_large_batch_runs_in_parts_and_gives_the_same(tmp_path, monkeypatch):
    path = tmp_path / "tiny.onnx"
    path.write_bytes(model().SerializeToString())
    latents = np.random.default_rng(0).random((100, 4)).astype(np.float32)
    whole = kgan.runtime.Generator(path).from_latents(latents)
    taken = []
    needs = kgan.untrusted.Model.needs
    per_picture = needs(read_model(path), 1)[0]
    monkeypatch.setattr("kgan.untrusted.session.MOST_BYTES", 7 * per_picture)
    monkeypatch.setattr(
        kgan.untrusted.Model, "needs", lambda self, batch: taken.append(batch) or needs(self, batch)
    )
    np.testing.assert_array_equal(kgan.runtime.Generator(path).from_latents(latents), whole)
    assert max(taken) == 7


@pytest.mark.parametrize(
    ("side", "name", "kind", "shape"),
    [
        ("input", "z", TensorProto.FLOAT, ["batch", 4]),
        ("input", "latents", TensorProto.DOUBLE, ["batch", 4]),
        ("input", "latents", TensorProto.FLOAT, ["batch", 5]),
        ("input", "latents", TensorProto.FLOAT, [1, 4]),
        ("input", "latents", TensorProto.FLOAT, ["batch", "dim"]),
        ("input", "latents", TensorProto.FLOAT, ["batch", 4, 1]),
        ("output", "pictures", TensorProto.UINT8, ["batch", 2, 2, 1]),
        ("output", "images", TensorProto.FLOAT, ["batch", 2, 2, 1]),
        ("output", "images", TensorProto.UINT8, ["batch", 2, 1, 2]),
    ],
)
def test_inputs_and_outputs_are_those_of_the_manifest(tmp_path, side, name, kind, shape):
    made = model()
    (value,) = getattr(made.graph, side)
    value.CopyFrom(helper.make_tensor_value_info(name, kind, shape))
    assert f"The model's {side}s are not those of its manifest" in refusal(made, tmp_path)


def test_more_inputs_and_a_shape_that_is_only_claimed(tmp_path):
    made = model()
    made.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))
    assert "inputs are not those" in refusal(made, tmp_path)
    made = model()
    made.graph.initializer[1].CopyFrom(tensor("shape", np.array([-1, 1, 4, 1])))
    assert "The model's output is not the manifest's" in refusal(made, tmp_path)


def test_data_that_is_not_as_much_as_its_shape(tmp_path):
    for change in (
        lambda kernel: kernel.dims.append(2),
        lambda kernel: setattr(kernel, "raw_data", kernel.raw_data[:-1]),
        lambda kernel: kernel.ClearField("raw_data"),
        lambda kernel: kernel.float_data.append(1.0),
        lambda kernel: setattr(kernel, "data_type", TensorProto.DOUBLE),
    ):
        made = model()
        change(made.graph.initializer[0])
        assert "as much data as its shape says" in refusal(made, tmp_path)
    made = model()
    made.graph.initializer[0].dims[0] = -4
    assert "sizes, none below 0" in refusal(made, tmp_path)


def test_a_file_too_large_is_not_even_read(tmp_path):
    path = tmp_path / "spoiled.onnx"
    path.touch()
    os.truncate(path, 2**30 + 1)  # a hole: it takes no place
    with pytest.raises(kgan.InputError, match=f"at most {2**30} bytes. Received: .*{2**30 + 1}"):
        kgan.runtime.Generator(path)


def test_graphs_in_graphs_without_end(tmp_path):
    made = model()
    graph = made.graph
    for _ in range(60):
        graph = graph.node.add(op_type="If").attribute.add(name="then_branch", type=5).g
    assert "Not a readable ONNX model" in refusal(made, tmp_path)


def test_session_and_manifest_for_others(tmp_path):
    path = tmp_path / "tiny.onnx"
    path.write_bytes(model().SerializeToString())
    session, manifest = checked_session(path)
    assert isinstance(session, Session)
    assert manifest["latents"]["dim"] == DIM
    (images,) = session.run(["images"], {"latents": np.zeros((3, DIM), np.float32)})
    assert images.shape == (3, 2, 2, 1)
