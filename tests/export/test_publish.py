"""Exports: parity with Keras, the contract's names and types, versions, whole or not at all."""

import dataclasses
import hashlib
import io
import json
import sys

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf

import kgan
from kgan import latents
from kgan.cli.main import main
from kgan.export import onnx as onnx_export
from kgan.export import publish, verify
from kgan.export.signatures import parts_of
from tests.untrusted.test_promise import NETWORK
from tests.untrusted.tiny import promise

UNSEEN_SEEDS = (77, 4_000_000_000)


def session(path):
    return onnxruntime.InferenceSession(path / "model.onnx", providers=["CPUExecutionProvider"])


def batches():
    """Latents of unseen seeds, in batches of 1, 3 and 8, and of 5, which was never measured."""
    for batch_size in (1, 3, 5, 8):
        for seed in UNSEEN_SEEDS:
            yield latents.from_seeds(range(seed, seed + batch_size), 8)


def run_forms(path):
    onnx_session = session(path)
    loaded = tf.saved_model.load(path)
    layer = keras.layers.TFSMLayer(path, call_endpoint="serving_default")
    return [
        lambda z: onnx_session.run(None, {"latents": z})[0],
        lambda z: loaded.signatures["serving_default"](latents=tf.constant(z))["images"].numpy(),
        lambda z: layer(z)["images"].numpy(),
    ]


@pytest.mark.slow
def test_float_output_is_keras_to_1e_4_in_every_form(trained_gan, exported_floats):
    forms = run_forms(exported_floats.path)
    for z in batches():
        expected = trained_gan.predict(z, verbose=0)
        assert expected.std() > 0.05  # a picture, not a flat field on which all agree
        for run in forms:
            received = run(z)
            assert received.dtype == np.float32
            np.testing.assert_allclose(received, expected, atol=1e-4)


def test_uint8_output_is_keras_to_one_level_in_every_form(trained_gan, exported):
    forms = run_forms(exported.path)
    for z in batches():
        expected = kgan.images.to_uint8(trained_gan.predict(z, verbose=0)).astype(int)
        for run in forms:
            received = run(z)
            assert received.dtype == np.uint8
            np.testing.assert_allclose(received, expected, atol=1)


def test_onnx_keeps_the_contract(exported):
    model = onnx.load(exported.path / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    (latents_input,), (images_output,) = model.graph.input, model.graph.output
    described = [
        (value.name, value.type.tensor_type.elem_type, value.type.tensor_type.shape.dim)
        for value in (latents_input, images_output)
    ]
    shapes = [[d.dim_param or d.dim_value for d in dims] for _, _, dims in described]
    assert [name for name, _, _ in described] == ["latents", "images"]
    assert [kind for _, kind, _ in described] == [onnx.TensorProto.FLOAT, onnx.TensorProto.UINT8]
    assert shapes == [["batch", 8], ["batch", 16, 20, 1]]
    assert {node.domain for node in model.graph.node} == {""}
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 17)]
    schemas = {schema.name for schema in onnx.defs.get_all_schemas()}
    assert {node.op_type for node in model.graph.node} <= schemas


def test_manifest_tells_the_truth_and_stands_in_the_model_too(exported):
    manifest = json.loads((exported.path / "manifest.json").read_text())
    assert manifest["input"] == {"name": "latents", "dtype": "float32", "shape": ["batch", 8]}
    assert manifest["output"]["shape"] == ["batch", 16, 20, 1]
    assert manifest["output"]["dtype"] == "uint8"
    assert manifest["training"]["data"] == "tests"
    assert manifest["training"]["batches_seen"] == 24
    for form in ("onnx", "saved_model"):
        assert manifest["parity"][form]["float_max_abs_difference"] <= 1e-4
        assert manifest["parity"][form]["uint8_max_levels"] <= 1
        assert manifest["parity"][form]["batch_sizes"] == [1, 3, 8]
    listed = manifest.pop("files")
    written = {
        path.relative_to(exported.path).as_posix()
        for path in exported.path.rglob("*")
        if path.is_file()
    }
    assert set(listed) == written - {"manifest.json"}
    for name, facts in listed.items():
        content = (exported.path / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            facts["bytes"],
            facts["sha256"],
        )
    metadata = session(exported.path).get_modelmeta().custom_metadata_map
    assert json.loads(metadata["kgan.manifest"]) == manifest


