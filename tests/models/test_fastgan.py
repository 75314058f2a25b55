"""FastGAN's networks against the paper's blocks written in PyTorch, and what D learns beside."""

import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.errors import InputError
from kgan.models import FastGANDiscriminator, FastGANGenerator
from kgan.models.presets import make_networks

torch = pytest.importorskip("torch")
functional = torch.nn.functional

FILTERS = 8
RNG = np.random.default_rng(1)


def moved(network):
    """The network, every weight moved from its start but those that u and v belong to."""
    rng = np.random.default_rng(0)
    for weight in network.weights:
        if "spectral_" not in weight.path:
            change = 0.05 * rng.normal(size=weight.shape)
            weight.assign(weight + (np.abs(change) if "variance" in weight.path else change))
    return network


def tensor(array):
    return torch.tensor(np.asarray(array), dtype=torch.float64)


class Twin:
    """A network's layers by name, run in PyTorch in float64, NCHW, in inference mode."""

    def __init__(self, network):
        self.network = network

    def conv(self, x, name, **options):
        kernel = self.network.get_layer(name).kernel
        return functional.conv2d(x, tensor(kernel).permute(3, 2, 0, 1), **options)

    def spectral(self, x, name, **options):
        layer = self.network.get_layer(f"spectral_{name}")
        kernel = tensor(layer.kernel).permute(3, 2, 0, 1)
        u, v = tensor(layer.u), tensor(layer.v)
        # v goes over the kernel's rows, columns and input channels in Keras's order
        sigma = u @ kernel.permute(0, 2, 3, 1).flatten(1) @ v
        return functional.conv2d(x, kernel / sigma, **options)

    def norm(self, x, name):
        layer = self.network.get_layer(name)
        weights = (layer.moving_mean, layer.moving_variance, layer.gamma, layer.beta)
        return functional.batch_norm(x, *map(tensor, weights), eps=1e-5)

    def grow(self, x, name, convs):
        x = functional.interpolate(x, scale_factor=2, mode="nearest")
        for index in range(convs):
            x = self.conv(x, f"{name}_conv_{index}", padding=1)
            x = functional.glu(self.norm(x, f"{name}_{index}_norm"), dim=1)
        return x

    def judged(self, x, name, **options):
        x = self.norm(self.spectral(x, name, **options), f"{name}_norm")
        return functional.leaky_relu(x, 0.2)

    def shrink(self, x, name):
        y = self.judged(x, f"{name}_halve", stride=2, padding=1)
        y = self.judged(y, f"{name}_conv", padding=1)
        return (y + self.judged(functional.avg_pool2d(x, 2), f"{name}_direct")) / 2


def assert_close(made, expected):
    scale = float(expected.abs().max())
    np.testing.assert_allclose(np.asarray(made) / scale, expected / scale, atol=2e-5)


def test_the_generator_and_its_skip_layer_excitation():
    generator = moved(FastGANGenerator((64, 80, 1), latent_dim=4, filters=FILTERS))
    latents = RNG.normal(size=(2, 4)).astype(np.float32)
    twin = Twin(generator)
    x = tensor(latents) @ tensor(generator.get_layer("project").kernel)
    x = x.reshape(2, 4, 5, 2 * 16 * FILTERS).permute(0, 3, 1, 2)
    base = x = functional.glu(twin.norm(x, "base_norm"), dim=1)
    for side, convs in ((8, 2), (16, 1), (32, 2), (64, 1)):
        x = twin.grow(x, f"grow_{side}", convs)
    gates = functional.leaky_relu(twin.conv(base, "skip_64_squeeze"), 0.2)
    gates = torch.sigmoid(twin.conv(gates, "skip_64_project"))
    assert gates.shape == (2, 2 * FILTERS, 1, 1)
    assert float(gates.std()) > 0.001  # else any gate would do
    expected = torch.tanh(twin.conv(x * gates, "to_image", padding=1)).permute(0, 2, 3, 1)
    assert_close(generator(latents), expected)


@pytest.fixture(scope="module")
def judging():
    """(discriminator, images, PyTorch's logits, maps of side 16, maps of side 8)."""
    discriminator = moved(FastGANDiscriminator((64, 80, 3), filters=FILTERS))
    images = RNG.uniform(-1, 1, (2, 64, 80, 3)).astype(np.float32)
    twin = Twin(discriminator)
    x = tensor(images).permute(0, 3, 1, 2)
    x = functional.leaky_relu(twin.spectral(x, "from_image", padding=1), 0.2)
    detail = twin.shrink(twin.shrink(x, "shrink_32"), "shrink_16")
    whole = twin.shrink(detail, "shrink_8")
    x = twin.spectral(twin.judged(whole, "judge"), "logit_map")
    assert x.shape == (2, 1, 5, 7)
    return discriminator, images, x.mean((2, 3)), detail, whole


