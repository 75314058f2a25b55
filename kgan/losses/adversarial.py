"""Adversarial losses, each a function for the generator and one for the discriminator.

All take logits (B, 1), work in float32 under any dtype policy and return a
float32 scalar, the mean over the batch. `softplus(-x)` is -log(sigmoid(x)) and
`softplus(x)` is -log(1 - sigmoid(x)); neither overflows for large logits.
"""

from __future__ import annotations

import keras
from keras import ops

from kgan.tensors import Tensor


def _float32(logits: Tensor) -> Tensor:
    return ops.cast(logits, "float32")


@keras.saving.register_keras_serializable(package="kgan")
def bce_generator_loss(fake_logits: Tensor) -> Tensor:
    """Non-saturating generator loss, mean of -log(sigmoid(fake_logits)).

    Args:
        fake_logits: float tensor (B, 1), the discriminator's logits on fake images.

    Returns:
        float32 scalar, >= 0.

    Reference:
        Goodfellow et al. 2014, section 3, https://arxiv.org/abs/1406.2661
    """
    return ops.mean(ops.softplus(-_float32(fake_logits)))


@keras.saving.register_keras_serializable(package="kgan")
def bce_discriminator_loss(
    real_logits: Tensor,
    fake_logits: Tensor,
    label_smoothing: float = 0.0,
    one_mean: bool = False,
) -> Tensor:
    """Binary cross entropy with label 1 on real and 0 on fake, the two means summed.

    Args:
        real_logits: float tensor (B, 1), logits on real images.
        fake_logits: float tensor (B, 1), logits on fake images.
        label_smoothing: the real label is 1 minus this; the fake one stays 0.
        one_mean: one mean over both batches, half of the sum: what a single
            `train_on_batch` of real and fake images together computes. Under SGD the
            factor is a step size.

    Returns:
        float32 scalar, >= 0; 2 log 2 when every logit is 0, log 2 with `one_mean`.

    Reference:
        Goodfellow et al. 2014, equation 1, https://arxiv.org/abs/1406.2661;
        one-sided smoothing: Salimans et al. 2016, section 3.4,
        https://arxiv.org/abs/1606.03498
    """
    real_logits = _float32(real_logits)
    # softplus(x) = softplus(-x) + x: the cross entropy with a label below 1.
    real_loss = ops.mean(ops.softplus(-real_logits) + label_smoothing * real_logits)
    total = real_loss + ops.mean(ops.softplus(_float32(fake_logits)))
    return 0.5 * total if one_mean else total


@keras.saving.register_keras_serializable(package="kgan")
def minimax_generator_loss(fake_logits: Tensor) -> Tensor:
    """Generator's side of the minimax game, mean of log(1 - sigmoid(fake_logits)).

    Its gradient vanishes where the discriminator wins; `bce_generator_loss`
    is what is used in practice.

    Args:
        fake_logits: float tensor (B, 1), the discriminator's logits on fake images.

    Returns:
        float32 scalar, <= 0.

    Reference:
        Goodfellow et al. 2014, equation 1, https://arxiv.org/abs/1406.2661
    """
    return -ops.mean(ops.softplus(_float32(fake_logits)))


@keras.saving.register_keras_serializable(package="kgan")
def hinge_generator_loss(fake_logits: Tensor) -> Tensor:
    """Generator's side of the hinge loss, minus the mean logit.

    Args:
        fake_logits: float tensor (B, 1), the discriminator's logits on fake images.

    Returns:
        float32 scalar, any sign.

    Reference:
        Lim and Ye 2017, https://arxiv.org/abs/1705.02894; Zhang et al. 2018,
        equation 4, https://arxiv.org/abs/1805.08318
    """
    return -ops.mean(_float32(fake_logits))


