"""Losses as classes: a generator loss, a discriminator loss and the weights of the penalties."""

from __future__ import annotations

import abc
import inspect
from collections.abc import Callable
from typing import Any

import keras

from kgan.errors import InputError
from kgan.losses import adversarial
from kgan.tensors import Tensor


class AdversarialLoss(abc.ABC):
    """The objective of a GAN: two functions of the logits, and penalties on the discriminator.

    Args:
        r1_gamma: weight of the R1 penalty; `r1_gamma / 2` times its mean is added.
        r2_gamma: weight of the R2 penalty, in the same way.
        gradient_penalty: weight of WGAN-GP's gradient penalty.
        lecam: weight of LeCam regularisation, see `kgan.losses.lecam_penalty`; 0.3 in its
            authors' runs on a tenth of CIFAR-10, with the hinge loss.

    Attributes:
        pairs_real: whether `generator_loss` needs `real_logits` too.

    Raises:
        InputError: a weight is not a number of at least 0.
    """

    pairs_real: bool = False

    def __init__(
        self,
        r1_gamma: float = 0.0,
        r2_gamma: float = 0.0,
        gradient_penalty: float = 0.0,
        lecam: float = 0.0,
    ) -> None:
        self.lecam = _weight("lecam", lecam)
        self.r1_gamma = _weight("r1_gamma", r1_gamma)
        self.r2_gamma = _weight("r2_gamma", r2_gamma)
        self.gradient_penalty = _weight("gradient_penalty", gradient_penalty)

    @property
    def has_penalty(self) -> bool:
        """Whether any penalty has a weight above 0."""
        return self.has_gradient_penalty or bool(self.lecam)

    @property
    def has_gradient_penalty(self) -> bool:
        """Whether any penalty on the discriminator's gradient has a weight above 0."""
        return bool(self.r1_gamma or self.r2_gamma or self.gradient_penalty)

    @abc.abstractmethod
    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """The generator's loss, a float32 scalar; `real_logits` are needed if `pairs_real`."""

    @abc.abstractmethod
    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """The discriminator's loss, a float32 scalar, without the penalties."""

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, for Keras's serialization."""
        config = {
            "r1_gamma": self.r1_gamma,
            "r2_gamma": self.r2_gamma,
            "gradient_penalty": self.gradient_penalty,
        }
        # A subclass of the user's may take no more than these three.
        return config | ({"lecam": self.lecam} if self.lecam else {})

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> AdversarialLoss:
        """The loss that `get_config` describes."""
        return cls(**config)


