"""Every preset against SYSTEMS' table: layers, widths, parameters and training numbers.

The parameter counts are worked out here from the layer sizes alone: a Dense or
convolution has inputs x outputs x kernel places weights and `outputs` biases;
batch normalisation has 4 numbers a channel; spectral normalisation keeps u (rows)
and v (the product of the other sizes).
"""

import itertools
import math

import keras
import numpy as np
import pytest

from kgan.models import PRESETS, get_preset
from kgan.models.presets import conditional_presets, make_networks
from kgan.models.r3gan import R3GANDiscriminator, R3GANGenerator
from kgan.models.room import weight_bytes
from kgan.preset_list import LISTED


def kinds(network):
    """Class names of the layers that are not merely shape or dtype."""
    silent = ("InputLayer", "Reshape", "Activation")
    names = [type(layer).__name__ for layer in network.layers]
    return [name for name in names if name not in silent]


def layers_of(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def adam_of(config):
    assert config["class_name"] == "Adam"
    return tuple(config["config"][key] for key in ("learning_rate", "beta_1", "beta_2"))


def networks(name):
    made = list(make_networks(name).values())
    assert tuple(network.count_params() for network in made) == LISTED[name].parameters
    return made


def test_the_list_has_every_preset_and_which_have_classes():
    assert list(LISTED) == list(PRESETS)
    assert [name for name, listed in LISTED.items() if listed.classes] == conditional_presets()
    networks("dcgan")  # the others are counted by their own tests


def test_gan_is_dense_alone():
    generator, discriminator = networks("gan")
    hidden = ["Dense", "LeakyReLU", "BatchNormalization"]
    assert kinds(generator) == [*(3 * hidden), "Dense"]
    assert [d.units for d in layers_of(generator, keras.layers.Dense)] == [256, 512, 1024, 784]
    assert generator.layers[-2].activation is keras.activations.sigmoid
    weights = 100 * 256 + 256 * 512 + 512 * 1024 + 1024 * 784
    assert generator.count_params() == weights + (256 + 512 + 1024 + 784) + 4 * (256 + 512 + 1024)
    assert kinds(discriminator) == ["Flatten", *(2 * ["Dense", "LeakyReLU"]), "Dense"]
    assert discriminator.count_params() == 784 * 512 + 512 * 256 + 256 * 1 + 512 + 256 + 1
    slopes = {x.negative_slope for x in layers_of(discriminator, keras.layers.LeakyReLU)}
    assert slopes == {0.2}


def test_dcgan_512_is_the_exercises():
    generator, discriminator = networks("dcgan_512")
    up = ["Conv2DTranspose", "ReLU", "BatchNormalization"]
    head = ["Dense", "ReLU", "BatchNormalization"]
    assert kinds(generator) == [*head, *(3 * up), "Conv2DTranspose"]
    ups = layers_of(generator, keras.layers.Conv2DTranspose)
    assert [layer.filters for layer in ups] == [512, 256, 128, 3]
    assert {(x.kernel_size, x.strides, x.padding) for x in ups} == {((5, 5), (2, 2), "same")}
    base = 4 * 4 * 512
    weights = 100 * base + 25 * (512 * 512 + 512 * 256 + 256 * 128 + 128 * 3)
    biases = base + 512 + 256 + 128 + 3
    assert generator.count_params() == weights + biases + 4 * (512 + 512 + 256 + 128)
    assert kinds(discriminator) == [*(4 * ["Conv2D", "LeakyReLU"]), "Flatten", "Dense"]
    downs = layers_of(discriminator, keras.layers.Conv2D)
    assert [layer.filters for layer in downs] == [32, 64, 128, 256]
    weights = 25 * (3 * 32 + 32 * 64 + 64 * 128 + 128 * 256) + 4 * 4 * 256
    assert discriminator.count_params() == weights + 32 + 64 + 128 + 256 + 1


def test_dcgan_k4_has_no_dense_layer():
    generator, discriminator = networks("dcgan_k4")
    stage = ["Conv2DTranspose", "BatchNormalization", "ReLU"]
    assert kinds(generator) == [*(4 * stage), "Conv2DTranspose"]
    ups = layers_of(generator, keras.layers.Conv2DTranspose)
    assert [layer.filters for layer in ups] == [512, 256, 128, 64, 3]
    assert {layer.kernel_size for layer in ups} == {(4, 4)}
    assert [layer.strides[0] for layer in ups] == [1, 2, 2, 2, 2]
    assert generator.input_shape == (None, 20)
    weights = 16 * (20 * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64 * 3)
    assert generator.count_params() == weights + 3 + 4 * (512 + 256 + 128 + 64)
    assert kinds(discriminator) == [*(4 * ["Conv2D", "LeakyReLU"]), "Conv2D", "Flatten"]
    downs = layers_of(discriminator, keras.layers.Conv2D)
    assert [layer.filters for layer in downs] == [64, 128, 256, 512, 1]
    assert {x.negative_slope for x in layers_of(discriminator, keras.layers.LeakyReLU)} == {0.1}
    weights = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 1)
    assert discriminator.count_params() == weights + 64 + 128 + 256 + 512 + 1


