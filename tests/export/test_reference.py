"""A delivered model in onnx's own evaluator: what it accepts, refuses and leaves out."""

import dataclasses
import json

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import kgan
from kgan.errors import ParityError
from kgan.export import precision, reference
from kgan.export.signatures import parts_of


@pytest.fixture
def part(trained_gan):
    return parts_of(trained_gan)[0]


@pytest.fixture
def model(exported):
    return onnx.load(exported.path / "model.onnx")


def run_of(model):
    session = precision.session(model)
    return lambda arrays: session.run(None, dict(arrays))[0]


def test_an_export_says_what_the_evaluator_gave(exported, exported_floats):
    for export, limit in ((exported, 1), (exported_floats, 1e-4)):
        manifest = json.loads((export.path / "manifest.json").read_text())
        assert manifest["reference"]["model.onnx"]["max_abs_difference"] <= limit
        card = (export.path / "README.md").read_text()
        assert "| model.onnx in onnx's ReferenceEvaluator | max abs difference" in card


def test_another_picture_is_refused(part, model):
    weight = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    other = numpy_helper.to_array(weight) * 1.5
    weight.CopyFrom(numpy_helper.from_array(other, weight.name))
    with pytest.raises(ParityError, match=r"gives something else, by .*; at most 1 is allowed"):
        reference.check(part, model, run_of(model), "float32")
    # A reduced model is held to what onnxruntime makes of it, not to Keras.
    assert reference.check(part, model, run_of(model), "float16")["max_abs_difference"] <= 1


def test_what_only_onnxruntime_accepts_is_refused(part, model):
    """A mode of Resize that ONNX dropped with opset 13, as in what tf2onnx writes."""
    (name,) = (value.name for value in model.graph.output)
    for node in model.graph.node:
        node.output[:] = ["before" if each == name else each for each in node.output]
    node = helper.make_node("Cast", ["before"], ["floats"], to=onnx.TensorProto.FLOAT)
    scales = numpy_helper.from_array(np.array([1, 1.5, 1, 1], np.float32), "scales")
    mode = {"mode": "nearest", "coordinate_transformation_mode": "tf_half_pixel_for_nn"}
    model.graph.node.extend(
        [
            node,
            helper.make_node("Resize", ["floats", "", "scales"], ["larger"], **mode),
            helper.make_node("Cast", ["larger"], [name], to=onnx.TensorProto.UINT8),
        ]
    )
    model.graph.initializer.append(scales)
    with pytest.raises(ParityError, match=r"refuses this model.*tf_half_pixel_for_nn") as caught:
        reference.check(part, model, run_of(model), "float32")
    assert "\n" not in str(caught.value)


def test_int8_has_its_own_bound(part, model):
    found = reference.check(part, model, run_of(model), "int8")
    assert found["psnr_db"] > 100
    with pytest.raises(ParityError, match=r"PSNR of .* dB; at least 30 dB is required"):
        reference.check(part, model, lambda arrays: 255 - run_of(model)(arrays), "int8")


def test_what_the_evaluator_cannot_judge_is_not_run(part, model, monkeypatch):
    kernel = numpy_helper.from_array(np.ones((4, 1, 3, 3), np.float32), "grouped")
    maps = numpy_helper.from_array(np.ones((1, 4, 5, 5), np.float32), "ones")
    grouped = onnx.ModelProto()
    grouped.CopyFrom(model)
    grouped.graph.initializer.extend([kernel, maps])
    grouped.graph.node.append(
        helper.make_node("ConvTranspose", ["ones", "grouped"], ["unused"], group=4)
    )
    found = reference.check(part, grouped, run_of(grouped), "float32")
    assert found == {"not_run": "the evaluator has transposed convolutions in groups wrong"}
    monkeypatch.setattr(reference, "MOST_WORK", 1000)
    found = reference.check(part, model, run_of(model), "float32")
    assert found["not_run"].startswith("too large for the evaluator: ")
    assert not found["not_run"].endswith(" 0 multiply-adds")


def test_a_transposed_convolution_in_groups_is_wrong_in_the_evaluator():
    """The day this fails, `reference` need no longer leave such models out."""
    weights = np.random.default_rng(0).normal(size=(4, 3, 4, 4)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("ConvTranspose", ["maps", "w"], ["images"], group=2, strides=[2, 2])],
        "graph",
        [helper.make_tensor_value_info("maps", onnx.TensorProto.FLOAT, [1, 4, 5, 5])],
        [helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    maps = {"maps": np.ones((1, 4, 5, 5), np.float32)}
    expected = run_of(model)(maps)
    try:
        (received,) = onnx.reference.ReferenceEvaluator(model).run(None, maps)
    except ValueError:
        return
    assert received.shape != expected.shape or np.abs(received - expected).max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("opset", [17, 21])
def test_a_quantized_export_is_run_too(tmp_path, opset):
    gan = kgan.GAN.from_preset("dcgan_upsample", image_shape=(16, 16, 3), filters=8)
    export = kgan.export.to_onnx(gan, tmp_path / "small", precision="int8", opset=opset)
    manifest = json.loads((export.path / "manifest.json").read_text())
    assert manifest["reference"]["model.int8.onnx"]["psnr_db"] > 40
    card = (export.path / "README.md").read_text()
    assert "| model.int8.onnx in onnx's ReferenceEvaluator | PSNR" in card


def test_shapes_are_compared(part, model):
    twice = dataclasses.replace(part, network=lambda latents, training: np.ones((1, 2, 2, 1)))
    with pytest.raises(ParityError, match=r"gives \(1, 16, 20, 1\); \(1, 2, 2, 1\) is right"):
        reference.check(twice, model, run_of(model), "float32")
