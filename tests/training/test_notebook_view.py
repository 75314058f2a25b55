"""How a notebook shows a model: what it says, and that the model stays as it is."""

import base64
import inspect
import io
import random
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kgan
from kgan.training import calibration, notebook_view


def rows(shown):
    """Name -> value of the table."""
    return dict(re.findall(r"<th[^>]*>([^<]*)</th><td[^>]*>([^<]*)</td>", shown))


def picture(shown):
    """The picture as an array, None where there is none."""
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', shown)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(found[0])))) if found else None


def everything(gan):
    """All that a training goes on from, as arrays."""
    variables = [*gan.variables, *gan.g_optimizer.variables, *gan.d_optimizer.variables]
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def next_numbers(seed=3):
    """The next number of each generator that a program's own code may draw from."""
    if seed is not None:
        keras.utils.set_random_seed(seed)
    drawn = (random.random(), np.random.random(), tf.random.uniform(()), keras.random.uniform(()))
    return [float(number) for number in drawn]


def stepped(real_images, **also):
    """A small GAN after one step, its statistics not measured yet."""
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 20, 1), latent_dim=8, filters=2, seed=0, **also
    )
    gan.compile()
    gan.fit(real_images, batch_size=32, epochs=1, verbose=0)
    return gan


@pytest.mark.parametrize("half_life", [None, 100])
def test_it_shows_what_generate_gives_and_changes_nothing(real_images, half_life, monkeypatch):
    gan = stepped(real_images, ema_half_life_images=half_life)
    assert calibration.is_due(gan)
    with monkeypatch.context() as patch:  # 512 images of 16 x 20 x 1 are more than that
        patch.setattr(notebook_view, "MOST_DRAWN", 512 * 16 * 20 - 1)
        assert picture(gan._repr_html_()) is None
        assert "<p>generate(8) makes images of it" in gan._repr_html_()
        gan.calibrated_at.assign(2)  # nothing to be measured
        assert picture(gan._repr_html_()) is not None
        gan.calibrated_at.assign(0)
    before, numbers = everything(gan), next_numbers()
    keras.utils.set_random_seed(3)
    shown = gan._repr_html_()
    assert next_numbers(seed=None) == numbers
    assert calibration.is_due(gan)
    for value, was in zip(everything(gan), before, strict=True):
        np.testing.assert_array_equal(value, was)
    sheet = kgan.images.grid(gan.generate(8), columns=8)[..., 0]  # which does measure them
    assert not calibration.is_due(gan)
    # 8 images of 20 and 9 edges of 2: 178 pixels, which fit twice into 512.
    np.testing.assert_array_equal(picture(shown), sheet.repeat(2, 0).repeat(2, 1))
    assert gan._repr_html_() == shown
    said = rows(shown)
    assert said["preset"] == "dcgan"
    assert said["images"] == "16 x 20 x 1, from -1 to 1"
    assert said["latents"] == "8, normal"
    assert said["trained on"] == "2 batches, 64 images"
    assert said["loss"] == "BCE"
    assert f"{gan.generator.count_params():,} parameters" in said["generator"]
    assert said.get("average") == (half_life and "half-life 100 images")


def test_names_are_text_and_a_model_of_classes_shows_them():
    names = ["<b>bag</b>", *map(str, range(13))]
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 16, 1), filters=1, class_names=names, seed=0
    )
    shown = gan._repr_html_()
    assert "<b>" not in shown
    assert rows(shown)["classes"].startswith("14: &lt;b&gt;bag&lt;/b&gt;, 0, 1,")
    assert rows(shown)["classes"].endswith("10, and 2 more")
    assert rows(shown)["trained on"] == "nothing yet"
    assert rows(shown)["compiled"] == "not yet"


class Broken(kgan.GAN):
    """Draws nothing."""

    def generate(self, *args, **kwargs):
        raise RuntimeError("no <images> today\nnor tomorrow")


def test_a_model_that_cannot_be_shown_says_why():
    layers = keras.layers
    generator = keras.Sequential([keras.Input((4,)), layers.Dense(16), layers.Reshape((16, 1))])
    discriminator = keras.Sequential([keras.Input((16, 1)), layers.Flatten(), layers.Dense(1)])

    class Sounds(kgan.GAN):
        makes_pictures = False

    shown = Sounds(generator, discriminator)._repr_html_()
    assert rows(shown)["makes"] == "16 x 1, from -1 to 1"
    assert "<p>" not in shown
    assert picture(shown) is None

    plain = kgan.GAN.from_preset("gan", image_shape=(8, 8, 1), filters=1)
    shown = Broken(plain.generator, plain.discriminator)._repr_html_()
    assert "<p>No images of it: no &lt;images&gt; today</p>" in shown
    assert rows(shown)["images"] == "8 x 8 x 1, from 0 to 1"

    half_made = object.__new__(kgan.GAN)
    assert "<strong>GAN</strong>" in half_made._repr_html_()


def test_an_autoencoder_has_a_table_alone():
    autoencoder = kgan.Autoencoder.from_preset("conv_autoencoder", image_shape=(16, 16, 1))
    shown = autoencoder._repr_html_()
    assert list(rows(shown))[:3] == ["preset", "images", "codes"]
    assert rows(shown)["encoder"].endswith(" parameters")
    assert shown.endswith("</table></div>")


def test_a_summary_has_the_networks_and_no_counters():
    gan = kgan.GAN.from_preset(
        "dcgan", image_shape=(16, 20, 1), filters=2, ema_half_life_images=100
    )
    gan.compile(kgan.losses.BCE(lecam=0.1))
    lines = []
    gan.summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert text.count("DCGANGenerator") == 2
    assert text.count("DCGANDiscrim") == 1
    assert "updates" not in text
    assert "lecam" not in text
    # By its layers Keras names what it saves.
    assert {gan.updates, gan.lecam_anchors} < set(gan.layers)
    assert inspect.signature(gan.summary) == inspect.signature(keras.Model().summary)