def test_dcgan_upsample_is_128_px_without_transposed_convolutions():
    generator, discriminator = networks("dcgan_upsample")
    up = ["UpSampling2D", "Conv2D", "BatchNormalization", "ReLU"]
    assert kinds(generator) == ["Dense", "BatchNormalization", "ReLU", *(2 * up), "Conv2D"]
    assert generator.output_shape == (None, 128, 128, 3)
    assert generator.get_layer("base").output.shape == (None, 32, 32, 128)
    base = 32 * 32 * 128
    weights = 100 * base + 9 * (128 * 128 + 128 * 64 + 64 * 3)
    assert generator.count_params() == weights + 3 + 4 * (128 + 128 + 64)
    down = ["Conv2D", "BatchNormalization", "LeakyReLU"]
    assert kinds(discriminator) == ["Conv2D", "LeakyReLU", *(3 * down), "Flatten", "Dense"]
    downs = layers_of(discriminator, keras.layers.Conv2D)
    assert {layer.strides for layer in downs} == {(2, 2)}
    weights = 9 * (3 * 32 + 32 * 64 + 64 * 128 + 128 * 256) + 8 * 8 * 256
    assert discriminator.count_params() == weights + 32 + 4 * (64 + 128 + 256) + 1


def test_dcgan_tanh_is_the_mnist_tours():
    generator, discriminator = networks("dcgan_tanh")
    assert kinds(generator) == [
        *("Dense", "Dense", "BatchNormalization"),
        *(2 * ["UpSampling2D", "Conv2D"]),
    ]
    weights = 100 * 1024 + 1024 * 7 * 7 * 128 + 25 * (128 * 64 + 64 * 1)
    assert (
        generator.count_params() == weights + 1024 + 5 * 7 * 7 * 128 + 64 + 1
    )  # normalised unit by unit
    assert kinds(discriminator) == [*(2 * ["Conv2D", "MaxPooling2D"]), "Flatten", "Dense", "Dense"]
    first, second = layers_of(discriminator, keras.layers.Conv2D)
    assert (first.padding, second.padding) == ("same", "valid")
    # 28 -> pooled 14 -> valid 10 -> pooled 5
    weights = 25 * (1 * 64 + 64 * 128) + 5 * 5 * 128 * 1024 + 1024
    assert discriminator.count_params() == weights + 64 + 128 + 1024 + 1
    hidden = [*layers_of(discriminator, keras.layers.Conv2D), discriminator.get_layer("dense")]
    assert {layer.activation for layer in hidden} == {keras.activations.tanh}
    assert keras.layers.ReLU not in {type(layer) for layer in generator.layers}


def attention_numbers(channels):
    """Weights and biases of query, key and value, their u and v, and gamma."""
    eighth = channels // 8
    weights = channels * (eighth + eighth + channels) + eighth + eighth + channels
    return weights + (eighth + eighth + channels) + 3 * channels + 1