def test_the_cards_own_lines_make_a_picture(exported, exported_floats, tmp_path, monkeypatch):
    for export in (exported, exported_floats):
        text = (export.path / "README.md").read_text()
        monkeypatch.chdir(export.path)
        code = text.split("```python\n")[1].split("```")[0]
        exec(code.replace("picture.png", str(tmp_path / "picture.png")), {})
        expected_z = np.random.default_rng(0).standard_normal((1, 8), "float32")
        picture = kgan.runtime.Generator(export.path).from_latents(expected_z)[0, ..., 0]
        read = keras.utils.img_to_array(
            keras.utils.load_img(tmp_path / "picture.png", color_mode="grayscale")
        )
        np.testing.assert_allclose(read[..., 0], picture, atol=1)


def test_versions_count_up_and_never_overwrite(trained_gan, tmp_path):
    directory = tmp_path / "clothes"
    paths = [
        kgan.export.to_onnx(trained_gan, directory, optimize=False).path,
        kgan.export.to_saved_model(trained_gan, directory).path,
    ]
    (directory / "7").mkdir()
    paths.append(kgan.export.to_onnx(trained_gan, directory, opset=13).path)
    assert [path.name for path in paths] == ["1", "2", "8"]
    assert sorted(entry.name for entry in directory.iterdir()) == ["1", "2", "7", "8"]
    assert not (paths[0] / "saved_model.pb").exists()
    assert not (paths[1] / "model.onnx").exists()
    assert onnx.load(paths[2] / "model.onnx").opset_import[0].version == 13
    assert (paths[1] / "samples.png").is_file()


