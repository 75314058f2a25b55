"""Losses as classes: a generator's and a discriminator's function, and the penalties with them."""

import inspect

import keras

from kgan.errors import InputError
from kgan.losses import adversarial


class AdversarialLoss:
    """What a GAN trains on: two functions of the logits, and penalties on the discriminator.

    Args:
        r1_gamma: weight of the R1 penalty; `r1_gamma / 2` times its mean is added.
        r2_gamma: weight of the R2 penalty, in the same way.
        gradient_penalty: weight of WGAN-GP's gradient penalty.

    Attributes:
        pairs_real: the generator's function takes `real_logits` too.

    Raises:
        InputError: a weight that is not a number from 0 up.
    """

    pairs_real = False

    def __init__(self, r1_gamma=0.0, r2_gamma=0.0, gradient_penalty=0.0):
        self.r1_gamma = _weight("r1_gamma", r1_gamma)
        self.r2_gamma = _weight("r2_gamma", r2_gamma)
        self.gradient_penalty = _weight("gradient_penalty", gradient_penalty)

    @property
    def has_penalty(self):
        return bool(self.r1_gamma or self.r2_gamma or self.gradient_penalty)

    def generator_loss(self, fake_logits, real_logits=None):
        """float32 scalar; `real_logits` only where `pairs_real`."""
        raise NotImplementedError

    def discriminator_loss(self, real_logits, fake_logits):
        """float32 scalar."""
        raise NotImplementedError

    def get_config(self):
        return {
            "r1_gamma": self.r1_gamma,
            "r2_gamma": self.r2_gamma,
            "gradient_penalty": self.gradient_penalty,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _weight(name, value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e30:
        raise InputError(f"{name} must be a number from 0 up. Received: {value!r}")
    return float(value)


@keras.saving.register_keras_serializable(package="kgan")
class BCE(AdversarialLoss):
    """Non-saturating cross entropy: `bce_generator_loss`, `bce_discriminator_loss`.

    Args:
        label_smoothing: from 0 to below 1; the real label is 1 minus this.
        r1_gamma, r2_gamma, gradient_penalty: as for `AdversarialLoss`.
    """

    def __init__(self, label_smoothing=0.0, **penalties):
        super().__init__(**penalties)
        self.label_smoothing = _weight("label_smoothing", label_smoothing)
        if self.label_smoothing >= 1.0:
            raise InputError(f"label_smoothing must be below 1. Received: {label_smoothing!r}")

    def generator_loss(self, fake_logits, real_logits=None):
        return adversarial.bce_generator_loss(fake_logits)

    def discriminator_loss(self, real_logits, fake_logits):
        return adversarial.bce_discriminator_loss(real_logits, fake_logits, self.label_smoothing)

    def get_config(self):
        return super().get_config() | {"label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable(package="kgan")
class Minimax(BCE):
    """The saturating game: `minimax_generator_loss`, `bce_discriminator_loss`."""

    def generator_loss(self, fake_logits, real_logits=None):
        return adversarial.minimax_generator_loss(fake_logits)


@keras.saving.register_keras_serializable(package="kgan")
class Hinge(AdversarialLoss):
    """Hinge: `hinge_generator_loss`, `hinge_discriminator_loss`."""

    def generator_loss(self, fake_logits, real_logits=None):
        return adversarial.hinge_generator_loss(fake_logits)

    def discriminator_loss(self, real_logits, fake_logits):
        return adversarial.hinge_discriminator_loss(real_logits, fake_logits)


@keras.saving.register_keras_serializable(package="kgan")
class LSGAN(AdversarialLoss):
    """Least squares: `lsgan_generator_loss`, `lsgan_discriminator_loss`."""

    def generator_loss(self, fake_logits, real_logits=None):
        return adversarial.lsgan_generator_loss(fake_logits)

    def discriminator_loss(self, real_logits, fake_logits):
        return adversarial.lsgan_discriminator_loss(real_logits, fake_logits)


@keras.saving.register_keras_serializable(package="kgan")
class Wasserstein(AdversarialLoss):
    """WGAN-GP: `wasserstein_generator_loss`, `wasserstein_discriminator_loss`, penalty 10.

    The paper takes five discriminator steps a generator step (`d_steps=5`) and
    no batch normalisation in the discriminator.
    """

    def __init__(self, r1_gamma=0.0, r2_gamma=0.0, gradient_penalty=10.0):
        super().__init__(r1_gamma, r2_gamma, gradient_penalty)

    def generator_loss(self, fake_logits, real_logits=None):
        return adversarial.wasserstein_generator_loss(fake_logits)

    def discriminator_loss(self, real_logits, fake_logits):
        return adversarial.wasserstein_discriminator_loss(real_logits, fake_logits)


@keras.saving.register_keras_serializable(package="kgan")
class Relativistic(AdversarialLoss):
    """Relativistic pairing with R1 and R2: `relativistic_generator_loss` and its twin.

    Without the two penalties it need not converge (Huang et al. 2024, section 2).
    """

    pairs_real = True

    def __init__(self, r1_gamma=1.0, r2_gamma=1.0, gradient_penalty=0.0):
        super().__init__(r1_gamma, r2_gamma, gradient_penalty)

    def generator_loss(self, fake_logits, real_logits=None):
        return adversarial.relativistic_generator_loss(fake_logits, real_logits)

    def discriminator_loss(self, real_logits, fake_logits):
        return adversarial.relativistic_discriminator_loss(real_logits, fake_logits)


@keras.saving.register_keras_serializable(package="kgan")
class LossPair(AdversarialLoss):
    """Two functions of the user's own.

    Args:
        generator: callable of `fake_logits`, or of `fake_logits, real_logits`
            where a parameter has that second name; returns a scalar.
        discriminator: callable of `real_logits, fake_logits`; returns a scalar.
        r1_gamma, r2_gamma, gradient_penalty: as for `AdversarialLoss`.

    Raises:
        InputError: callables that Keras cannot save, such as functools.partial.
    """

    def __init__(self, generator, discriminator, **penalties):
        super().__init__(**penalties)
        self.generator = generator
        self.discriminator = discriminator
        self.pairs_real = "real_logits" in inspect.signature(generator).parameters
        try:  # now, not when hours of training are to be saved
            self.get_config()
        except TypeError:
            raise InputError(
                "A loss pair is of functions, or of objects that Keras can save. "
                f"Received: {generator!r}, {discriminator!r}"
            ) from None

    def generator_loss(self, fake_logits, real_logits=None):
        if self.pairs_real:
            return self.generator(fake_logits=fake_logits, real_logits=real_logits)
        return self.generator(fake_logits)

    def discriminator_loss(self, real_logits, fake_logits):
        return self.discriminator(real_logits, fake_logits)

    def get_config(self):
        functions = {"generator": self.generator, "discriminator": self.discriminator}
        return super().get_config() | {
            name: keras.saving.serialize_keras_object(function)
            for name, function in functions.items()
        }

    @classmethod
    def from_config(cls, config):
        functions = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("generator", "discriminator")
        }
        return cls(**(config | functions))
