"""float16 and int8: how far from float32, how small, and refused when too far."""

import json

import numpy as np
import onnx
import pytest

import kgan
from kgan.cli.main import main
from kgan.export import onnx as onnx_export
from kgan.export import precision
from kgan.export.export_options import PRECISIONS
from kgan.export.signatures import parts_of
from tests.export.graph.graphs import operators


@pytest.fixture(scope="module")
def generator():
    """A dcgan of 28x28x1 after 20 real steps, wide enough for phases."""
    gan = kgan.GAN.from_preset("dcgan", image_shape=(28, 28, 1), filters=16, seed=0)
    gan.compile()
    data = kgan.data.embedded(batch_size=16, image_shape=(28, 28, 1), seed=0)
    gan.fit(data, steps_per_epoch=20, verbose=0)
    return gan


@pytest.fixture(scope="module")
def exports(generator, tmp_path_factory):
    """form -> `Export`, each a version of one NAME."""
    directory = tmp_path_factory.mktemp("exports") / "clothes"
    return {form: kgan.export.to_onnx(generator, directory, precision=form) for form in PRECISIONS}


@pytest.fixture
def few_inputs(monkeypatch):
    """For what is not about how good int8 is."""
    monkeypatch.setattr(precision, "CALIBRATION", 16)
    monkeypatch.setattr(precision, "COMPARED", 16)


def pictures(export, n=64):
    return kgan.runtime.Generator(export.path).generate(n, seed=123)


@pytest.mark.slow
@pytest.mark.parametrize(("form", "decibels", "share"), [("float16", 60, 0.51), ("int8", 38, 0.28)])
def test_small_and_near(exports, form, decibels, share):
    expected, made = (pictures(exports[name]).astype(float) for name in ("float32", form))
    error = np.mean((expected - made) ** 2)
    assert 0 < error  # it is another form, and the pictures of 8 bits show that
    # The peak that the manifest's figure is about is that of the floats, no more than 255 here.
    assert 10 * np.log10(np.ptp(expected) ** 2 / error) > decibels - 3  # rounded to levels as well
    (figures,) = exports[form].precision.values()
    assert figures["psnr_db"] > decibels
    size, before = (
        (exports[name].path / "model.onnx").stat().st_size for name in (form, "float32")
    )
    assert size < share * before
    assert figures["bytes"] == pytest.approx(size, rel=0.05)
    assert figures["float32_bytes"] == pytest.approx(before, rel=0.05)


@pytest.mark.slow
def test_the_manifest_and_the_card_tell(exports):
    manifest = json.loads((exports["int8"].path / "manifest.json").read_text())
    assert manifest["precision"]["form"] == "int8"
    figures = manifest["precision"]["files"]["model.onnx"]
    assert figures == exports["int8"].precision["model.onnx"]
    assert figures["speed_batch_1"] > 0
    assert figures["speed_batch_64"] > 0
    # What is said of parity is said of the file that is delivered.
    assert manifest["parity"]["onnx"]["uint8_max_levels"] > 1
    card = (exports["int8"].path / "card.md").read_text()
    assert f"PSNR {figures['psnr_db']:.1f} dB" in card
    assert "precision" not in json.loads((exports["float32"].path / "manifest.json").read_text())


@pytest.mark.slow
def test_int8_is_static_and_by_channel(exports):
    model = onnx.load(exports["int8"].path / "model.onnx")
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
def test_float16_holds_what_float16_holds(exports):
    model = onnx.load(exports["float16"].path / "model.onnx")
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
        ({"precision": "int4"}, "one of float32, float16, int8. Received: 'int4'"),
        ({"precision": "int8", "optimize": False}, "needs the optimized graph"),
        ({"precision": "int8", "onnx": False}, "precision applies to ONNX"),
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
    assert set(export.precision) == {"encoder.onnx", "decoder.onnx"}
    shown = np.stack([np.asarray(picture) for picture in data.take(1)])[0]
    levels = kgan.images.to_uint8(shown, model.value_range)
    # A white picture with a black square drives the network further than noise does.
    square = np.full((1, 16, 16, 1), 255, np.uint8)
    square[:, 4:12, 4:12] = 0
    levels = np.concatenate([levels, square])
    back = kgan.runtime.Autoencoder(export.path).reconstruct(levels).astype(float)
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
    model = onnx.load(export.path / "model.onnx")
    assert {after for _, after in around_softmax(model)} == {"QuantizeLinear"}
    monkeypatch.setattr(precision, "ATTENTION_COST", -1000.0)  # dB: nothing is near enough
    export = kgan.export.to_onnx(attentive, tmp_path / "spoilt", precision="int8")
    model = onnx.load(export.path / "model.onnx")
    assert {after for _, after in around_softmax(model)} == {"MatMul"}


@pytest.mark.usefixtures("few_inputs")
def test_the_command_prints_size_psnr_and_speed(generator, tmp_path, capsys):
    generator.save(tmp_path / "clothes.keras")
    saved, out = str(tmp_path / "clothes.keras"), str(tmp_path / "saved")
    assert main(["export", saved, "--onnx", "--quantize", "int8", "--out", out]) == 0
    printed = capsys.readouterr().out
    assert "model.onnx in int8 beside float32:" in printed
    assert "dB, " in printed
    assert "times as fast at batch 1" in printed
    with pytest.raises(SystemExit) as stop:
        main(["export", "x", "--precision", "float16", "--quantize", "int8"])
    assert stop.value.code == 2
