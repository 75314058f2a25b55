"""GAN and Autoencoder override each of Keras's hooks once, and keep Keras's own signatures."""

import inspect

import keras
import pytest

import kgan
from kgan.training.two_networks import TwoNetworks

FINAL = [kgan.GAN, kgan.Autoencoder]
PYTHONS_OWN = {"__module__", "__doc__", "__init__", "__annotations__", "__qualname__"}


def overridden(cls):
    """What a class defines of what keras.Model has."""
    return {name for name in vars(cls) if hasattr(keras.Model, name)} - PYTHONS_OWN


@pytest.mark.parametrize("cls", FINAL)
def test_each_hook_is_overridden_once(cls):
    assert cls.__mro__[1] is TwoNetworks
    assert cls.__mro__[2] is keras.Model
    twice = overridden(cls) & overridden(TwoNetworks)
    assert {name for name in twice if not name.startswith(("_abc", "__abstract"))} == set()


def test_the_base_cannot_be_made():
    with pytest.raises(TypeError, match="abstract"):
        TwoNetworks()


@pytest.mark.parametrize("cls", FINAL)
def test_fit_keeps_kerass_signature_and_help(cls):
    assert inspect.signature(cls.fit) == inspect.signature(keras.Model.fit)
    # In Keras 3 the docstring is that of a base, which help() finds and an attribute does not.
    assert inspect.getdoc(cls.fit) == inspect.getdoc(keras.Model.fit)
    assert "`tf.data.Dataset`" in inspect.getdoc(cls.fit)
    assert inspect.getdoc(cls.save) == inspect.getdoc(keras.Model.save)


def test_callbacks_can_be_given_by_position(small_gan, real_images):
    seen = []

    class Note(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            seen.append(self.model)

    small_gan.fit(real_images, None, 32, 1, 0, [Note()])
    assert seen == [small_gan]
    with pytest.raises(TypeError, match="epoch"):
        small_gan.fit(real_images, epoch=3)