def test_sagan_is_the_4x4_body_with_spectral_norm_and_attention():
    generator, discriminator = networks("sagan")
    stage = ["SpectralNormalization", "BatchNormalization", "ReLU"]
    attentive = [*stage, "SelfAttention2D"]
    assert kinds(generator) == [*stage, *stage, *attentive, *attentive, "SpectralNormalization"]
    widths = [(20, 512), (512, 256), (256, 128), (128, 64), (64, 3)]
    kernels = sum(16 * i * o for i, o in widths)
    vectors = sum(16 * i + o for i, o in widths)  # u by outputs, v by the rest
    norms = 4 * (512 + 256 + 128 + 64)
    attention = attention_numbers(128) + attention_numbers(64)
    assert generator.count_params() == kernels + 3 + vectors + norms + attention
    stage = ["SpectralNormalization", "LeakyReLU"]
    attentive = [*stage, "SelfAttention2D"]
    assert kinds(discriminator) == [
        *(2 * stage),
        *(2 * attentive),
        *("SpectralNormalization", "Flatten"),
    ]
    widths = [(3, 64), (64, 128), (128, 256), (256, 512), (512, 1)]
    kernels = sum(16 * i * o + o for i, o in widths)
    vectors = sum(16 * i + o for i, o in widths)
    attention = attention_numbers(256) + attention_numbers(512)
    assert discriminator.count_params() == kernels + vectors + attention


def r3gan_block(channels):
    inner = 2 * channels
    return channels * inner + 9 * 16 * inner + inner * channels + 2 * inner


def test_r3gan_is_the_papers_scaled_down():
    generator, discriminator = networks("r3gan")
    # 4, 8, 16 and 32 px of 128 channels, two blocks each, groups of 16 channels
    assert generator.count_params() == (64 * 128 + 4 * 4 * 128 + 4 * 2 * r3gan_block(128) + 128 * 3)
    assert discriminator.count_params() == (3 * 128 + 4 * 2 * r3gan_block(128) + 4 * 4 * 128 + 128)
    for network in (generator, discriminator):
        assert not any("Normalization" in kind for kind in kinds(network))
        assert kinds(network).count("GroupedConv2D") == 8
    at_64 = make_networks("r3gan", image_shape=(64, 64, 3))["generator"]
    narrowing = 128 * 64  # a 1x1 convolution where the width halves
    assert at_64.count_params() - generator.count_params() == (
        2 * r3gan_block(64) + narrowing + 64 * 3 - 128 * 3
    )


def test_r3gan_at_the_papers_widths_has_its_numbers_of_weights():
    """Those of FFHQ-256: 768 channels to 32 px, then half, two blocks each; none is allocated."""
    stages = {768: 8, 384: 2, 192: 2, 96: 2}  # width -> blocks: 4 to 32 px, 64, 128, 256
    both = sum(n * r3gan_block(width) for width, n in stages.items())
    both += 768 * 384 + 384 * 192 + 192 * 96 + 4 * 4 * 768 + 3 * 96
    # 23,057,952 and 23,009,568
    for network, more in ((R3GANGenerator, 64 * 768), (R3GANDiscriminator, 768)):
        counted = weight_bytes(lambda: [network((256, 256, 3), filters=768)]) // 4  # noqa: B023
        assert counted == both + more


def test_r3gan_starts_as_its_own_initialisation():
    generator, _ = networks("r3gan")
    gain = np.sqrt(2 / 1.04)
    blocks = 8
    for layer in generator.layers:
        if layer.name.endswith("_contract"):
            assert not layer.kernel.numpy().any()  # each block starts as the identity
        if layer.name.endswith("_expand"):
            expected = gain * blocks**-0.25 / np.sqrt(128)
            assert layer.kernel.numpy().std() == pytest.approx(expected, rel=0.03)
        if layer.name.endswith("_mix"):
            expected = gain * blocks**-0.25 / np.sqrt(9 * 16)
            assert layer.kernel.numpy().std() == pytest.approx(expected, rel=0.03)
    assert generator.get_layer("base").basis.numpy().std() == pytest.approx(1.0, rel=0.06)


