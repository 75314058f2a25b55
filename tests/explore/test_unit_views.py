"""`units`, `kernels` and `feature_maps`, of GANs and of classifiers, and their command."""

import json

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from kgan import explore
from kgan.cli.main import main
from kgan.errors import InputError
from kgan.images import from_uint8, to_uint8


@pytest.fixture(scope="module")
def levels(real_images):
    return to_uint8(real_images)


def classifier(first=None):
    return keras.Sequential(
        [
            keras.Input((16, 20, 1)),
            *([] if first is None else [first]),
            layers.Conv2D(5, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(3, activation="softmax", name="classes"),
        ]
    )


def test_made_images_excite_more_than_real_ones_do(trained_gan, levels):
    chosen = range(16)
    found = explore.units(trained_gan, "leaky_relu_8x10", levels, chosen=chosen, shown=3)
    assert found.figures["beaten"] >= 0.9
    inner = keras.Model(
        trained_gan.discriminator.input,
        trained_gan.discriminator.get_layer("leaky_relu_8x10").output,
    )
    maps = np.asarray(inner(from_uint8(levels)))
    for unit, figure in found.figures["units"].items():
        strongest = maps[..., unit].max((1, 2))
        assert figure["strongest"] == pytest.approx(strongest.max(), rel=1e-5)
        expected = sorted(range(64), key=lambda i: (-strongest[i], i))[:3]
        assert [each["index"] for each in figure["images"]] == expected
        for image in figure["images"]:
            top, left, bottom, right = image["box"]
            assert 0 < bottom - top <= 5
            assert 0 < right - left <= 5
    twins = [figure["untrained"]["strongest"] for figure in found.figures["units"].values()]
    assert np.isfinite(twins).all()


@pytest.mark.slow
def test_deeper_units_too(trained_gan, levels):
    found = explore.units(trained_gan, "leaky_relu_4x5", levels, chosen=range(32), shown=1)
    assert found.figures["beaten"] >= 0.9
    assert found.picture.dtype == np.uint8
    assert found.picture.ndim == 3


def test_units_of_a_generator_are_seen_in_what_it_draws(trained_gan):
    found = explore.units(trained_gan, "relu_8x10", chosen=[1, 3], shown=4, count=30)
    inner = keras.Model(
        trained_gan.generator.input, trained_gan.generator.get_layer("relu_8x10").output
    )
    maps = np.asarray(inner(explore.Subject(trained_gan).latents(range(30))))
    for unit in (1, 3):
        strongest = maps[..., unit].max((1, 2))
        figure = found.figures["units"][unit]
        assert figure["images"][0]["index"] == strongest.argmax()
        assert figure["strongest"] == pytest.approx(strongest.max(), rel=1e-4)


def test_any_network_of_images(levels):
    found = explore.units(classifier(), "conv", levels, chosen=[0, 4], shown=2)
    assert found.figures["value_range"] == (0.0, 1.0)
    scaling = classifier(layers.Rescaling(1 / 255))
    assert explore.units(scaling, "classes", levels, chosen=[2]).figures["value_range"][1] == 255.0


def test_what_cannot_be_is_said_in_one_line(trained_gan, levels):
    with pytest.raises(InputError, match=r"units 0 to 15. Received: \[16\]"):
        explore.units(trained_gan, "leaky_relu_8x10", levels, chosen=[16])
    with pytest.raises(InputError, match="Name the images"):
        explore.units(trained_gan, "leaky_relu_8x10")
    with pytest.raises(InputError, match="No such layer"):
        explore.units(trained_gan, "conv", levels)
    dense = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(1)])
    with pytest.raises(InputError, match="No convolution here sees"):
        explore.kernels(dense)
    with pytest.raises(InputError, match="None of its networks takes images"):
        explore.kernels(keras.Sequential([keras.Input((3,)), layers.Dense(1)]))


def test_kernels_are_tiled_as_they_are(trained_gan):
    found = explore.kernels(trained_gan)
    weights = np.asarray(trained_gan.discriminator.get_layer("down_8x10").kernel)
    assert found.figures["kernels"] == weights.shape[-1] == 16
    scaled = np.rint(127.5 + 127.5 * weights[..., 0, 5] / np.abs(weights).max())
    times = 7  # 5 pixels to at least 32
    tile = found.picture[4 + 39 : 39 + 39, 4 + 39 : 39 + 39, 0]  # the sixth of rows of four
    np.testing.assert_array_equal(tile[::times, ::times], scaled)


def test_maps_of_every_layer_for_one_image(levels):
    network = classifier()
    found = explore.feature_maps(network, levels[0])
    assert list(found.figures["layers"]) == [layer.name for layer in network.layers[:2]]
    maps = np.asarray(network.get_layer("conv")(from_uint8(levels[:1], (0.0, 1.0))))
    figure = found.figures["layers"]["conv"]
    assert figure["shape"] == [14, 18, 5]
    assert figure["largest"] == pytest.approx(maps.max(), rel=1e-5)
    with pytest.raises(InputError, match="Images must be uint8"):
        explore.feature_maps(network, levels[0, :8])


def test_the_command_takes_a_classifier_in_both_forms(levels, tmp_path, capsys):
    np.savez(tmp_path / "pictures.npz", images=levels)
    Image.fromarray(levels[0, ..., 0]).save(tmp_path / "one.png")
    network = classifier()
    for name in ("network.keras", "network.h5"):
        network.save(tmp_path / name)
        out = tmp_path / f"{name}.png"
        given = [str(tmp_path / name), "-o", str(out)]
        data = ["--data", str(tmp_path / "pictures.npz"), "-n", "20"]
        command = ["explore", "units", *given]
        assert main([*command, "--layer", "conv", "--units", "0-1,4", *data]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == str(out)
        figures = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
        assert list(figures["units"]) == ["0", "1", "4"]
        assert figures["images"] == 20
    assert main([*command, "--kernels"]) == 0
    assert main([*command, "--maps", str(tmp_path / "one.png")]) == 0
    capsys.readouterr()
    assert main([*command, "--layer", "conv"]) == 2
    assert "Name the images with --data" in capsys.readouterr().err
