"""Any Keras generator is exported: from memory or a file, with what nobody said told."""

import json

import keras
import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

import kgan
from kgan.export.own_generators import own_generator

L = keras.layers


def network(last="tanh", shape=(8, 8, 1)):
    latents = keras.Input((6,))
    x = L.Dense(int(np.prod(shape)), last)(L.Dense(5, "tanh")(latents))
    return keras.Model(latents, L.Reshape(shape)(x), name="own")


def manifest_of(export):
    return json.loads((export.path / "manifest.json").read_text())


def run(export, name="images", **arrays):
    return onnxruntime.InferenceSession(export.path / "model.onnx").run([name], arrays)[0]


def save(model, place, form):
    path = place / {"keras": "own.keras", "h5": "own.h5"}.get(form, "own")
    if form == "export":
        model.export(path, verbose=False)
    elif form == "saved_model":
        tf.saved_model.save(model, str(path))
    else:
        model.save(path)
    return path


@pytest.mark.parametrize("form", ["memory", "keras", "h5", "export", "saved_model"])
def test_each_form_gives_what_keras_gives(tmp_path, form):
    model = network()
    given = model if form == "memory" else save(model, tmp_path, form)
    export = kgan.export.to_onnx(given, tmp_path / "out", float_output=True)
    latents = np.random.default_rng(3).normal(size=(5, 6)).astype("float32")
    np.testing.assert_allclose(
        run(export, latents=latents), model.predict(latents, verbose=0), atol=1e-4
    )
    manifest = manifest_of(export)
    assert manifest["output"]["value_range"] == [-1.0, 1.0]
    assert manifest["latents"]["distribution"] == "normal"
    assert manifest["training"] == {"preset": None, "parameters": 6 * 5 + 5 + 5 * 64 + 64}
    assert kgan.runtime.Generator(export.path).generate(3).shape == (3, 8, 8, 1)


@pytest.mark.parametrize("said", [None, "normal", "uniform"])
def test_a_distribution_that_nobody_said_is_told(tmp_path, said):
    export = kgan.export.to_onnx(network(), tmp_path / "out", latents=said)
    latents = manifest_of(export)["latents"]
    assert latents["distribution"] == (said or "normal")
    assert ("assumed" in latents) == (said is None)
    assert ("assumed" in (export.path / "README.md").read_text()) == (said is None)
    assert [line.split(":")[0] for line in export.assumed] == ["latents"] * (said is None)
    shown = "\n".join(kgan.shelf.inspect(export.path))
    assert ("normal, assumed" in shown) == (said is None)


def own_sigmoid(latents):
    return keras.ops.sigmoid(L.Reshape((8, 8, 1))(L.Dense(64)(latents)))


@pytest.mark.parametrize(
    ("output", "value_range"),
    [
        (own_sigmoid, (0, 1)),
        (
            lambda z: L.Cropping2D(1)(L.Activation("tanh")(L.Reshape((4, 4, 3))(L.Dense(48)(z)))),
            (-1, 1),
        ),
        (lambda z: L.UpSampling2D(2)(L.Reshape((4, 4, 1))(L.Dense(16, "sigmoid")(z))), (0, 1)),
        (lambda z: network("sigmoid")(z), (0, 1)),
    ],
    ids=["ops", "cropped", "enlarged", "nested"],
)
def test_a_range_is_read_off_the_last_activation(output, value_range):
    latents = keras.Input((6,))
    model = keras.Model(latents, output(latents))
    assert own_generator(model).value_range == value_range


