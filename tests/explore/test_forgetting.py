"""Forgetting: the regression, what boxes mean, and generators that do forget."""

import json

import keras
import numpy as np
import pytest
from scipy.optimize import minimize

import kgan
from kgan import explore
from kgan.cli.main import main
from kgan.errors import InputError
from kgan.explore.forgetting import activations
from kgan.explore.logistic import fit_logistic
from kgan.explore.silencing import silenced, stage_of


def test_logistic_regression_equals_scipys_minimum():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 5))
    positive = rows @ [2, -1, 0, 0, 0.5] + rng.normal(size=200) > 1
    found = fit_logistic(rows, positive, 0.7)
    share = positive.mean()

    def loss(w):
        chances = 1 / (1 + np.exp(-(rows @ w[:5] + w[5])))
        logs = np.where(positive, np.log(chances) / share, np.log(1 - chances) / (1 - share))
        return w[:5] @ w[:5] / 2 - 0.7 * logs.sum() / 2

    expected = minimize(loss, np.zeros(6), tol=1e-12).x
    np.testing.assert_allclose(found.weights, expected[:5], atol=1e-4)
    assert found.bias == pytest.approx(expected[5], abs=1e-4)


def test_it_ends_where_all_is_told_apart():
    rows = np.array([[-2.0, 0], [-1, 0], [1, 0], [2, 0]])
    found = fit_logistic(rows, np.array([False, False, True, True]))
    assert found.weights[0] > 0.5
    assert found.weights[1] == 0


def boxes(tmp_path, contents, shape=(16, 20, 1)):
    path = tmp_path / "boxes.json"
    path.write_text(contents if isinstance(contents, str) else json.dumps(contents))
    return explore.read_boxes(path, shape)


def test_a_box_has_the_places_whose_middles_lie_in_it(tmp_path):
    marked = boxes(
        tmp_path,
        {
            "image_shape": [16, 20],
            "boxes": {"3": [[4, 2, 10, 8]], "5": [], "1": [[0, 0, 2, 2], [18, 14, 20, 16]]},
        },
    )
    assert marked.seeds(True) == [3, 1]
    assert marked.seeds(False) == [5]
    inside = marked.inside(3, (8, 10))  # of two pixels a place
    expected = np.zeros((8, 10), bool)
    expected[1:4, 2:5] = True
    np.testing.assert_array_equal(inside, expected)
    assert np.argwhere(marked.inside(1, (8, 10))).tolist() == [[0, 0], [7, 9]]
    assert not marked.inside(5, (8, 10)).any()


@pytest.mark.parametrize(
    "contents",
    [
        "{",
        "[]",
        '{"image_shape": [16, 20]}',
        '{"image_shape": [16, 20], "boxes": {"a": []}}',
        '{"image_shape": [16, 20], "boxes": {"-1": []}}',
        '{"image_shape": [16, 20], "boxes": {"1": [[0, 0, 4]]}}',
        '{"image_shape": [16, 20], "boxes": {"1": [[4, 0, 4, 8]]}}',
        '{"image_shape": [16, 20], "boxes": {"1": [[NaN, 0, 4, 8]]}}',
        '{"image_shape": [Infinity, 20], "boxes": {"1": []}}',
    ],
)
def test_other_json_is_refused(tmp_path, contents):
    with pytest.raises(InputError, match="Boxes are JSON of the form"):
        boxes(tmp_path, contents)


def test_boxes_of_another_size_are_refused(tmp_path):
    with pytest.raises(InputError, match="of images of 16x20, the model's are of 28x28"):
        boxes(tmp_path, {"image_shape": [16, 20], "boxes": {}}, (28, 28, 1))


@pytest.mark.parametrize(
    ("preset", "classes", "layer"),
    [
        ("dcgan", None, None),
        ("dcgan", 2, None),
        ("dcgan_512", None, None),
        ("dcgan_tanh", None, None),
        ("sagan", 2, None),
        ("r3gan", None, "block_8x8_1_mix"),
    ],
)
def test_silenced_maps_are_0_and_the_others_as_they_were(preset, classes, layer):
    side = {"dcgan_tanh": 28, "r3gan": 8}.get(preset, 32)
    options = {"filters": 16 if layer else 2, "latent_dim": 4, "num_classes": classes}
    gan = kgan.GAN.from_preset(preset, image_shape=(side, side, 1), **options)
    for weight in gan.generator.weights:
        if weight.path.endswith("_bias/bias"):
            weight.assign(np.linspace(-1, 1, weight.shape[0]))
    inputs = [np.ones((2, 4), np.float32)] + ([] if classes is None else [np.array([0, 1])])
    stage = stage_of(gan.generator, layer)
    copy = silenced(gan.generator, stage.convolution.name, np.array([1]), inputs)

    def maps(network):
        layer = network.get_layer(stage.output.name)
        inner = keras.Model(network.input, layer.output)
        return np.asarray(inner(inputs if classes else inputs[0]))

    before, after = maps(gan.generator), maps(copy)
    assert np.abs(before[..., 1]).max() > 0
    assert not after[..., 1].any()
    np.testing.assert_array_equal(np.delete(after, 1, -1), np.delete(before, 1, -1))


