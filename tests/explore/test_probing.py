"""The probe: its features against NumPy, its draws, and that it tells classes apart."""

import json
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import kgan
from kgan import explore
from kgan.cli.main import main
from kgan.errors import InputError
from kgan.explore.inner_layers import stages_of
from kgan.explore.probe_features import convolution_features, pooled_to_grid
from kgan.explore.probing import drawn
from kgan.images import from_uint8


def test_features_equal_numpy(trained_gan):
    network = trained_gan.discriminator
    levels = np.random.default_rng(0).integers(0, 256, (70, 16, 20, 1), np.uint8)
    found = convolution_features(network, levels, (-1.0, 1.0))
    assert found.shape == (70, 16 * (16 + 32))
    np.testing.assert_allclose(found, numpy_features(network, levels), atol=1e-5)


def numpy_features(network, levels):
    """Those of a dcgan's discriminator of 16x20."""
    expected = []
    for name in ("leaky_relu_8x10", "leaky_relu_4x5"):
        inner = keras.Model(network.input, network.get_layer(name).output)
        maps = np.asarray(inner(from_uint8(levels)))
        pooled = np.empty((len(levels), 4, 4, maps.shape[-1]))
        for row in range(4):
            for column in range(4):
                # Rows of 8: two a part; of 4: one. Columns of 10 and 5: 3 and 2, sharing one.
                rows = {8: [[0, 1], [2, 3], [4, 5], [6, 7]], 4: [[0], [1], [2], [3]]}
                columns = {
                    10: [[0, 1, 2], [2, 3, 4], [5, 6, 7], [7, 8, 9]],
                    5: [[0, 1], [1, 2], [2, 3], [3, 4]],
                }
                part = maps[:, rows[maps.shape[1]][row]][:, :, columns[maps.shape[2]][column]]
                pooled[:, row, column] = part.max((1, 2))
        expected.append(pooled.reshape(len(levels), -1))
    return np.concatenate(expected, 1)


def test_maps_are_pooled_to_the_grid_and_small_ones_repeated():
    maps = np.arange(12, dtype=np.float32).reshape(1, 2, 6, 1)
    found = pooled_to_grid(tf.constant(maps))[0, ..., 0]
    np.testing.assert_array_equal(found, [[1, 2, 4, 5]] * 2 + [[7, 8, 10, 11]] * 2)
    maps = np.random.default_rng(0).normal(size=(3, 8, 12, 2)).astype(np.float32)
    parts = maps.reshape(3, 4, 2, 4, 3, 2).max((2, 4))  # of one size
    np.testing.assert_array_equal(pooled_to_grid(tf.constant(maps)), parts)


def test_stages_end_after_their_activation_and_before_what_moves_values():
    image = keras.Input((16, 16, 1))
    x = layers.Conv2D(2, 3, name="a")(image)
    y = layers.ReLU(name="a_relu")(layers.BatchNormalization()(x))
    y = layers.MaxPooling2D()(y)
    y = keras.Sequential([layers.Conv2D(2, 3, name="b"), layers.LeakyReLU(name="b_leaky")])(y)
    z = layers.Conv2D(2, 1, name="c")(y)  # used twice: the chain ends
    network = keras.Model(image, layers.Add()([layers.ReLU()(z), z]))
    found = [(stage.convolution.name, stage.output.name) for stage in stages_of(network)]
    assert found == [("a", "a_relu"), ("b", "b_leaky"), ("c", "c")]
    for preset, count in (("sagan", 5), ("dcgan_tanh", 2)):
        shape = (28, 28, 1) if preset == "dcgan_tanh" else (32, 32, 1)
        gan = kgan.GAN.from_preset(preset, image_shape=shape, filters=2, latent_dim=4)
        stages = stages_of(gan.discriminator)
        assert len(stages) <= count
        assert [s.convolution.name for s in stages] == [
            layer.name
            for layer in gan.discriminator.layers
            if isinstance(getattr(layer, "layer", layer), keras.layers.Conv2D)
        ]


def test_draws_have_as_many_of_each_class_and_none_twice():
    classes = np.repeat([3, 5, 9], [40, 60, 50])
    draw = drawn(classes, 30, np.random.default_rng(0))
    for part in draw[:2]:
        assert [int((classes[part] == name).sum()) for name in (3, 5, 9)] == [10, 10, 10]
    assert np.sort(np.concatenate(draw)).tolist() == list(range(150))
    draw = drawn(classes, None, np.random.default_rng(0))
    assert [len(part) for part in draw] == [120, 15, 15]
    with pytest.raises(InputError, match="40 of class 3, for 20, 20 and 0"):
        drawn(classes, 60, np.random.default_rng(0))


def edges(count):
    """Images of upright or level stripes, at random places and strengths, with noise."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 2
    images = np.empty((count, 16, 20, 1), np.uint8)
    for image, label in zip(images, labels, strict=True):
        phase = rng.integers(0, 4)
        lines = (np.arange(20) + phase) // 2 % 2
        stripes = np.broadcast_to(lines if label else lines[:16, None], (16, 20))
        sign = rng.choice([-1, 1]) * rng.uniform(20, 60)
        image[..., 0] = np.clip(
            127 + sign * (2 * stripes - 1) + rng.normal(0, 20, (16, 20)), 0, 255
        )
    return images, labels


def test_convolutions_tell_stripes_apart_that_pixels_do_not(small_gan):
    pytest.importorskip("sklearn")
    images, labels = edges(240)
    kernels = np.zeros((5, 5, 1, 8), np.float32)  # upright and level edges, both signs
    kernels[1:4, 2, 0, 0] = kernels[2, 1:4, 0, 1] = [-1, 2, -1]
    kernels[..., 2:4] = -kernels[..., :2]
    small_gan.discriminator.get_layer("down_8x10").kernel.assign(kernels)
    found = explore.probe(small_gan, images, labels, labelled=80, draws=2).finding
    assert found.figures["trained"]["mean"] > 0.95 > found.figures["raw"]["mean"]
    assert (found.figures["train"], found.figures["validation"], found.figures["test"]) == (
        80,
        80,
        80,
    )
    assert found.figures["trained"]["deviation"] == pytest.approx(
        np.std(found.figures["trained"]["accuracies"], ddof=1)
    )
    again = explore.probe(small_gan, images, labels, labelled=80, draws=2).finding
    assert again.figures == found.figures


def test_without_scikit_learn_one_line_says_so(small_gan, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.svm", None)
    small_gan.save(tmp_path / "gan.keras")
    assert main(["explore", "probe", str(tmp_path / "gan.keras"), "--data", "embedded"]) == 2
    assert "pip install kgan[explore]" in capsys.readouterr().err


def test_the_command(small_gan, tmp_path, capsys):
    pytest.importorskip("sklearn")
    images, labels = edges(120)
    np.savez(tmp_path / "stripes.npz", images=images, labels=labels)
    small_gan.save(tmp_path / "gan.keras")
    out = tmp_path / "probe.png"
    given = ["explore", "probe", str(tmp_path / "gan.keras"), "-o", str(out), "--draws", "1"]
    assert main([*given, "--data", str(tmp_path / "stripes.npz"), "--labels", "40"]) == 0
    assert "batch statistics of 40 real images" in capsys.readouterr().out
    figures = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert figures["trained"]["deviation"] is None
    np.savez(tmp_path / "none.npz", images=images)
    assert main([*given, "--data", str(tmp_path / "none.npz")]) == 2
    assert "no classes" in capsys.readouterr().err
