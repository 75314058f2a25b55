"""The onnxruntime client of exported autoencoders, and the contract of their two files."""

import json
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
from PIL import Image

import kgan

PRESETS = {
    "conv_autoencoder": {"image_shape": (8, 12, 1), "filters": 4},
    "autoencoder": {"image_shape": (8, 12, 3), "latent_dim": 5},
}
NUMBERS = {np.dtype("uint8"): onnx.TensorProto.UINT8, np.dtype("float32"): onnx.TensorProto.FLOAT}


@pytest.fixture(scope="module", params=PRESETS)
def model(request):
    """An autoencoder with weights of some size everywhere."""
    model = kgan.Autoencoder.from_preset(request.param, **PRESETS[request.param])
    rng = np.random.default_rng(0)
    for weight in (*model.encoder.weights, *model.decoder.weights):
        weight.assign(weight + 0.1 * rng.random(weight.shape))
    return model


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    """The NAME directory of an export with three versions: uint8, float, and uint8 in opset 13."""
    directory = tmp_path_factory.mktemp("exports") / "codes"
    kgan.export.to_onnx(model, directory)
    kgan.export.to_onnx(model, directory, float_output=True)
    kgan.export.to_onnx(model, directory, opset=13)
    return directory


@pytest.fixture
def pictures(model):
    return np.random.default_rng(1).integers(0, 256, (10, *model.image_shape), np.uint8)


@pytest.mark.parametrize("batch_size", [1, 3, 8, 64])
@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_codes_and_pictures_are_keras_in_every_batch_size(
    model, exported, pictures, version, batch_size
):
    client = kgan.runtime.Autoencoder(exported / version)
    assert (client.image_shape, client.code_shape) == (model.image_shape, model.code_shape)
    codes = client.encode(pictures, batch_size)
    assert codes.dtype == np.float32
    assert codes.std() > 0.05
    np.testing.assert_allclose(codes, model.encode(pictures), atol=1e-4)
    made = client.reconstruct(pictures, batch_size)
    assert made.dtype == np.uint8
    assert made.std() > 1
    expected = model.reconstruct(pictures).astype(int)
    np.testing.assert_allclose(made.astype(int), expected, atol=1)
    np.testing.assert_array_equal(client.decode(codes, batch_size), made)


@pytest.mark.parametrize(("version", "dtype", "opset"), [("1", "uint8", 17), ("2", "float32", 17)])
def test_each_half_keeps_the_contract_and_describes_itself(model, exported, version, dtype, opset):
    manifest = json.loads((exported / version / "manifest.json").read_text())
    assert {"onnx encode", "onnx decode"} == set(manifest["parity"])
    ends = {
        "encoder": (("images", "uint8", model.image_shape), ("codes", "float32", model.code_shape)),
        "decoder": (("codes", "float32", model.code_shape), ("images", dtype, model.image_shape)),
    }
    for half, (taken, given) in ends.items():
        file = onnx.load(exported / version / f"{half}.onnx")
        onnx.checker.check_model(file, full_check=True)
        for (value,), (name, kind, shape) in (
            (file.graph.input, taken),
            (file.graph.output, given),
        ):
            tensor = value.type.tensor_type
            assert (value.name, tensor.elem_type) == (name, NUMBERS[np.dtype(kind)])
            dims = [dim.dim_param or dim.dim_value for dim in tensor.shape.dim]
            assert dims == ["batch", *shape]
        assert [(o.domain, o.version) for o in file.opset_import] == [("", opset)]
        (inside,) = (p.value for p in file.metadata_props if p.key == "kgan.manifest")
        inside = json.loads(inside)
        assert inside.pop("half") == half
        assert inside == {key: value for key, value in manifest.items() if key != "files"}
        assert manifest["parity"][f"onnx {half[:-1]}"]["batch_sizes"] == [1, 3, 8]


