"""What a discriminator makes of pictures, and how steep it is, against NumPy and SciPy."""

import keras
import numpy as np
import pytest
import scipy.special

import kgan
from kgan.explore import judge, lipschitz
from kgan.explore.judgement import Group, judged, sigmoid
from kgan.explore.lipschitz_norms import gradient_norms, layer_norms, operator_norm
from kgan.layers import SpectralNormalization


def matrix_of(layer, shape):
    """A layer as a dense matrix: what each unit input adds."""
    size = int(np.prod(shape))
    unit = np.eye(size, dtype=np.float32).reshape(size, *shape)
    zero = layer(np.zeros((1, *shape), np.float32)).numpy()
    return (layer(unit).numpy() - zero).reshape(size, -1)


def test_pictures_are_sorted_by_the_discriminators_logit(trained_gan, real_images):
    real = kgan.images.to_uint8(real_images[:6])
    own = np.zeros((1, 16, 20, 1), np.uint8)
    groups = {
        "real": Group(real, [f"real {i}" for i in range(6)]),
        "own": Group(own, ["black"]),
    }
    finding = judge(trained_gan, groups, count=5, seed=3)
    rows = finding.figures["pictures"]
    assert [row["logit"] for row in rows] == sorted((row["logit"] for row in rows), reverse=True)
    drawn = trained_gan.generate(5, seed=3)
    everything = np.concatenate([drawn, real, own])
    floats = kgan.images.from_uint8(everything)
    logits = trained_gan.discriminator.predict(floats, verbose=0)[:, 0]
    names = [*(f"seed {s}" for s in range(3, 8)), *(f"real {i}" for i in range(6)), "black"]
    expected = dict(zip(names, logits, strict=True))
    for row in rows:
        assert row["logit"] == pytest.approx(float(expected[row["name"]]), abs=1e-4)
        assert row["sigmoid"] == pytest.approx(float(scipy.special.expit(row["logit"])), rel=1e-6)
    pairs = logits[5:11, None] > logits[None, :5]
    assert finding.figures["real_above_generated"] == pytest.approx(pairs.mean())
    assert finding.figures["means"]["own"] == pytest.approx(float(logits[-1]), abs=1e-4)
    first = names.index(rows[0]["name"])
    colour = (60, 90, 220) if first < 5 else (40, 150, 60)
    cell = finding.picture[20:][2 + 20 :, 2:]  # below two captions, in the grid
    assert tuple(cell[0, 0]) in (colour, (220, 50, 40))
    np.testing.assert_array_equal(cell[4:68:4, 4:84:4, :1], everything[first])


def test_sigmoid_never_overflows():
    for logit in (-1000.0, -3.0, 0.0, 2.5, 1000.0):
        assert sigmoid(logit) == pytest.approx(float(scipy.special.expit(logit)))


def test_classes_are_needed_where_the_discriminator_takes_them():
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 16, 1), latent_dim=4, filters=2, num_classes=3, seed=0
    )
    images = gan.generate(2)
    with pytest.raises(kgan.InputError, match="3 classes: say which"):
        judged(gan, images)
    given = judged(gan, images, np.array([0, 1]))
    floats = [kgan.images.from_uint8(images), np.array([0, 1])]
    np.testing.assert_allclose(given, gan.discriminator.predict(floats, verbose=0)[:, 0], atol=1e-5)
    with pytest.raises(kgan.InputError, match="real or own"):
        judge(gan, {"others": Group(images, ["a", "b"])})


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (keras.layers.Dense(7), (5,)),
        (keras.layers.Conv2D(3, 5, strides=2, padding="same"), (8, 6, 2)),
        (keras.layers.Conv2DTranspose(2, 4, strides=2, padding="same"), (4, 5, 3)),
        (keras.layers.BatchNormalization(), (4, 4, 6)),
    ],
    ids=["dense", "conv", "transposed", "norm"],
)
def test_operator_norms_are_the_largest_singular_values(layer, shape):
    layer.build((None, *shape))
    rng = np.random.default_rng(0)
    layer.set_weights([np.abs(rng.normal(1, 0.5, w.shape)) for w in layer.weights])
    expected = np.linalg.norm(matrix_of(layer, shape), 2)
    assert operator_norm(layer, shape) == pytest.approx(expected, rel=1e-3)


def test_what_is_no_affine_map_has_no_norm():
    assert operator_norm(keras.layers.ReLU(), (5,)) is None
    assert operator_norm(keras.layers.Dense(3, activation="tanh"), (5,)) is None


def test_with_and_without_spectral_norm():
    images = keras.Input((6, 6, 2))
    conv = SpectralNormalization(keras.layers.Conv2D(4, 3, name="conv"), 30, seed=0, name="normed")
    x = keras.layers.LeakyReLU(0.2)(conv(images))
    network = keras.Model(images, keras.layers.Dense(1, name="logit")(keras.layers.Flatten()(x)))
    kernel = np.random.default_rng(0).normal(size=(3, 3, 2, 4)).astype(np.float32)
    conv.layer.kernel.assign(kernel)
    network(np.zeros((1, 6, 6, 2), np.float32), training=True)  # u and v follow the kernel
    normed, logit = layer_norms(network)
    raw = np.linalg.norm(kernel.reshape(-1, 4), 2)
    assert normed.spectral_norm
    assert not logit.spectral_norm
    assert normed.matrix_without == pytest.approx(raw, rel=1e-5)
    assert normed.matrix == pytest.approx(1, rel=1e-3)
    expected = np.linalg.norm(matrix_of(conv.layer, (6, 6, 2)), 2)
    assert normed.operator_without == pytest.approx(expected, rel=1e-3)
    assert normed.operator == pytest.approx(expected / raw, rel=2e-3)
    length = float(np.linalg.norm(network.layers[-1].kernel))
    assert logit.operator == pytest.approx(length, rel=1e-3)


def test_gradients_are_those_of_a_known_discriminator():
    images = keras.Input((4, 4, 1))
    dense = keras.layers.Dense(1)
    network = keras.Model(images, dense(keras.layers.Flatten()(images) ** 2))
    weights = np.random.default_rng(0).normal(size=(16, 1)).astype(np.float32)
    dense.set_weights([weights, np.zeros(1)])
    real, fake = np.random.default_rng(1).normal(size=(2, 3, 4, 4, 1)).astype(np.float32)
    norms = gradient_norms(network, real, fake)
    for column, share in enumerate(np.linspace(0, 1, 11)):
        at = ((1 - share) * real + share * fake).reshape(3, 16)
        expected = np.linalg.norm(2 * at * weights[:, 0], axis=1)  # of the sum of w x^2
        np.testing.assert_allclose(norms[:, column], expected, rtol=1e-4)


def test_the_report_of_a_gan(trained_gan, real_images):
    finding = lipschitz(trained_gan, kgan.images.to_uint8(real_images[:5]))
    figures = finding.figures
    kinds = {layer.name: layer for layer in trained_gan.discriminator.layers if layer.weights}
    assert [layer["name"] for layer in figures["layers"]] == list(kinds)
    operators = [layer["operator"] for layer in figures["layers"]]
    assert figures["product_of_operators"] == pytest.approx(np.prod(operators))
    # A chain of these and of LeakyReLU: no slope is above the product.
    assert 0 < figures["gradient_norm_largest"] <= figures["product_of_operators"] * 1.001
    assert figures["lines"] == 5
    assert finding.picture.shape[2] == 3