def gan_with_an_object(seed=0):
    """A GAN whose maps 0 to 2 of the second-highest layer draw a square at a place of the latent.

    The images are grey, with a weak pattern from maps 3 to 7, and a white square at the left
    or at the right, or none, by the first number of the latent.
    """
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 1), latent_dim=8, filters=2, seed=0)
    layers = keras.layers
    latents = keras.Input((8,), name="latents")
    first = latents[:, :1]
    left = keras.ops.relu(first)[:, :, None, None] * square(1)
    right = keras.ops.relu(-first)[:, :, None, None] * square(5)
    others = layers.Reshape((8, 8, 5))(layers.Dense(320, activation="relu")(latents))
    x = layers.Concatenate()([left, right, left + right, others])
    x = layers.Conv2D(8, 1, use_bias=False, name="maps")(x)
    x = layers.ReLU(name="active")(x)
    images = layers.Conv2DTranspose(1, 2, strides=2, activation="tanh", name="to_image")(x)
    generator = keras.Model(latents, images)
    rng = np.random.default_rng(seed)
    generator.get_layer("maps").kernel.assign(np.eye(8, dtype=np.float32)[None, None])
    strengths = np.array([2, 2, 2, *rng.normal(0, 0.3, 5)], np.float32)
    kernel = np.broadcast_to(strengths, (2, 2, 1, 8))
    generator.get_layer("to_image").kernel.assign(kernel)
    return kgan.GAN(generator, gan.discriminator)


def square(left):
    mask = np.zeros((1, 8, 8, 1), np.float32)
    mask[:, 3:6, left : left + 2] = 1
    return mask


def marked_squares(gan, count=30):
    first = explore.Subject(gan).latents(range(count))[:, 0]
    places = {True: [2, 6, 6, 12], False: [10, 6, 14, 12]}
    found = {i: [places[z > 0]] if abs(z) > 0.3 else [] for i, z in enumerate(first.tolist())}
    return explore.MarkedBoxes((16, 16), found)


@pytest.mark.parametrize(
    "negatives",
    ["contrast", *(pytest.param(name, marks=pytest.mark.slow) for name in ("elsewhere", "random"))],
)
def test_the_maps_that_draw_an_object_are_found_and_the_object_goes(negatives):
    gan = gan_with_an_object()
    forgot = explore.forget(gan, marked_squares(gan), negatives=negatives, threshold=0.5)
    dropped = forgot.finding.figures["dropped"].tolist()
    assert set(dropped) >= {0, 1, 2}
    assert len(dropped) < 6
    seeds = range(100, 160)
    before, after = (np.stack([m.generate(60, seed=100)])[0] for m in (gan, forgot.gan))
    bright = np.abs(explore.Subject(gan).latents(seeds)[:, 0]) > 0.5
    assert (before[bright].max((1, 2, 3)) > 240).all()
    assert (after[bright].max((1, 2, 3)) < 230).mean() > 0.9
    changes = forgot.finding.figures["changes"]
    assert (
        changes["dropped"]["levels_inside_boxes"] > 2 * changes["dropped"]["levels_outside_boxes"]
    )
    assert forgot.finding.figures["told_apart"] > 0.7


def test_activations_are_those_of_the_layer():
    gan = gan_with_an_object()
    found = activations(explore.Subject(gan), "maps", range(40))
    assert found.shape == (40, 8, 8, 8)
    first = explore.Subject(gan).latents(range(40))[:, 0]
    np.testing.assert_allclose(found[:, 4, 1, 0], np.maximum(first, 0), atol=1e-6)


def test_what_cannot_be_forgotten_is_said(trained_gan):
    gan = gan_with_an_object()
    marked = marked_squares(gan)
    with pytest.raises(InputError, match="drops some maps and keeps some"):
        explore.forget(gan, marked, threshold=1e9)
    with pytest.raises(InputError, match="There must be a box"):
        explore.forget(gan, explore.MarkedBoxes((16, 16), {1: []}))
    one = explore.MarkedBoxes((16, 16), {1: [[2, 2, 9, 9]]})
    with pytest.raises(InputError, match="no such object"):
        explore.forget(gan, one, negatives="contrast")
    with pytest.raises(InputError, match=r"No such convolution\. Known: maps, to_image"):
        explore.forget(gan, marked, layer="active_")
    with pytest.raises(InputError, match="too small for maps"):
        explore.forget(gan, explore.MarkedBoxes((16, 16), {1: [[0, 0, 0.5, 0.5]]}))


def test_the_command_marks_forgets_and_exports(tmp_path, capsys, trained_gan):
    trained_gan.save(tmp_path / "gan.keras")
    given = ["explore", "forget", str(tmp_path / "gan.keras"), "-o", str(tmp_path / "out.png")]
    assert main([*given, "--mark", "--seeds", "0-9"]) == 0
    page = capsys.readouterr().out.splitlines()[-1]
    assert page == str(tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert text.count("data:image/png;base64,") == 10
    assert '"DATA"' not in text
    marked = {"image_shape": [16, 20], "boxes": {str(i): [[4, 4, 14, 12]] for i in range(8)}}
    (tmp_path / "boxes.json").write_text(json.dumps(marked))
    given += ["--boxes", str(tmp_path / "boxes.json"), "--export", str(tmp_path / "forgot.keras")]
    assert main(given) == 0
    figures = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    gan = kgan.load_gan(tmp_path / "forgot.keras", compile=False)
    maps = activations(explore.Subject(gan), figures["layer"], range(8))
    assert figures["layer"] == "relu_8x10"
    assert not maps[..., figures["dropped"]].any()
    assert main(["generate", str(tmp_path / "forgot.keras"), "-o", str(tmp_path / "g.png")]) == 0
    capsys.readouterr()
    assert main([*given[:-1], str(tmp_path / "forgot.h5")]) == 2
    assert "is a .keras file" in capsys.readouterr().err