def test_versions_of_one_name_are_of_one_kind(small_gan, tmp_path):
    (tmp_path / "1").mkdir()
    for kept, kind in ((NETWORK, "a generator"), (promise(), "an autoencoder")):
        (tmp_path / "1" / "manifest.json").write_text(json.dumps(kept), encoding="utf-8")
        model = small_gan
        if kind == "an autoencoder":
            model = kgan.Autoencoder.from_preset("conv_autoencoder", image_shape=(8, 8, 3))
        with pytest.raises(kgan.InputError, match=f"another directory for {kind}. Received: "):
            kgan.export.to_onnx(model, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["1", "manifest.json"]


def test_a_form_that_differs_is_refused_and_nothing_is_left(trained_gan, tmp_path, monkeypatch):
    def convert_another(part, opset):
        """The same generator with its first kernel a thousandth off."""
        twin = kgan.models.DCGANGenerator.from_config(part.network.get_config())
        weights = part.network.get_weights()
        twin.set_weights([weights[0] * 1.001 + 1e-3, *weights[1:]])
        return convert(dataclasses.replace(part, network=twin), opset)

    convert = onnx_export.convert
    monkeypatch.setattr(onnx_export, "convert", convert_another)
    with pytest.raises(kgan.export.ParityError, match="differs from Keras"):
        kgan.export.export(trained_gan, tmp_path / "new" / "deep" / "clothes")
    assert not (tmp_path / "new").exists()


def test_on_the_command_line_it_is_one_line(trained_gan, tmp_path, monkeypatch, capsys):
    trained_gan.save(tmp_path / "clothes.keras")
    monkeypatch.setattr(verify, "FLOAT_TOLERANCE", 0.0)  # which no other arithmetic meets
    options = ["--onnx", "--no-optimize", "--out", str(tmp_path / "saved")]
    assert main(["export", str(tmp_path / "clothes.keras"), *options]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "differs from Keras by" in line
    assert not (tmp_path / "saved").exists()


def test_a_failure_keeps_the_versions_that_stand(trained_gan, tmp_path, monkeypatch):
    first = kgan.export.to_onnx(trained_gan, tmp_path / "clothes", optimize=False).path
    monkeypatch.setattr(publish, "card", lambda manifest: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        kgan.export.to_onnx(trained_gan, tmp_path / "clothes", optimize=False)
    assert list((tmp_path / "clothes").iterdir()) == [first]


def test_numbers_that_are_not_finite_are_no_parity(trained_gan):
    (part,) = parts_of(trained_gan)

    def part_of(value):
        def network(z, training):
            return np.full((len(z), 4, 4, 1), value, np.float32)

        return dataclasses.replace(part, network=network)

    with pytest.raises(verify.ParityError, match="not finite"):
        verify.parity(part_of(np.nan), None)

    def zeros(arrays):
        return np.zeros((len(arrays["latents"]), 4, 4, 1), np.float32)

    def grey(arrays):
        return np.full(zeros(arrays).shape, 128, np.uint8)

    flat = part_of(0.0)
    verify.parity(flat, zeros, grey)
    with pytest.raises(verify.ParityError, match="nan"):
        verify.parity(flat, lambda z: zeros(z) + np.nan, grey)
    with pytest.raises(verify.ParityError, match="2 levels"):
        verify.parity(flat, zeros, lambda z: grey(z) + np.uint8(2))
    with pytest.raises(verify.ParityError, match=r"gives \(1, 4, 4\)"):
        verify.parity(flat, lambda z: zeros(z)[..., 0], grey)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_mixed_precision_model_is_exported_in_float32(tmp_path, real_images, policy):
    keras.config.set_dtype_policy(policy)
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 20, 1), latent_dim=8, filters=2)
    gan.compile()
    gan.fit(real_images, batch_size=16, verbose=0)
    path = kgan.export.to_onnx(gan, tmp_path / "mixed").path
    keras.config.set_dtype_policy("float32")
    for initializer in onnx.load(path / "model.onnx").graph.initializer:
        assert initializer.data_type not in (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
    generator = kgan.runtime.Generator(path)
    np.testing.assert_allclose(
        generator.generate(5).astype(int), gan.generate(5).astype(int), atol=1
    )


@keras.saving.register_keras_serializable(package="kgan_tests")
class SubclassedGenerator(keras.Model):
    """Layers made under the global policy, as most subclassed models have them."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(16)
        self.reshape = keras.layers.Reshape((4, 4, 1))

    def call(self, latents):
        return keras.ops.tanh(keras.ops.cast(self.reshape(self.dense(latents)), "float32"))


def test_a_subclassed_mixed_precision_generator_is_exported_in_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    generator = SubclassedGenerator()
    generator(np.zeros((1, 3), np.float32))
    discriminator = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(1, dtype="float32")]
    )
    gan = kgan.GAN(generator, discriminator)
    path = kgan.export.export(gan, tmp_path / "own").path
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    z = latents.from_seeds(range(4), 3)
    kernel, bias = (w.numpy() for w in generator.dense.weights)
    expected = kgan.images.to_uint8(np.tanh(z @ kernel + bias)).reshape(4, 4, 4, 1)
    received = kgan.runtime.Generator(path).from_latents(z)
    np.testing.assert_allclose(received.astype(int), expected.astype(int), atol=1)


def test_sides_that_do_not_halve_evenly_export_too(tmp_path):
    gan = kgan.GAN.from_preset("dcgan", image_shape=(28, 36, 3), latent_dim=8, filters=1)
    for weight in gan.generator.weights:  # statistics too: an untrained norm hides mistakes
        weight.assign(weight + 0.05 * np.random.default_rng(1).random(weight.shape))
    generator = kgan.runtime.Generator(kgan.export.to_onnx(gan, tmp_path / "odd").path)
    np.testing.assert_allclose(
        generator.generate(3).astype(int), gan.generate(3).astype(int), atol=1
    )


@pytest.mark.parametrize("export", ["export", "to_onnx", "to_saved_model"])
def test_other_models_are_one_line(trained_gan, tmp_path, export):
    for model, says in (
        (trained_gan.discriminator, "A generator takes|A generator gives images"),
        ("photos.keras", "^No such model. Received: photos.keras$"),
        (3, "^Only a Keras model can be exported.* Received: 3$"),
    ):
        with pytest.raises(kgan.InputError, match=says):
            getattr(kgan.export, export)(model, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_class_names_of_any_bytes_are_in_card_and_manifest(tmp_path, monkeypatch):
    names = ["caf\udce9", "\u72ac"]  # a folder named b"caf\xe9", and one in UTF-8
    sizes = {"image_shape": (16, 16, 1), "latent_dim": 4, "filters": 1}
    gan = kgan.GAN.from_preset("dcgan", class_names=names, **sizes)
    export = kgan.export.to_onnx(gan, tmp_path / "named", optimize=False)
    assert "0 caf\\xe9, 1 \u72ac" in (export.path / "README.md").read_text("utf-8")
    assert kgan.runtime.Generator(export.path).class_names == ["caf\\xe9", names[1]]
    shown = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", shown)
    assert main(["export", "--inspect", str(export.path)]) == 0
    shown.flush()
    assert b"1 \\u72ac" in shown.buffer.getvalue()


def test_mistakes_are_named(trained_gan, tmp_path):
    with pytest.raises(kgan.InputError, match=r"from 13 to 21. Received: 9"):
        kgan.export.to_onnx(trained_gan, tmp_path / "a", opset=9)
    with pytest.raises(kgan.InputError, match=r"TFLite. Received: none"):
        kgan.export.export(trained_gan, tmp_path / "a", onnx=False, saved_model=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(kgan.InputError, match="Cannot write an export there"):
        kgan.export.to_onnx(trained_gan, tmp_path / "file" / "a")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