def test_the_discriminator(judging):
    discriminator, images, logits, *_ = judging
    assert_close(discriminator(images), logits)


def test_what_the_discriminator_learns_beside(judging):
    discriminator, images, logits, detail, whole = judging
    target = tensor(images).permute(0, 3, 1, 2)

    def lost(name, maps, part):
        twin = Twin(getattr(discriminator, name))
        doublings = {"decode_whole": 3, "decode_part": 2}[name]
        for step in range(doublings):
            maps = twin.grow(maps, f"{name}_{step}", 1)
        decoded = torch.tanh(twin.conv(maps, f"{name}_to_image", padding=1))
        assert decoded.shape == part.shape
        return float((decoded - part).abs().mean())

    all_of_it = lost("decode_whole", whole, target)
    quarters = [
        lost(
            "decode_part",
            detail[:, :, 8 * i : 8 * i + 8, 10 * j : 10 * j + 10],
            target[:, :, 32 * i : 32 * i + 32, 40 * j : 40 * j + 40],
        )
        for i in range(2)
        for j in range(2)
    ]
    drawn = set()
    for seed in range(16):
        made, own = discriminator.logits_and_own_loss(images, tf.constant([seed, 1]), False)
        assert_close(made, logits)
        gaps = [abs(float(own) - all_of_it - quarter) for quarter in quarters]
        assert min(gaps) < 1e-5
        drawn.add(int(np.argmin(gaps)))
    assert drawn == {0, 1, 2, 3}


@pytest.mark.slow
def test_larger_images_are_given_back_at_128_px():
    discriminator = FastGANDiscriminator((256, 256, 1), filters=FILTERS)
    images = RNG.uniform(-1, 1, (1, 256, 256, 1)).astype(np.float32)
    _, detail, whole = discriminator.also_run()[0](images, training=False)
    decoded = discriminator.decode_whole(whole)[0, ..., 0].numpy()
    gaps = [np.abs(decoded - images.reshape(128, 2, 128, 2).mean((1, 3))).mean()]
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        maps = detail[:, 8 * i : 8 * i + 8, 8 * j : 8 * j + 8]
        part = images.reshape(2, 128, 2, 128)[i, :, j]
        gaps.append(np.abs(discriminator.decode_part(maps)[0, ..., 0] - part).mean())
    _, own = discriminator.logits_and_own_loss(images, tf.constant([3, 1]), training=False)
    assert min(abs(float(own) - gaps[0] - gap) for gap in gaps[1:]) < 1e-6


def test_widths_below_8_are_refused():
    with pytest.raises(InputError, match=r"fastgan must be at least 8\. Received: 4"):
        make_networks("fastgan", filters=4)


def small(**compilation):
    gan = kgan.GAN.from_preset(
        "fastgan", image_shape=(32, 32, 1), latent_dim=4, filters=FILTERS, seed=1
    )
    gan.compile(**compilation)
    return gan


@pytest.mark.slow
def test_the_decoders_learn_and_the_presets_augmentation_can_be_left_out(tmp_path):
    gan = small(diff_augment="none")
    assert gan.diff_augment is None
    decoders = (gan.discriminator.decode_whole, gan.discriminator.decode_part)
    before = [decoder.get_weights() for decoder in decoders]
    images = RNG.uniform(-1, 1, (8, 32, 32, 1)).astype(np.float32)
    figures = gan.fit(images, batch_size=4, verbose=0, shuffle=False).history
    assert figures["skipped_updates"] == [0.0]
    assert 0.5 < figures["penalty"][0] < 2.5  # two means of |uniform - about 0|, each 0.5
    assert figures["d_loss"][0] < 2.5  # the hinge loss alone, 2 at the start
    for decoder, old in zip(decoders, before, strict=True):
        kernels = [w.path for w in decoder.weights if w.path.endswith("kernel")]
        changed = [
            w.path for w, v in zip(decoder.weights, old, strict=True) if np.any(w.numpy() != v)
        ]
        assert set(kernels) <= set(changed)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load_gan(tmp_path / "gan.keras")
    assert again.diff_augment is None
    assert small().diff_augment.policy == "color,translation"
