"""What holds for the networks of every preset: sizes, mistakes."""

import numpy as np
import pytest

from kgan.errors import InputError
from kgan.models import PRESETS, AutoencoderPreset, get_preset
from kgan.models.presets import conditional_presets, make_networks

# another shape than the default, one that is not square where the preset makes such
OTHER_SHAPES = {
    "gan": (20, 12, 3),
    "dcgan": (28, 36, 1),
    "dcgan_512": (32, 48, 1),
    "dcgan_k4": (32, 40, 1),
    "dcgan_upsample": (32, 44, 1),
    "dcgan_tanh": (32, 20, 3),
    "sagan": (16, 24, 1),
    "r3gan": (16, 20, 1),
    "fastgan": (32, 40, 1),
    "autoencoder": (10, 14, 1),
    "conv_autoencoder": (20, 28, 1),
}


@pytest.mark.parametrize("name", PRESETS)
def test_the_networks_of_a_preset_fit_each_other_at_another_shape(name):
    filters = 8 if get_preset(name).filters else None
    first, second = make_networks(name, image_shape=OTHER_SHAPES[name], filters=filters).values()
    assert first.output_shape == second.input_shape
    in_images = isinstance(get_preset(name), AutoencoderPreset)
    assert (first.input_shape if in_images else first.output_shape)[1:] == OTHER_SHAPES[name]
    inputs = np.random.default_rng(0).normal(size=(2, *first.input_shape[1:])).astype(np.float32)
    assert second(first(inputs)).shape == (2, *second.output_shape[1:])


@pytest.mark.parametrize(
    ("name", "shape", "sizes"),
    [
        ("gan", (300, 28, 1), "1 to 256"),
        ("dcgan_512", (64, 40, 3), "multiples of 16"),
        ("dcgan_k4", (28, 28, 1), "8, 16, 32, 64, 128 or 256"),
        ("sagan", (64, 70, 3), "multiples of 4"),
        ("sagan", (64, 68, 3), "multiple of a quarter"),
        ("dcgan_tanh", (30, 28, 1), "multiples of 4"),
        ("r3gan", (32, 32, 9), "Channels must be from 1 to 8"),
        ("fastgan", (28, 28, 1), "from 32 to 512"),
        ("fastgan", (96, 96, 3), "32, 64, 128, 256 or 512"),
        ("conv_autoencoder", (30, 30, 3), "multiples of 4"),
    ],
)
def test_a_size_that_a_preset_cannot_make_names_those_it_can(name, shape, sizes):
    with pytest.raises(InputError, match=sizes):
        make_networks(name, image_shape=shape)


def test_arguments_a_preset_has_no_place_for_are_named():
    assert conditional_presets() == ["r3gan", "dcgan", "sagan"]
    with pytest.raises(
        InputError, match=r"cannot be conditional; these can: r3gan, dcgan, sagan\. Received: gan"
    ):
        make_networks("gan", num_classes=10)
    with pytest.raises(InputError, match=r"autoencoder has no filters\. Received: filters=4"):
        make_networks("autoencoder", filters=4)
    with pytest.raises(
        InputError, match=r"these can have .*: dcgan, dcgan_512, dcgan_upsample\. Received"
    ):
        make_networks("r3gan", minibatch_stddev=True)
    with pytest.raises(InputError, match="at least 2"):
        make_networks("dcgan", num_classes=1)
    with pytest.raises(InputError, match=r"Known: r3gan, .*, gan\. Received: 'autoencoder'"):
        get_preset("autoencoder", type(PRESETS["gan"]))