@pytest.mark.slow
def test_fastgan_is_the_papers_without_noise():
    generator, discriminator = networks("fastgan")
    # 4 to 256 px; two convolutions of 8, 32 and 128 px, and gates from 4, 8 and 16 px
    widths = {4: 1024, 8: 512, 16: 256, 32: 128, 64: 128, 128: 64, 256: 32}
    gated = [(512, 1024), (512, 512), (256, 512), (128, 256), (128, 128), (128, 128)]
    gated += [(64, 128), (64, 64), (32, 64)]  # outputs, inputs
    kernels = 256 * 4 * 4 * 2048 + sum(9 * 2 * o * i for o, i in gated) + 9 * 32 * 3
    norms = 4 * 2 * (1024 + sum(o for o, _ in gated))
    gates = sum(16 * widths[s // 16] * widths[s] + widths[s] ** 2 for s in (64, 128, 256))
    assert generator.count_params() == kernels + norms + gates
    sides = [layer.output.shape[1] for layer in generator.layers if "_excite" in layer.name]
    assert sides == [64, 128, 256]
    # 256 px to 8: each halving has 4x4, 3x3 and pooled 1x1 convolutions, each with its norm
    widths = [16, 32, 64, 128, 256, 512]
    spectral = [(27, 16), (512, 1024), (16 * 1024, 1)]  # all inputs of a place, outputs
    norms = 4 * 1024
    for i, o in itertools.pairwise(widths):
        spectral += [(16 * i, o), (9 * o, o), (i, o)]
        norms += 3 * 4 * o
    judge = sum(i * o + i + o for i, o in spectral) + norms  # u by outputs, v by inputs
    for maps in (512, 256):  # both decoders make 128 px of 8
        steps = itertools.pairwise((maps, 128, 64, 64, 32))
        judge += sum(9 * i * 2 * o + 4 * 2 * o for i, o in steps) + 9 * 32 * 3
    assert discriminator.count_params() == judge
    assert hidden_activations(generator) == [*(3 * ["leaky 0.2", "sigmoid"]), "tanh"]
    assert hidden_activations(discriminator) == 17 * ["leaky 0.2"]
    preset = get_preset("fastgan")
    assert adam_of(preset.g_optimizer) == adam_of(preset.d_optimizer) == (2e-4, 0.5, 0.999)
    assert (preset.loss, preset.batch_size, preset.latent_dim) == ("hinge", 8, 256)
    assert (preset.diff_augment, preset.length) == ("color,translation", {"steps": 50_000})


def test_autoencoder_is_two_linear_layers():
    encoder, decoder = networks("autoencoder")
    pixels = 64 * 64 * 3
    assert (kinds(encoder), kinds(decoder)) == (["Flatten", "Dense"], ["Dense"])
    assert encoder.count_params() == pixels * 64 + 64
    assert decoder.count_params() == 64 * pixels + pixels
    for network in (encoder, decoder):
        (dense,) = layers_of(network, keras.layers.Dense)
        assert dense.activation is keras.activations.linear


def test_conv_autoencoder_pools_twice_and_grows_twice():
    encoder, decoder = networks("conv_autoencoder")
    assert kinds(encoder) == 2 * ["Conv2D", "MaxPooling2D"]
    assert [x.filters for x in layers_of(encoder, keras.layers.Conv2D)] == [32, 16]
    assert encoder.count_params() == 9 * (3 * 32 + 32 * 16) + 32 + 16
    ups = layers_of(decoder, keras.layers.Conv2DTranspose)
    assert [(x.filters, x.kernel_size, x.strides) for x in ups] == [
        (64, (2, 2), (2, 2)),
        (3, (2, 2), (2, 2)),
    ]
    assert decoder.count_params() == 4 * (16 * 64 + 64 * 3) + 64 + 3


def test_training_numbers_are_the_sources():
    for name in ("gan", "dcgan", "dcgan_512", "dcgan_upsample"):
        preset = get_preset(name)
        assert preset.loss == "bce"
        assert adam_of(preset.g_optimizer) == adam_of(preset.d_optimizer) == (2e-4, 0.5, 0.999)
    for name, loss in (("dcgan_k4", "bce"), ("sagan", "hinge")):
        preset = get_preset(name)
        assert preset.loss == loss
        assert adam_of(preset.g_optimizer) == (1e-4, 0.0, 0.9)
        assert adam_of(preset.d_optimizer) == (4e-4, 0.0, 0.9)
        assert preset.latent_dim == 20
    tour = get_preset("dcgan_tanh")
    sgd = {"learning_rate": 5e-4, "momentum": 0.9, "nesterov": True}
    assert tour.g_optimizer == tour.d_optimizer == {"class_name": "SGD", "config": sgd}
    assert (tour.latent_distribution, tour.batch_size) == ("uniform", 128)
    assert (tour.length, tour.loss_options) == ({"epochs": 100}, {"one_mean": True})
    upsample = get_preset("dcgan_upsample")
    assert (upsample.d_update, upsample.d_share) == ("sequential", 0.5)
    for name in ("autoencoder", "conv_autoencoder"):
        assert adam_of(get_preset(name).optimizer)[0] == 1e-3
        assert get_preset(name).loss == "mean_squared_error"
        assert get_preset(name).length == {"steps": 1000}
    modern = get_preset("r3gan")
    assert (modern.loss, modern.ema_half_life_images) == ("relativistic", 500_000)
    for optimizer in (modern.g_optimizer, modern.d_optimizer):
        assert adam_of(optimizer)[1] == 0.0
    own = {p.latent_distribution for p in PRESETS.values() if hasattr(p, "latent_distribution")}
    assert own == {"normal", "uniform"}


def hidden_activations(network):
    """What follows each layer with weights but the last: its own activation, or the next layer."""
    names = []
    for layer in network.layers:
        kind = type(layer).__name__
        if kind == "LeakyReLU":
            names.append(f"leaky {layer.negative_slope:g}")
        elif kind == "ReLU":
            names.append("relu")
        else:
            activation = getattr(layer, "activation", keras.activations.linear)
            if activation is not keras.activations.linear:
                names.append(activation.__name__)
    return names


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("gan", [*(3 * ["leaky 0.2"]), "sigmoid"], 2 * ["leaky 0.2"]),
        ("dcgan", [*(4 * ["relu"]), "tanh"], 4 * ["leaky 0.2"]),
        ("dcgan_512", [*(4 * ["relu"]), "tanh"], 4 * ["leaky 0.2"]),
        ("dcgan_k4", [*(4 * ["relu"]), "tanh"], 4 * ["leaky 0.1"]),
        ("dcgan_upsample", [*(3 * ["relu"]), "tanh"], 4 * ["leaky 0.2"]),
        ("dcgan_tanh", 4 * ["tanh"], 3 * ["tanh"]),
        ("sagan", [*(4 * ["relu"]), "tanh"], 4 * ["leaky 0.1"]),
        ("r3gan", 16 * ["leaky 0.2"], 16 * ["leaky 0.2"]),
        ("autoencoder", [], []),
        ("conv_autoencoder", [], []),
    ],
)
def test_activations_are_the_sources(name, first, second):
    assert [hidden_activations(network) for network in networks(name)] == [first, second]


