"""The SavedModel as a model server runs it: a process without kgan, JSON in and out."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.manifest import MOST_SAMPLES

pytestmark = pytest.mark.slow

# What TensorFlow Serving does with a request of its REST interface, in a process where nothing
# of kgan or Keras can be imported: "inputs" holds a tensor a name, as it stands; "instances" a
# list with an entry a picture. https://www.tensorflow.org/tfx/serving/api_rest
SERVER = """
import json, sys
sys.modules["kgan"] = None
import numpy as np
import tensorflow as tf
sys.modules["keras"] = None

loaded = {}
for line in sys.stdin:
    path, request = json.loads(line)
    if path not in loaded:
        loaded[path] = tf.saved_model.load(path)
    serve = loaded[path].signatures[request.get("signature_name", "serving_default")]
    specs = serve.structured_input_signature[1]
    given = request.get("inputs")
    if given is None:
        rows = request["instances"]
        rows = [row if isinstance(row, dict) else {list(specs)[0]: row} for row in rows]
        given = {name: [row[name] for row in rows] for name in rows[0]}
    tensors = {name: tf.constant(value, specs[name].dtype) for name, value in given.items()}
    try:
        (output,) = serve(**tensors).values()
        key = "outputs" if "inputs" in request else "predictions"
        answer = {key: output.numpy().tolist()}
    except tf.errors.InvalidArgumentError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer))
"""


def card_of(export):
    return (export.path / "README.md").read_text()


def predicted(gan, seeds):
    """Keras's float pictures of seeds."""
    return gan.predict(kgan.latents.from_seeds(seeds, gan.latent_dim), verbose=0)


@pytest.fixture(scope="module")
def classes_gan():
    """A conditional generator of 16x16x1 whose classes differ."""
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 1), filters=2, num_classes=3)
    rng = np.random.default_rng(0)
    for weight in gan.generator.weights:
        weight.assign(weight + 0.1 * rng.random(weight.shape))
    assert (gan.generate(1, labels=0) != gan.generate(1, labels=2)).any()
    return gan


@pytest.fixture(scope="module")
def exports(exported_floats, classes_gan, tmp_path_factory):
    """SavedModels of the trained generator in floats and of the conditional one in levels."""
    directory = tmp_path_factory.mktemp("served") / "clothes"
    return [exported_floats, kgan.export.to_saved_model(classes_gan, directory)]


def served(*requests):
    """Each (export, JSON request)'s answer from a fresh process without kgan."""
    lines = [json.dumps([str(export.path), request]) for export, request in requests]
    done = subprocess.run(
        [sys.executable, "-c", SERVER], input="\n".join(lines), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_server_without_kgan_gives_the_pictures_of_a_seed(trained_gan, classes_gan, exports):
    floats, levels = exports
    asked = {"signature_name": "sample", "inputs": {"seed": 2**32, "n": 3}}
    (of_the_card,) = re.findall(r"curl \S+:predict \\\n\s+-d '(.*)'", card_of(levels))
    latents = kgan.latents.from_seeds([5, 6], 8)
    classes_latents = kgan.latents.from_seeds([5, 6], 100)
    answers = served(
        (levels, asked),
        (levels, json.loads(of_the_card)),
        (levels, {"inputs": {"latents": classes_latents.tolist(), "labels": [2, 0]}}),
        (floats, asked),
        (floats, {"instances": latents.tolist()}),
        (levels, {"signature_name": "sample", "inputs": {"seed": -1, "n": 1}}),
    )
    expected = (
        ("outputs", classes_gan.generate(3, seed=2**32), 1),  # of the classes 1, 2, 0
        ("outputs", classes_gan.generate(4), 1),
        ("outputs", classes_gan.generate(2, seed=5, labels=[2, 0]), 1),
        ("outputs", predicted(trained_gan, range(2**32, 2**32 + 3)), 1e-4),
        ("predictions", predicted(trained_gan, [5, 6]), 1e-4),
    )
    for answer, (key, pictures, tolerance) in zip(answers[:-1], expected, strict=True):
        pictures = pictures.astype(float)
        assert pictures.std() > 10 * tolerance
        np.testing.assert_allclose(answer[key], pictures, atol=tolerance)
    assert "A seed is a whole number from 0 to" in answers[-1]["error"]


def test_a_picture_does_not_depend_on_how_many_are_asked_for(exports):
    for export in exports:
        sample = tf.saved_model.load(export.path).signatures["sample"]
        many, one = (
            sample(seed=tf.constant(seed, tf.int64), n=tf.constant(n))["images"].numpy()
            for seed, n in ((7, 20), (26, 1))
        )
        assert len(many) == 20
        assert many.std(axis=0).max() > 0
        np.testing.assert_allclose(one[0].astype(float), many[19].astype(float), atol=1e-5)


def test_what_a_server_must_not_try_is_refused_at_once(exports):
    sample = tf.saved_model.load(exports[0].path).signatures["sample"]
    for seed, n, says in (
        (-1, 1, "A seed is a whole number"),
        (2**63 - 1, 1, "A seed is a whole number"),
        (0, 0, f"n is a whole number from 1 to {MOST_SAMPLES}"),
        (0, 2**31 - 1, f"n is a whole number from 1 to {MOST_SAMPLES}"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=says):
            sample(seed=tf.constant(seed, tf.int64), n=tf.constant(n))


def test_sample_is_measured_and_described(exports):
    for export, inputs in zip(exports, (["latents"], ["latents", "labels"]), strict=True):
        report = export.parity["saved_model sample"]
        assert report["float_max_abs_difference"] <= 1e-4
        assert report["uint8_max_levels"] <= 1
        manifest = json.loads((export.path / "manifest.json").read_text())
        assert list(manifest["signatures"]["serving_default"]["inputs"]) == inputs
        assert manifest["signatures"]["sample"] == {
            "inputs": {
                "seed": {"dtype": "int64", "shape": []},
                "n": {"dtype": "int32", "shape": [], "maximum": MOST_SAMPLES},
            },
            "output": "images",
        }


def test_other_latents_are_refused(trained_gan, tmp_path, monkeypatch):
    def shifted(seeds, latent_dim, distribution):
        return latents(seeds + 1, latent_dim, distribution)

    latents = kgan.export.signatures.numpy_draws.latents
    monkeypatch.setattr(kgan.export.signatures.numpy_draws, "latents", shifted)
    with pytest.raises(kgan.export.ParityError, match="differs from Keras"):
        kgan.export.to_saved_model(trained_gan, tmp_path / "clothes")
    assert list(tmp_path.iterdir()) == []
