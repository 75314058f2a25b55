"""The onnxruntime client draws the same pictures as Keras."""

import os
import subprocess
import sys

import numpy as np
import onnx
import pytest

import kgan


@pytest.fixture(scope="module")
def exported(trained_gan, tmp_path_factory):
    """The NAME directory of an export with two versions, uint8 and float32."""
    directory = tmp_path_factory.mktemp("exports") / "clothes"
    kgan.export.to_onnx(trained_gan, directory)
    kgan.export.to_onnx(trained_gan, directory, float_output=True)
    return directory


@pytest.mark.parametrize("batch_size", [1, 3, 64])
@pytest.mark.parametrize("version", ["1", "2"])
def test_the_same_seed_gives_keras_pictures_in_every_batch_size(
    trained_gan, exported, version, batch_size
):
    generator = kgan.runtime.Generator(exported / version)
    received = generator.generate(10, seed=123, batch_size=batch_size)
    assert received.dtype == np.uint8
    expected = trained_gan.generate(10, seed=123)
    np.testing.assert_allclose(received.astype(int), expected.astype(int), atol=1)


def test_a_file_a_version_and_a_name_are_all_exports(exported):
    paths = [exported / "1" / "model.onnx", exported / "2", exported, exported / "latest"]
    versions = [kgan.runtime.Generator(path).info["version"] for path in paths]
    assert versions == [1, 2, 2, 2]
    (exported / "10").mkdir()  # being written: not an export yet
    with pytest.raises(kgan.InputError, match="Not an export"):
        kgan.runtime.Generator(exported)
    (exported / "10").rmdir()


def test_the_file_alone_describes_itself(exported, tmp_path):
    alone = tmp_path / "anything.onnx"
    alone.write_bytes((exported / "1" / "model.onnx").read_bytes())
    info = kgan.runtime.Generator(alone).info
    assert info["latents"]["dim"] == 8
    assert info["output"]["dtype"] == "uint8"


def test_from_latents_and_grid(exported):
    generator = kgan.runtime.Generator(exported)
    latents = kgan.latents.from_seeds([4, 5], 8)
    np.testing.assert_array_equal(generator.from_latents(latents), generator.generate(2, seed=4))
    assert generator.grid(6, seed=4).shape == (2 * 18 + 2, 3 * 22 + 2, 1)
    with pytest.raises(kgan.InputError, match=r"\(N, 8\). Received: \(2, 7\)"):
        generator.from_latents(latents[:, :7])
    with pytest.raises(kgan.InputError, match="n=0"):
        generator.generate(0)


def test_drawing_never_imports_tensorflow_or_keras(exported):
    code = (
        "import sys, kgan\n"
        f"kgan.runtime.Generator({str(exported)!r}).grid(4)\n"
        "sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_no_export_is_named(exported, tmp_path):
    whole = (exported / "1" / "model.onnx").read_bytes()
    (tmp_path / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.onnx").write_text("a text file")
    (tmp_path / "empty.onnx").write_text("")
    for name in ("cut.onnx", "text.onnx", "empty.onnx"):
        with pytest.raises(kgan.InputError, match=name) as caught:
            kgan.runtime.Generator(tmp_path / name)
        assert "\n" not in str(caught.value)
    foreign = onnx.load(exported / "1" / "model.onnx")
    del foreign.metadata_props[:]
    onnx.save(foreign, tmp_path / "foreign.onnx")
    with pytest.raises(kgan.InputError, match="Not the manifest of a kgan export"):
        kgan.runtime.Generator(tmp_path / "foreign.onnx")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "missing.onnx"):
        with pytest.raises(kgan.InputError, match="Not an export"):
            kgan.runtime.Generator(path)


@pytest.mark.parametrize("asked", [None, "0"])
def test_onnxruntime_writes_nothing_about_its_use(exported, tmp_path, asked):
    environment = os.environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": ""}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    if asked is not None:
        environment["ORT_DISABLE_TELEMETRY"] = asked
    code = f"""
import kgan, os, time
kgan.runtime.Generator({str(exported)!r}).generate(1)
time.sleep(1)  # it writes in a thread of its own
print(os.environ["ORT_DISABLE_TELEMETRY"])
"""
    said = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert said.strip() == (asked or "1")  # what the user set stays
    if asked is None:
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


WRONG = ("4", None, 1.5, float("nan"), -1, True, [2], b"1")


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_wrong_arguments_are_one_line(exported, value):
    generator = kgan.runtime.Generator(exported)
    latents = np.zeros((1, 8), np.float32)
    calls = [
        lambda: generator.generate(value),
        lambda: generator.generate(1, seed=value),
        lambda: generator.generate(1, batch_size=value),
        lambda: generator.grid(value),
        lambda: generator.from_latents(value),
        lambda: generator.from_latents(np.full((1, 8), float("nan"))),
        lambda: generator.from_latents([["a"] * 8]),
        lambda: generator.from_latents([[1.0], [1.0, 2.0]]),
        lambda: generator.from_latents(np.full((1, 8), 1e300)),
        lambda: generator.from_latents(latents, labels=0),
    ]
    for call in calls:
        with pytest.raises(kgan.InputError, match="Received: ") as caught:
            call()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", [None, 7, 1.5, b"x", "\0", ["x"], ""], ids=repr)
def test_a_path_that_is_none_is_one_line(path):
    for kind in (kgan.runtime.Generator, kgan.runtime.Autoencoder):
        with pytest.raises(kgan.InputError):
            kind(path)