@pytest.mark.parametrize("name", ["dcgan", "dcgan_512", "dcgan_k4", "dcgan_upsample"])
def test_weights_start_from_n_0_002(name):
    for network in networks(name):
        kernels = [weight.numpy() for weight in network.weights if weight.path.endswith("kernel")]
        assert kernels
        for kernel in kernels:
            # four standard errors of a standard deviation and of a mean
            assert abs(kernel.std() - 0.02) < 4 * 0.02 / np.sqrt(2 * kernel.size)
            assert abs(kernel.mean()) < 4 * 0.02 / np.sqrt(kernel.size)


def test_scales_of_dcgan_k4_start_around_one():
    generator, _ = networks("dcgan_k4")
    scales = [
        layer.gamma.numpy() for layer in layers_of(generator, keras.layers.BatchNormalization)
    ]
    for scale in scales:
        assert abs(scale.std() - 0.02) < 4 * 0.02 / np.sqrt(2 * scale.size)
        assert abs(scale.mean() - 1.0) < 4 * 0.02 / np.sqrt(scale.size)


def test_the_tours_normalisation_is_keras_own():
    (norm,) = layers_of(networks("dcgan_tanh")[0], keras.layers.BatchNormalization)
    keras_own = keras.layers.BatchNormalization()
    assert (norm.epsilon, norm.momentum) == (keras_own.epsilon, keras_own.momentum) == (1e-3, 0.99)


