"""`.keras` files from anywhere: code in them is not run, and damage is one line."""

import json
import random
import zipfile

import keras
import numpy as np
import pytest

import kgan
from kgan.cli.main import main


@pytest.fixture
def marker(tmp_path):
    """A file that spoiled models try to write."""
    return tmp_path / "code was run"


@pytest.fixture
def with_code(tmp_path, marker):
    """A .keras file of which the generator holds a Lambda that writes the marker."""
    path = tmp_path / "code.keras"
    place = str(marker)
    act = keras.layers.Lambda(lambda x: (open(place, "w").write("run"), x)[1], output_shape=(16,))
    generator = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(16), act, keras.layers.Reshape((4, 4, 1))]
    )
    discriminator = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    gan = kgan.GAN(generator, discriminator, value_range=(-1, 1))
    gan.compile()
    gan.save(path)
    marker.unlink(missing_ok=True)
    return path


def test_the_code_would_run_if_it_were_let(with_code, marker):
    """That the tests below can fail."""
    keras.models.load_model(with_code, safe_mode=False).generate(1)
    assert marker.exists()


def test_code_in_a_model_is_refused_and_not_run(with_code, marker, capsys):
    for load in (kgan.load_gan, lambda path: kgan.load_gan(path, compile=False)):
        with pytest.raises(kgan.InputError, match="holds Python code") as caught:
            load(with_code)
        assert "\n" not in str(caught.value)
    for command in ("generate", "export"):
        assert main([command, str(with_code)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "holds Python code" in line
        assert str(with_code) in line
    assert not marker.exists()


def rewritten(source, target, change):
    """A copy of a .keras file whose config went through `change`."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                change(config)
                data = json.dumps(config)
            new.writestr(name, data)
    return target


@pytest.mark.parametrize("where", ["loss", "layer", "optimizer"])
def test_code_beside_the_networks_is_not_run_either(
    trained_gan, with_code, tmp_path, marker, where
):
    with zipfile.ZipFile(with_code) as archive:
        layers = json.loads(archive.read("config.json"))["config"]["generator"]["config"]["layers"]
    (layer,) = [each for each in layers if each["class_name"] == "Lambda"]
    code = layer["config"]["function"]

    def change(config):
        if where == "loss":
            config["compile_config"]["loss"] = code
        elif where == "layer":
            config["config"]["generator"] = layer
        else:
            config["compile_config"]["g_optimizer"]["config"]["learning_rate"] = code

    trained_gan.save(tmp_path / "good.keras")
    path = rewritten(tmp_path / "good.keras", tmp_path / "spoiled.keras", change)
    with pytest.raises(kgan.InputError, match=r"spoiled\.keras"):
        kgan.load_gan(path).generate(1)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("subprocess", "run"), ("builtins", "eval"), ("keras.utils", "get_file")],
)
def test_other_peoples_functions_are_not_called(trained_gan, tmp_path, marker, module, name):
    given = {"module": module, "class_name": name, "config": f"touch {marker}"}
    trained_gan.save(tmp_path / "good.keras")
    for place in ("loss", "generator"):

        def change(config, place=place):
            config["compile_config" if place == "loss" else "config"][place] = given

        path = rewritten(tmp_path / "good.keras", tmp_path / "spoiled.keras", change)
        with pytest.raises(kgan.InputError, match=r"spoiled\.keras"):
            kgan.load_gan(path)
    assert not marker.exists()


def test_code_is_not_run_where_safe_mode_is_switched_off(with_code, marker):
    keras.config.enable_unsafe_deserialization()
    try:
        with pytest.raises(kgan.InputError, match="holds Python code"):
            kgan.load_gan(with_code)
    finally:
        keras.src.backend.common.global_state.set_global_attribute("safe_mode_saving", None)
    assert not marker.exists()


def test_a_little_file_that_unpacks_to_much(tmp_path):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", " " * 50_000_000)
    with pytest.raises(kgan.InputError, match="unpacks to 50000002"):
        kgan.load_gan(path)


JUNK = (None, True, -1, 0, 1.5, 37, "", "x", [], {}, [[]])


def spoiled(whole, rng):
    """Bytes of a damaged copy of a .keras file."""
    data = bytearray(whole)
    kind = rng.choice(("bits", "cut", "out", "insert"))
    at = rng.randrange(len(data))
    if kind == "cut":
        return data[:at]
    if kind == "out":
        return data[:at] + data[at + rng.choice((1, 50)) :]
    if kind == "insert":
        return data[:at] + rng.randbytes(20) + data[at:]
    for _ in range(20):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def junk_in_the_config(config, rng):
    place = config
    while True:
        key = rng.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
        if not place[key] or not isinstance(place[key], (dict, list)) or rng.random() < 0.1:
            break
        place = place[key]
    place[key] = rng.choice(JUNK)


def outcome(path):
    """(the line of an InputError or None, one picture or None); anything else is raised."""
    try:
        return None, kgan.load_gan(path, compile=False).generate(1)
    except kgan.InputError as error:
        return str(error), None


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_spoiled_files_load_or_are_refused_with_one_line(trained_gan, tmp_path, first):
    good, path = tmp_path / "good.keras", tmp_path / "spoiled.keras"
    trained_gan.save(good)
    for seed in range(first, first + 10):
        rng = random.Random(seed)
        if seed % 2:
            path.write_bytes(spoiled(good.read_bytes(), rng))
        else:
            rewritten(good, path, lambda config, rng=rng: junk_in_the_config(config, rng))
        problem, made = outcome(path)
        if problem is not None:
            assert "\n" not in problem, seed
            continue
        assert made.dtype == np.uint8
        assert made.shape == (1, 16, 20, 1), seed