@keras.saving.register_keras_serializable(package="kgan")
def hinge_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Hinge loss: real logits above 1 and fake logits below -1 have no gradient.

    Args:
        real_logits: float tensor (B, 1), logits on real images.
        fake_logits: float tensor (B, 1), logits on fake images.

    Returns:
        float32 scalar, >= 0; 2 when every logit is 0.

    Reference:
        Lim and Ye 2017, https://arxiv.org/abs/1705.02894; Zhang et al. 2018,
        equation 4, https://arxiv.org/abs/1805.08318
    """
    real_loss = ops.mean(ops.relu(1.0 - _float32(real_logits)))
    return real_loss + ops.mean(ops.relu(1.0 + _float32(fake_logits)))


@keras.saving.register_keras_serializable(package="kgan")
def lsgan_generator_loss(fake_logits: Tensor) -> Tensor:
    """Least squares: half the mean squared distance of fake logits from 1.

    Args:
        fake_logits: float tensor (B, 1), the discriminator's logits on fake images.

    Returns:
        float32 scalar, >= 0.

    Reference:
        Mao et al. 2017, equation 9, https://arxiv.org/abs/1611.04076
    """
    return 0.5 * ops.mean(ops.square(_float32(fake_logits) - 1.0))


@keras.saving.register_keras_serializable(package="kgan")
def lsgan_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Least squares: half the mean squared distance of real logits from 1 and fake ones from 0.

    Args:
        real_logits: float tensor (B, 1), logits on real images.
        fake_logits: float tensor (B, 1), logits on fake images.

    Returns:
        float32 scalar, >= 0; 0.5 when every logit is 0.

    Reference:
        Mao et al. 2017, equation 9, https://arxiv.org/abs/1611.04076
    """
    real_loss = ops.mean(ops.square(_float32(real_logits) - 1.0))
    return 0.5 * (real_loss + ops.mean(ops.square(_float32(fake_logits))))


@keras.saving.register_keras_serializable(package="kgan")
def wasserstein_generator_loss(fake_logits: Tensor) -> Tensor:
    """Generator's side of the Wasserstein distance, minus the mean logit.

    Args:
        fake_logits: float tensor (B, 1), the critic's outputs on fake images.

    Returns:
        float32 scalar, any sign.

    Reference:
        Arjovsky et al. 2017, equation 2, https://arxiv.org/abs/1701.07875
    """
    return -ops.mean(_float32(fake_logits))


@keras.saving.register_keras_serializable(package="kgan")
def wasserstein_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Mean fake logit minus mean real logit; its negative estimates the Wasserstein-1 distance.

    Meaningful only for a critic kept near Lipschitz 1, by `gradient_penalty` or
    spectral normalisation.

    Args:
        real_logits: float tensor (B, 1), the critic's outputs on real images.
        fake_logits: float tensor (B, 1), the critic's outputs on fake images.

    Returns:
        float32 scalar, any sign.

    Reference:
        Arjovsky et al. 2017, equation 2, https://arxiv.org/abs/1701.07875
    """
    return ops.mean(_float32(fake_logits)) - ops.mean(_float32(real_logits))


@keras.saving.register_keras_serializable(package="kgan")
def relativistic_generator_loss(fake_logits: Tensor, real_logits: Tensor) -> Tensor:
    """Relativistic pairing loss of the generator, mean of softplus(real - fake), pair by pair.

    Args:
        fake_logits: float tensor (B, 1), the discriminator's logits on fake images.
        real_logits: float tensor (B, 1), its logits on as many real images.

    Returns:
        float32 scalar, >= 0; log 2 when the logits are equal.

    Reference:
        Huang et al. 2024, equation 2, https://arxiv.org/abs/2501.05441, after
        Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734
    """
    return ops.mean(ops.softplus(_float32(real_logits) - _float32(fake_logits)))


@keras.saving.register_keras_serializable(package="kgan")
def relativistic_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Relativistic pairing loss of the discriminator, mean of softplus(fake - real), by pairs.

    Args:
        real_logits: float tensor (B, 1), logits on real images.
        fake_logits: float tensor (B, 1), logits on as many fake images.

    Returns:
        float32 scalar, >= 0; log 2 when the logits are equal.

    Reference:
        Huang et al. 2024, equation 2, https://arxiv.org/abs/2501.05441, after
        Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734
    """
    return ops.mean(ops.softplus(_float32(fake_logits) - _float32(real_logits)))