@pytest.mark.parametrize(
    ("name", "role", "old"),
    [
        ("dcgan_upsample", "generator", {"project_norm": False}),
        ("dcgan_tanh", "generator", {"norm_momentum": 0.9, "norm_epsilon": 1e-5}),
        ("conv_autoencoder", "encoder", {"activation": "relu"}),
        ("conv_autoencoder", "decoder", {"widening": 1, "activation": "relu"}),
    ],
)
def test_a_config_from_before_an_argument_gives_the_network_of_then(name, role, old):
    network = make_networks(name)[role]
    config = network.get_config()
    for argument, value in old.items():
        assert config.pop(argument) != value
    before = type(network).from_config(config)
    assert {argument: getattr(before, argument) for argument in old} == old


def test_upsampling_repeats_pixels_and_r3gan_interpolates():
    for name, kind in (
        ("dcgan_upsample", "nearest"),
        ("dcgan_tanh", "nearest"),
        ("r3gan", "bilinear"),
    ):
        generator, discriminator = networks(name)
        ups = layers_of(generator, keras.layers.UpSampling2D)
        assert {(layer.interpolation, layer.size) for layer in ups} == {(kind, (2, 2))}
    downs = [layer for layer in discriminator.layers if "Pooling" in type(layer).__name__]
    assert [type(layer) for layer in downs] == 3 * [keras.layers.AveragePooling2D]


def test_r3gan_trains_with_its_sources_numbers():
    modern = get_preset("r3gan")
    # CIFAR-10, ImageNet-64 and FFHQ-256 in the released trainer
    for side, first in ((32, 0.05), (64, 1.0), (256, 150.0)):
        gammas = {"r1_gamma": first, "r2_gamma": first}
        assert modern.losses_options((side, side, 3)) == pytest.approx(gammas)
        ends = modern.schedules_at((side, side, 1))
        assert ends["r1_gamma"] == ends["r2_gamma"] == pytest.approx((first, first / 10))
    # Between: half the way in the logarithm of pixels is the geometric mean, for any shape.
    for shape in ((128, 128, 3), (64, 256, 3)):
        found = modern.schedules_at(shape)["r1_gamma"]
        assert found == pytest.approx((math.sqrt(150), math.sqrt(1.5)), rel=5e-3)
    # Beyond: a quarter of 32x32's pixels, a twentieth of its gamma, as from 64x64 to 32x32.
    assert modern.schedules_at((16, 16, 3))["r1_gamma"] == pytest.approx((0.0025, 0.00025))
    assert {name: modern.schedules[name] for name in ("learning_rate", "beta_2")} == {
        "learning_rate": (2e-4, 5e-5),
        "beta_2": (0.9, 0.99),
    }
    assert adam_of(modern.g_optimizer) == adam_of(modern.d_optimizer) == (2e-4, 0.0, 0.99)
    assert (modern.latent_dim, modern.latent_distribution) == (64, "normal")