def _weight(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e30:
        raise InputError(f"{name} must be a number of at least 0. Received: {value!r}")
    return float(value)


@keras.saving.register_keras_serializable(package="kgan")
class BCE(AdversarialLoss):
    """Non-saturating cross entropy: `bce_generator_loss`, `bce_discriminator_loss`.

    Args:
        label_smoothing: at least 0 and below 1; the real label is 1 minus this.
        one_mean: whether the discriminator's loss is one mean over real and fake images, half
            of the sum of their two means.
        r1_gamma, r2_gamma, gradient_penalty, lecam: as in `AdversarialLoss`.
    """

    def __init__(
        self, label_smoothing: float = 0.0, one_mean: bool = False, **penalties: float
    ) -> None:
        super().__init__(**penalties)
        self.one_mean = bool(one_mean)
        self.label_smoothing = _weight("label_smoothing", label_smoothing)
        if self.label_smoothing >= 1.0:
            raise InputError(f"label_smoothing must be below 1. Received: {label_smoothing!r}")

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return adversarial.bce_generator_loss(fake_logits)

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return adversarial.bce_discriminator_loss(
            real_logits, fake_logits, self.label_smoothing, self.one_mean
        )

    def get_config(self) -> dict[str, Any]:
        own = {"label_smoothing": self.label_smoothing, "one_mean": self.one_mean}
        return super().get_config() | own


@keras.saving.register_keras_serializable(package="kgan")
class Minimax(BCE):
    """The saturating game: `minimax_generator_loss`, `bce_discriminator_loss`."""

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return adversarial.minimax_generator_loss(fake_logits)


@keras.saving.register_keras_serializable(package="kgan")
class Hinge(AdversarialLoss):
    """Hinge: `hinge_generator_loss`, `hinge_discriminator_loss`."""

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return adversarial.hinge_generator_loss(fake_logits)

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return adversarial.hinge_discriminator_loss(real_logits, fake_logits)


@keras.saving.register_keras_serializable(package="kgan")
class LSGAN(AdversarialLoss):
    """Least squares: `lsgan_generator_loss`, `lsgan_discriminator_loss`."""

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return adversarial.lsgan_generator_loss(fake_logits)

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return adversarial.lsgan_discriminator_loss(real_logits, fake_logits)


@keras.saving.register_keras_serializable(package="kgan")
class Wasserstein(AdversarialLoss):
    """WGAN-GP: `wasserstein_generator_loss`, `wasserstein_discriminator_loss`, penalty 10.

    The paper takes five discriminator steps per generator step (`d_steps=5`) and
    no batch normalisation in the discriminator.
    """

    def __init__(
        self,
        r1_gamma: float = 0.0,
        r2_gamma: float = 0.0,
        gradient_penalty: float = 10.0,
        lecam: float = 0.0,
    ) -> None:
        super().__init__(r1_gamma, r2_gamma, gradient_penalty, lecam)

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return adversarial.wasserstein_generator_loss(fake_logits)

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return adversarial.wasserstein_discriminator_loss(real_logits, fake_logits)


@keras.saving.register_keras_serializable(package="kgan")
class Relativistic(AdversarialLoss):
    """Relativistic pairing with R1 and R2: `relativistic_generator_loss` and its twin.

    Without the two penalties it need not converge (Huang et al. 2024, section 2).
    """

    pairs_real = True

    def __init__(
        self,
        r1_gamma: float = 1.0,
        r2_gamma: float = 1.0,
        gradient_penalty: float = 0.0,
        lecam: float = 0.0,
    ) -> None:
        super().__init__(r1_gamma, r2_gamma, gradient_penalty, lecam)

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return adversarial.relativistic_generator_loss(fake_logits, real_logits)

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return adversarial.relativistic_discriminator_loss(real_logits, fake_logits)


@keras.saving.register_keras_serializable(package="kgan")
class LossPair(AdversarialLoss):
    """A pair of user-defined functions.

    Args:
        generator: callable of `fake_logits`, or of `fake_logits, real_logits` if
            it has a parameter of the second name; returns a scalar.
        discriminator: callable of `real_logits, fake_logits`; returns a scalar.
        r1_gamma, r2_gamma, gradient_penalty, lecam: as in `AdversarialLoss`.

    Raises:
        InputError: Keras cannot save one of the callables, for example a functools.partial.
    """

    def __init__(
        self,
        generator: Callable[..., Tensor],
        discriminator: Callable[..., Tensor],
        **penalties: float,
    ) -> None:
        super().__init__(**penalties)
        self.generator = generator
        self.discriminator = discriminator
        self.pairs_real = "real_logits" in inspect.signature(generator).parameters
        try:  # now, not when hours of training are to be saved
            self.get_config()
        except TypeError:
            raise InputError(
                "A loss pair must consist of functions, or of objects that Keras can save. "
                f"Received: {generator!r}, {discriminator!r}"
            ) from None

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        if self.pairs_real:
            return self.generator(fake_logits=fake_logits, real_logits=real_logits)
        return self.generator(fake_logits)

    def discriminator_loss(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return self.discriminator(real_logits, fake_logits)

    def get_config(self) -> dict[str, Any]:
        functions = {"generator": self.generator, "discriminator": self.discriminator}
        return super().get_config() | {
            name: keras.saving.serialize_keras_object(function)
            for name, function in functions.items()
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LossPair:
        functions = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("generator", "discriminator")
        }
        return cls(**(config | functions))
