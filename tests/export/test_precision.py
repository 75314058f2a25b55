"""float16 and int8: how far from float32, how small, and refused when too far."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

import kgan
from kgan.cli.main import main
from kgan.directions import beside_onnx
from kgan.export import onnx as onnx_export
from kgan.export import precision
from kgan.export.signatures import parts_of
from tests.export.graph.graphs import operators

BEFORE = Path(__file__).parents[1] / "goldens/before_one_version/small"


@pytest.fixture(scope="module")
def generator():
    """A dcgan of 28x28x1 after 20 real steps, wide enough for phases."""
    gan = kgan.GAN.from_preset("dcgan", image_shape=(28, 28, 1), filters=16, seed=0)
    gan.compile()
    data = kgan.data.embedded(batch_size=16, image_shape=(28, 28, 1), seed=0)
    gan.fit(data, steps_per_epoch=20, verbose=0)
    return gan


@pytest.fixture(scope="module")
def export(generator, tmp_path_factory):
    """All precisions in one version."""
    directory = tmp_path_factory.mktemp("exports") / "clothes"
    return kgan.export.to_onnx(generator, directory, precision="int8,float16")


@pytest.fixture
def few_inputs(monkeypatch):
    """For what is not about how good int8 is."""
    monkeypatch.setattr(precision, "CALIBRATION", 16)
    monkeypatch.setattr(precision, "COMPARED", 16)


def pictures(export, precision):
    return kgan.runtime.Generator(export.path, precision).generate(64, seed=123)


@pytest.mark.slow
@pytest.mark.parametrize(("form", "decibels", "share"), [("float16", 60, 0.51), ("int8", 38, 0.28)])
def test_small_and_near(export, form, decibels, share):
    expected, made = (pictures(export, name).astype(float) for name in ("float32", form))
    error = np.mean((expected - made) ** 2)
    assert 0 < error  # it is another form, and the pictures of 8 bits show that
    # The peak that the manifest's figure is about is that of the floats, no more than 255 here.
    assert 10 * np.log10(np.ptp(expected) ** 2 / error) > decibels - 3  # rounded to levels as well
    figures = export.precision[f"model.{form}.onnx"]
    assert figures["psnr_db"] > decibels
    size, before = (
        (export.path / name).stat().st_size for name in (f"model.{form}.onnx", "model.onnx")
    )
    assert size < share * before
    assert figures["bytes"] == pytest.approx(size, rel=0.05)
    assert figures["float32_bytes"] == pytest.approx(before, rel=0.05)


@pytest.mark.slow
def test_the_manifest_and_the_card_tell_of_each_file(export):
    manifest = json.loads((export.path / "manifest.json").read_text())
    assert manifest["precisions"] == export.precision
    assert list(export.precision) == ["model.float16.onnx", "model.int8.onnx"]
    card = (export.path / "README.md").read_text()
    for file, figures in export.precision.items():
        assert file == f"model.{figures['precision']}.onnx"
        content = (export.path / file).read_bytes()
        assert manifest["files"][file]["sha256"] == hashlib.sha256(content).hexdigest()
        assert figures["speed_batch_1"] > 0
        assert figures["speed_batch_64"] > 0
        assert "max_abs_difference" in manifest["reference"]["model.float16.onnx"]
        assert manifest["reference"]["model.int8.onnx"]["psnr_db"] >= 30
        assert f"| {file}, in {figures['precision']}, beside float32 | PSNR " in card
    # Each file's parity is its own: float32's has the bound of every form.
    assert manifest["parity"]["onnx"]["uint8_max_levels"] <= 1
    assert manifest["parity"]["onnx"]["float_max_abs_difference"] <= 1e-4
    apart = export.precision["model.int8.onnx"]["parity"]["float_max_abs_difference"]
    assert apart > 100 * manifest["parity"]["onnx"]["float_max_abs_difference"]


@pytest.mark.slow
def test_float32_is_what_runs_unless_another_is_asked_for(export, capsys, tmp_path):
    alone = kgan.runtime.Generator(export.path / "model.onnx")
    for path in (export.path, export.path.parent):
        default = kgan.runtime.Generator(path)
        assert (default.path.name, default.precision) == ("model.onnx", "float32")
        np.testing.assert_array_equal(default.generate(4), alone.generate(4))
    small = kgan.runtime.Generator(export.path, precision="int8")
    assert (small.path.name, small.precision) == ("model.int8.onnx", "int8")
    assert small.info["file_precision"] == "int8"
    by_path = kgan.runtime.Generator(export.path / "model.int8.onnx")
    np.testing.assert_array_equal(by_path.generate(4), small.generate(4))
    assert (small.generate(4) != alone.generate(4)).any()
    with pytest.raises(kgan.InputError, match=r"in int8, not in float32. Received: .*int8\.onnx"):
        kgan.runtime.Generator(small.path, precision="float32")
    with pytest.raises(kgan.InputError, match=r"one of float32, float16, int8\. Received: 'int4'"):
        kgan.runtime.Generator(export.path, precision="int4")
    out = tmp_path / "int8.png"
    assert (
        main(["generate", str(export.path), "--precision", "int8", "-n", "4", "-o", str(out)]) == 0
    )
    assert (np.asarray(Image.open(out)) == kgan.images.grid(small.generate(4))[..., 0]).all()
    assert beside_onnx(small.path) == export.path / "directions.json"


@pytest.mark.slow
def test_lists_and_inspections_name_each_precision(export):
    (listed,) = kgan.shelf.list_exports(export.path.parents[1])
    assert "onnx and float16, int8" in kgan.shelf.table([listed])[1]
    assert "floats within" in kgan.shelf.table([listed])[1]
    found = kgan.shelf.inspect_json(export.path)
    assert list(found["onnx"]) == ["model.float16.onnx", "model.int8.onnx", "model.onnx"]
    assert found["differences"] == []
    rows = "\n".join(kgan.shelf.inspect(export.path))
    assert re.search(r"model\.int8\.onnx in int8 +compared with float32", rows)


def test_an_export_without_that_precision_says_how_to_get_it(exported, capsys):
    with pytest.raises(
        kgan.InputError, match="in float32, not in int8; kgan export --precision int8 makes"
    ):
        kgan.runtime.Generator(exported.path, precision="int8")
    manifest = json.loads((exported.path / "manifest.json").read_text())
    assert not {"precision", "precisions", "file_precision"} & set(manifest)
    assert kgan.runtime.Generator(exported.path, precision="float32").precision == "float32"
    assert main(["generate", "nothing.keras", "--precision", "int8"]) == 2
    assert "--precision is for an export" in capsys.readouterr().err


def test_a_version_of_before_that_is_int8_alone_goes_on_working(capsys):
    """A golden, written by kgan when a precision was a version of its own."""
    generator = kgan.runtime.Generator(BEFORE)
    assert (generator.path.name, generator.precision) == ("model.onnx", "int8")
    assert generator.generate(2).shape == (2, 16, 16, 3)
    assert kgan.runtime.Generator(BEFORE, precision="int8").path == generator.path
    with pytest.raises(kgan.InputError, match="This file is in int8, not in float32"):
        kgan.runtime.Generator(BEFORE, precision="float32")
    (listed,) = kgan.shelf.list_exports(BEFORE.parent)
    assert " onnx int8 " in kgan.shelf.table([listed])[1]
    rows = "\n".join(kgan.shelf.inspect(BEFORE))
    assert re.search(r"model\.onnx in int8 +compared with float32", rows)


@pytest.mark.slow
def test_int8_is_static_and_by_channel(export):
    model = onnx.load(export.path / "model.int8.onnx")
    made = operators(model)
    assert "QuantizeLinear" in made
    assert "DynamicQuantizeLinear" not in made
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    kernels = [
        tensor
        for tensor in stored.values()
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) == 4
    ]
    assert len(kernels) >= 8  # two layers of four phases
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in {k.name for k in kernels}:
            assert list(stored[node.input[1]].dims) == [stored[node.input[0]].dims[0]]
    # The last layer is a float one.
    assert made.count("ConvTranspose") == 1


@pytest.mark.slow
def test_float16_holds_what_float16_holds(export):
    model = onnx.load(export.path / "model.float16.onnx")
    large = [t for t in model.graph.initializer if np.prod(t.dims) >= precision.SMALLEST]
    assert {tensor.data_type for tensor in large} == {onnx.TensorProto.FLOAT16}


def test_a_weight_that_float16_cannot_hold_stays():
    weights = np.full((10, 10), 1e6, np.float32)
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
            "g",
            [onnx.helper.make_tensor_value_info("x", 1, [1, 10])],
            [onnx.helper.make_tensor_value_info("y", 1, [1, 10])],
            [onnx.numpy_helper.from_array(weights, "w")],
        )
    )
    assert operators(precision.with_float16_weights(model)) == ["MatMul"]


@pytest.mark.slow
@pytest.mark.usefixtures("few_inputs")
@pytest.mark.parametrize("form", ["float16", "int8"])
def test_too_far_is_refused_and_nothing_is_left(generator, tmp_path, monkeypatch, form):
    monkeypatch.setitem(precision.PSNR_FLOORS, form, 150.0)
    with pytest.raises(kgan.InputError, match=rf"In {form} .* at least 150 dB is required"):
        kgan.export.to_onnx(generator, tmp_path / "clothes", precision=form)
    assert not (tmp_path / "clothes").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"precision": "int4"}, "float16, int8 or float16,int8.* Received: 'int4'"),
        ({"precision": ("int8", 4)}, r"float16,int8.* Received: \('int8', 4\)"),
        ({"precision": 8}, "float16,int8.* Received: 8"),
        ({"precision": "int8", "optimize": False}, "needs the optimized graph"),
        ({"precision": "int8", "onnx": False}, "precision applies to ONNX.* Received: int8"),
    ],
)
def test_mistakes(generator, tmp_path, arguments, says):
    with pytest.raises(kgan.InputError, match=says):
        kgan.export.export(generator, tmp_path / "clothes", **arguments)


def test_psnr_by_hand():
    expected = np.array([0.0, 2.0, 0.0, 2.0])  # range 2, squared 4
    received = expected + np.array([0.02, -0.02, 0.02, 0.02])  # mean square 4e-4
    assert precision.psnr(expected, received) == pytest.approx(40.0)  # 10 log10(4 / 4e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preset", "form"), [("conv_autoencoder", "float16"), ("autoencoder", "int8")]
)
def test_autoencoders(tmp_path, preset, form):
    model = kgan.Autoencoder.from_preset(preset, image_shape=(16, 16, 1))
    model.compile()
    data = kgan.data.embedded(batch_size=32, image_shape=(16, 16, 1), seed=0)
    model.fit(data, steps_per_epoch=20, verbose=0)
    export = kgan.export.to_onnx(model, tmp_path / "clothes", precision=form)
    assert set(export.precision) == {f"encoder.{form}.onnx", f"decoder.{form}.onnx"}
    shown = np.stack([np.asarray(picture) for picture in data.take(1)])[0]
    levels = kgan.images.to_uint8(shown, model.value_range)
    # A white picture with a black square drives the network further than noise does.
    square = np.full((1, 16, 16, 1), 255, np.uint8)
    square[:, 4:12, 4:12] = 0
    levels = np.concatenate([levels, square])
    small = kgan.runtime.Autoencoder(export.path, form)
    assert small.precision == form
    back = small.reconstruct(levels).astype(float)
    exact = kgan.runtime.Autoencoder(export.path)
    assert exact.precision == "float32"
    assert (exact.encode(levels) != small.encode(levels)).any()
    apart = np.abs(back - model.reconstruct(levels))
    assert apart[:-1].mean() < (0.2 if form == "float16" else 3)
    assert apart[-1].mean() < (0.5 if form == "float16" else 5)


def test_what_gets_no_smaller_is_refused(tmp_path):
    model = kgan.Autoencoder.from_preset("conv_autoencoder", image_shape=(16, 16, 1), filters=4)
    model.compile()
    data = kgan.data.embedded(batch_size=32, image_shape=(16, 16, 1), seed=0)
    model.fit(data, steps_per_epoch=1, verbose=0)  # its biases are zero before
    with pytest.raises(
        kgan.InputError, match=r"In int8 this network would be \d+ bytes, no smaller"
    ):
        kgan.export.to_onnx(model, tmp_path / "codes", precision="int8")
    assert not (tmp_path / "codes").exists()


@pytest.fixture(scope="module")
def attentive():
    """A sagan of 32x32x3 whose attentions count."""
    gan = kgan.GAN.from_preset("sagan", image_shape=(32, 32, 3), filters=16)
    for variable in gan.generator.variables:
        if "attention" in variable.path and variable.path.endswith("gamma"):
            variable.assign(1.0)
    return gan


def around_softmax(model):
    """What each softmax is made of and goes into, as operators, beyond what passes numbers on."""
    made_by = {name: node for node in model.graph.node for name in node.output}
    read_by = {name: node for node in model.graph.node for name in node.input}
    found = [node for node in model.graph.node if node.op_type == "Softmax"]
    return [(made_by[n.input[0]].op_type, read_by[n.output[0]].op_type) for n in found]


def int8_convolutions(model):
    """How many convolutions have their kernel from int8."""
    made_by = {name: node.op_type for node in model.graph.node for name in node.output}
    return sum(
        node.op_type == "Conv" and made_by.get(node.input[1]) == "DequantizeLinear"
        for node in model.graph.node
    )


@pytest.mark.usefixtures("few_inputs")
@pytest.mark.slow
def test_attention_compares_in_float_and_sums_in_int8(attentive):
    (part,) = parts_of(attentive)
    plain = onnx_export.convert(part, 17)
    made = precision.quantized(plain, part)
    assert around_softmax(made) == [("MatMul", "QuantizeLinear")] * 2
    without = precision.quantized(plain, part, attention=False)
    assert around_softmax(without) == [("MatMul", "MatMul")] * 2
    # The layers of the values too, a convolution in each of two attentions.
    assert int8_convolutions(made) == int8_convolutions(without) + 2


@pytest.mark.usefixtures("few_inputs")
@pytest.mark.slow
def test_an_attention_that_int8_would_spoil_stays_in_float(attentive, tmp_path, monkeypatch):
    export = kgan.export.to_onnx(attentive, tmp_path / "kept", precision="int8")
    model = onnx.load(export.path / "model.int8.onnx")
    assert {after for _, after in around_softmax(model)} == {"QuantizeLinear"}
    monkeypatch.setattr(precision, "ATTENTION_COST", -1000.0)  # dB: nothing is near enough
    export = kgan.export.to_onnx(attentive, tmp_path / "spoilt", precision="int8")
    model = onnx.load(export.path / "model.int8.onnx")
    assert {after for _, after in around_softmax(model)} == {"MatMul"}


@pytest.mark.usefixtures("few_inputs")
def test_the_command_prints_size_psnr_and_speed(generator, tmp_path, capsys):
    generator.save(tmp_path / "clothes.keras")
    saved, out = str(tmp_path / "clothes.keras"), str(tmp_path / "saved")
    assert main(["export", saved, "--onnx", "--quantize", "int8", "--out", out]) == 0
    printed = capsys.readouterr().out
    assert "model.int8.onnx in int8 beside float32:" in printed
    assert "dB, " in printed
    assert "times as fast at batch 1" in printed
    with pytest.raises(SystemExit) as stop:
        main(["export", "x", "--precision", "float16", "--quantize", "int8"])
    assert stop.value.code == 2