def test_every_opset_that_is_offered_runs(model, exported, pictures, tmp_path):
    assert onnx.load(exported / "3" / "encoder.onnx").opset_import[0].version == 13
    newest = kgan.export.to_onnx(model, tmp_path / "codes", opset=21).path
    made = kgan.runtime.Autoencoder(newest).reconstruct(pictures).astype(int)
    np.testing.assert_allclose(made, model.reconstruct(pictures).astype(int), atol=1)


def test_the_cards_own_lines_reconstruct_a_picture(exported, pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(exported / "2")
    code = (exported / "2" / "README.md").read_text().split("```python\n")[1].split("```")[0]
    photo, made = tmp_path / "photo.png", tmp_path / "picture.png"
    kgan.images.save_png(photo, pictures[0])
    exec(code.replace("photo.png", str(photo)).replace("picture.png", str(made)), {})
    expected = kgan.runtime.Autoencoder(exported / "2").reconstruct(pictures[:1])[0]
    received = np.asarray(Image.open(made)).reshape(expected.shape).astype(int)
    np.testing.assert_allclose(received, expected, atol=1)


def test_running_never_imports_tensorflow_or_keras(exported, pictures, tmp_path):
    np.save(tmp_path / "pictures.npy", pictures)
    code = (
        "import sys, kgan, numpy\n"
        f"pictures = numpy.load({str(tmp_path / 'pictures.npy')!r})\n"
        f"assert kgan.runtime.Autoencoder({str(exported)!r}).reconstruct(pictures).std() > 1\n"
        "sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_mistakes_are_one_line(model, exported, pictures, trained_gan, tmp_path):
    client = kgan.runtime.Autoencoder(exported)
    for wrong in (pictures.astype(np.float32), pictures[0], pictures[:, :4]):
        with pytest.raises(kgan.InputError, match=r"uint8 \(N, 8, 12, \d\). Received: "):
            client.encode(wrong)
    codes = client.encode(pictures)
    for wrong in (codes.astype(str), "codes", None, [[1.0], [1.0, 2.0]], codes * np.nan):
        with pytest.raises(kgan.InputError, match=r"codes must be .*numbers\. Received: "):
            client.decode(wrong)
    for wrong in (codes[0], codes[..., :1]):
        with pytest.raises(kgan.InputError, match=r"Codes must be numbers \(N, \d.*Received: "):
            client.decode(wrong)
    with pytest.raises(kgan.InputError, match="batch_size=0"):
        client.encode(pictures, batch_size=0)
    with pytest.raises(kgan.InputError, match="Received: 0 images"):
        client.reconstruct(pictures[:0])
    gan = kgan.export.to_onnx(trained_gan, tmp_path / "gan").path
    for path in (gan, tmp_path, tmp_path / "missing", exported / "1" / "encoder.onnx"):
        with pytest.raises(kgan.InputError, match="Not an autoencoder's export") as caught:
            kgan.runtime.Autoencoder(path)
        assert str(caught.value).endswith(f"Received: {path}")
    with pytest.raises(kgan.InputError, match=r"cannot generate from seeds; kgan.runtime.Auto"):
        kgan.runtime.Generator(exported)


@pytest.mark.parametrize("stranger", ["the other half", "a generator", "a text"])
def test_a_half_that_is_none_is_named(exported, trained_gan, tmp_path, stranger):
    shutil.copytree(exported / "1", tmp_path / "1")
    decoder = tmp_path / "1" / "decoder.onnx"
    if stranger == "the other half":
        shutil.copy(tmp_path / "1" / "encoder.onnx", decoder)
    elif stranger == "a generator":
        shutil.copy(kgan.export.to_onnx(trained_gan, tmp_path / "g").path / "model.onnx", decoder)
    else:
        decoder.write_text("text")
    with pytest.raises(kgan.InputError, match=r"decoder\.onnx") as caught:
        kgan.runtime.Autoencoder(tmp_path / "1")
    assert "\n" not in str(caught.value)
