"""What a step needs of memory, from below."""

import keras
import pytest

import kgan
from kgan import memory
from kgan.training.footprint import check_step, kept_bytes, recomputed_bytes


def test_what_is_kept_is_what_gradients_take(small_gan):
    # 16x20x1 with filters 2, by hand: a base of 4x5 with 16 channels, then 8x10 with 8.
    base, middle, images = 4 * 5 * 16, 8 * 10 * 8, 16 * 20
    # Latents; before and after each normalisation with its ReLU.
    assert kept_bytes(small_gan.generator) == 4 * (8 + 2 * base + 2 * middle)
    # Images; around the first LeakyReLU; before the normalisation and around the second one.
    assert kept_bytes(small_gan.discriminator) == 4 * (images + 2 * middle + 3 * base)


def test_wrapped_layers_count_and_what_lies_beside_the_output_does_not():
    images = keras.Input((4, 4, 1))
    x = kgan.layers.SpectralNormalization(keras.layers.Conv2D(6, 3, padding="same"))(images)
    x = kgan.layers.GroupedConv2D(4, 3, groups=2)(x)
    network = keras.Model(images, keras.layers.Flatten()(x))
    network.decoder = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1000)])
    assert kept_bytes(network) == 4 * (4 * 4 * 1 + 4 * 4 * 6)


def test_what_a_kernel_that_is_not_trained_takes_is_not_kept():
    images = keras.Input((4, 4, 1))
    x = keras.layers.Conv2D(6, 3, padding="same", trainable=False)(images)
    x = keras.layers.Conv2D(2, 3, padding="same")(keras.layers.ReLU()(x))
    network = keras.Model(images, keras.layers.Flatten()(x))
    assert kept_bytes(network) == 4 * (4 * 4 * 6)
    network.layers[1].trainable = True
    assert kept_bytes(network) == 4 * (4 * 4 * 1 + 4 * 4 * 6)


def test_of_recomputed_blocks_what_joins_them_is_kept_and_what_is_within_the_largest():
    x = images = keras.Input((8, 8, 1))
    for _ in range(3):  # each conv has 4 channels in and out of it, but for the first
        x = keras.layers.Conv2D(4, 1)(keras.layers.ReLU()(keras.layers.Conv2D(4, 1)(x)))
    network = keras.Model(images, keras.layers.GlobalAveragePooling2D()(x))
    # Three blocks, each a pair of convolutions: images and two maps of 4 channels go into them,
    # and the second convolution takes one more.
    between, within = recomputed_bytes(network)
    assert (between, within) == (256 + 1024 * 2, 1024)
    assert kept_bytes(network) == 256 + 5 * 1024


@pytest.mark.parametrize(
    ("compiled", "passes"),
    [
        ({}, 2),
        ({"d_update": "sequential"}, 1),
        ({"d_share": 0.5}, 1),
        ({"loss": kgan.losses.Relativistic(r1_gamma=1.0, r2_gamma=1.0)}, 4),
        ({"schedules": {"r1_gamma": (0.0, 1.0)}}, 3),
        ({"loss": kgan.losses.Wasserstein(gradient_penalty=10.0)}, 4),
    ],
)
def test_a_step_that_does_not_fit_is_refused_with_the_batch_that_does(
    small_gan, monkeypatch, compiled, passes
):
    small_gan.compile(**compiled)
    of_g, of_d = (kept_bytes(n) for n in (small_gan.generator, small_gan.discriminator))
    most = 10**9 // max(of_g + of_d, passes * of_d)
    monkeypatch.setattr(memory, "free", lambda: 10**9)
    check_step(small_gan, most)
    check_step(small_gan, 2 * most, replicas=2)
    with pytest.raises(
        kgan.InputError, match=rf"--batch-size {most}\. .*: --batch-size {most + 1}$"
    ):
        check_step(small_gan, most + 1)


def test_recomputed_a_larger_batch_fits(monkeypatch):
    sizes = {"image_shape": (64, 64, 3), "filters": 16}
    gan = kgan.GAN.from_preset("r3gan", **sizes)
    gan.compile()
    monkeypatch.setattr(memory, "free", lambda: 10**9)
    most = {}
    for remat in (False, True):
        gan.compile(remat=remat)
        with pytest.raises(kgan.InputError) as told:
            check_step(gan, 10**6)
        most[remat] = int(str(told.value).partition("--batch-size ")[2].partition(".")[0])
    assert most[True] > 2 * most[False]