def test_a_range_that_cannot_be_read_is_asked_for(tmp_path):
    latents = keras.Input((6,))
    model = keras.Model(latents, L.Rescaling(127.5, 127.5)(network()(latents)), name="levels")
    with pytest.raises(
        kgan.InputError,
        match=r"say it, such as --value-range=-1,1 or value_range=\(-1, 1\).*levels",
    ):
        kgan.export.to_onnx(model, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    export = kgan.export.to_onnx(model, tmp_path / "out", value_range=(0, 255))
    drawn = kgan.latents.from_seeds(range(4), 6)
    levels = np.rint(model.predict(drawn, verbose=0)).clip(0, 255)
    np.testing.assert_allclose(run(export, latents=drawn).astype(int), levels, atol=1)


@pytest.mark.parametrize("arranged", ["reversed", "named", "saved_model"])
def test_labels_are_found_wherever_they_go_in(tmp_path, arranged):
    latents, labels = keras.Input((6,), name="noise"), keras.Input((1,), name="kind")
    x = L.Concatenate()([latents, L.Flatten()(L.Embedding(3, 2)(labels))])
    images = L.Reshape((4, 4, 1))(L.Dense(16, "tanh")(x))
    inputs = {"noise": latents, "kind": labels} if arranged == "named" else [labels, latents]
    model, more = keras.Model(inputs, images), {}
    given = model
    if arranged == "saved_model":
        given, more = save(model, tmp_path, "export"), {"num_classes": 3}
        with pytest.raises(kgan.InputError, match=r"does not say how many there are.*num_classes"):
            kgan.export.to_onnx(given, tmp_path / "out")
    export = kgan.export.to_onnx(given, tmp_path / "out", float_output=True, **more)
    assert manifest_of(export)["labels"]["num_classes"] == 3
    drawn, kinds = kgan.latents.from_seeds(range(5), 6), np.array([0, 1, 2, 2, 1])
    by_name = {"noise": drawn, "kind": kinds[:, None]}
    expected = model(by_name if arranged == "named" else [kinds[:, None], drawn])
    np.testing.assert_allclose(run(export, latents=drawn, labels=kinds), expected, atol=1e-4)


def test_latents_of_another_shape_become_vectors(tmp_path):
    latents = keras.Input((1, 1, 6))
    images = L.Conv2DTranspose(1, 4, activation="tanh")(latents)
    model = keras.Model(latents, images)
    export = kgan.export.to_onnx(model, tmp_path / "out", float_output=True)
    drawn = kgan.latents.from_seeds(range(3), 6)
    expected = model(drawn.reshape(3, 1, 1, 6))
    np.testing.assert_allclose(run(export, latents=drawn), expected, atol=1e-4)


def audio():
    latents = keras.Input((6,))
    x = L.UpSampling1D(4)(L.Reshape((8, 2))(L.Dense(16)(latents)))
    return keras.Model(latents, L.Conv1D(1, 5, padding="same")(x), name="audio")


def table():
    rows = keras.Input((4, 3))
    return keras.Model(rows, L.Dense(2)(L.Flatten()(rows)), name="table")


@pytest.mark.parametrize("made", [table, pytest.param(audio, marks=pytest.mark.slow)])
def test_plain_outputs_are_those_of_keras_without_pictures(tmp_path, made):
    model = made()
    with pytest.raises(kgan.InputError, match=r"gives images.*--plain \(plain=True\)"):
        kgan.export.to_onnx(model, tmp_path / "out")
    export = kgan.export.export(model, tmp_path / "out", plain=True)
    drawn = np.random.default_rng(1).normal(size=(7, *model.input_shape[1:])).astype("float32")
    expected = model.predict(drawn, verbose=0)
    np.testing.assert_allclose(run(export, "outputs", latents=drawn), expected, atol=1e-4)
    served = tf.saved_model.load(str(export.path)).signatures
    np.testing.assert_allclose(
        served["serving_default"](latents=drawn)["outputs"], expected, atol=1e-4
    )
    manifest = manifest_of(export)
    assert manifest["kind"] == "network"
    shape = ["batch", *model.output_shape[1:]]
    assert manifest["output"] == {"name": "outputs", "dtype": "float32", "shape": shape}
    seeded = eval(manifest["latents"]["law"], {"numpy": np, "seed": 5})
    from_seed = served["sample"](seed=tf.constant(5, tf.int64), n=tf.constant(1))["outputs"]
    np.testing.assert_allclose(from_seed, model(seeded[None]), atol=1e-4)
    assert all(set(report) >= {"seeds"} for report in manifest["parity"].values())
    assert not any("uint8_max_levels" in report for report in manifest["parity"].values())
    assert not (export.path / "samples.png").exists()
    assert "PIL" not in (export.path / "README.md").read_text()
    assert kgan.shelf.inspect(export.path)
    with pytest.raises(kgan.InputError, match="gives no images"):
        kgan.runtime.Generator(export.path)


def test_what_does_not_go_together_is_one_line(trained_gan, tmp_path):
    nine, two = network(shape=(4, 4, 9)), keras.Model(*[keras.Input((6,))] * 2)
    for model, options, says in (
        (trained_gan, {"latents": "uniform"}, "a GAN knows its own. Received: latents='uniform'"),
        (trained_gan, {"plain": True}, "a GAN knows its own"),
        (nine, {}, r"C from 1 to 8; --plain .* It gives: \(None, 4, 4, 9\)"),
        (two, {"plain": True, "value_range": (0, 1)}, "value_range is for images"),
        (two, {"plain": True, "float_output": True}, "float32 already"),
        (network(), {"num_classes": 3}, "takes none. Received: 3"),
        (network(), {"value_range": (1, 0)}, "value_range must be two numbers, the lower first"),
        (network(), {"latents": "cauchy"}, "latents must be one of normal, uniform"),
        (keras.Model(two.input, [two.output, two.output]), {}, "gives one output of floats"),
    ):
        with pytest.raises(kgan.InputError, match=says) as caught:
            kgan.export.to_onnx(model, tmp_path / "out", **options)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_an_export_says_what_it_is(exported, tmp_path):
    says = "This is an export already: clothes, version 1, a generator of 16x20x1 pictures"
    for path in (exported.path, exported.path.parent, exported.path / "model.onnx"):
        with pytest.raises(kgan.InputError, match=says):
            kgan.export.to_onnx(path, tmp_path / "out")
    (tmp_path / "other.tflite").write_bytes(b"    TFL3")
    with pytest.raises(kgan.InputError, match="a TFLite file, which an export writes"):
        kgan.export.to_onnx(tmp_path / "other.tflite", tmp_path / "out")


@keras.saving.register_keras_serializable("test_own_generators")
class Noisy(L.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.seeds = keras.random.SeedGenerator(1)

    def call(self, values):
        return values + keras.random.normal(keras.ops.shape(values), seed=self.seeds)


@pytest.mark.parametrize("said", [{}, {"value_range": (-1, 1)}, {"plain": True}])
def test_what_has_no_graph_of_its_inputs_alone_is_one_line(tmp_path, said):
    own = network()
    drawing = keras.Model(own.inputs, Noisy()(own.outputs[0]), name="drawing")
    path = save(drawing, tmp_path, "export")
    odd = keras.Model(own.inputs, own.outputs[0], name="é name")
    for model, says in ((path, "writes variables"), (odd, "name of a model .* 'é name'")):
        with pytest.raises(kgan.InputError, match=says):
            kgan.export.to_onnx(model, tmp_path / "out", **said)
    assert not (tmp_path / "out").exists()
    tf.function(own)(tf.zeros((1, 6)))  # Keras kept no scope of the odd name


def test_a_list_of_one_output_is_that_output():
    own = network()
    again = own_generator(keras.Model(own.inputs, own.outputs, name="again"))
    assert (again.output_shape, again.value_range) == ((8, 8, 1), (-1, 1))
    latents = np.ones((2, 6), np.float32)
    np.testing.assert_array_equal(again.network(latents), own(latents))
