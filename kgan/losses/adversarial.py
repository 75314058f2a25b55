"""Adversarial losses: one function for the generator and one for the discriminator each.

All take logits, work in float32 under any dtype policy and return a float32
scalar, the mean over the batch. `softplus(-x)` is -log(sigmoid(x)) and
`softplus(x)` is -log(1 - sigmoid(x)); neither overflows for large logits.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="kgan")
def bce_generator_loss(fake_logits):
    """Non-saturating generator loss, mean of -log(sigmoid(fake_logits)).

    Args:
        fake_logits: float tensor (B, 1), the discriminator's logits on fakes.

    Returns:
        float32 scalar, >= 0.

    Reference:
        Goodfellow et al. 2014, section 3, https://arxiv.org/abs/1406.2661
    """
    return ops.mean(ops.softplus(-ops.cast(fake_logits, "float32")))


@keras.saving.register_keras_serializable(package="kgan")
def bce_discriminator_loss(real_logits, fake_logits):
    """Binary cross entropy with label 1 on real and 0 on fake, the two means summed.

    Args:
        real_logits: float tensor (B, 1), logits on real images.
        fake_logits: float tensor (B, 1), logits on fake images.

    Returns:
        float32 scalar, >= 0; 2 log 2 when every logit is 0.

    Reference:
        Goodfellow et al. 2014, equation 1, https://arxiv.org/abs/1406.2661
    """
    real_loss = ops.mean(ops.softplus(-ops.cast(real_logits, "float32")))
    fake_loss = ops.mean(ops.softplus(ops.cast(fake_logits, "float32")))
    return real_loss + fake_loss


@keras.saving.register_keras_serializable(package="kgan")
def minimax_generator_loss(fake_logits):
    """Generator's side of the minimax game, mean of log(1 - sigmoid(fake_logits)).

    Its gradient vanishes where the discriminator wins; `bce_generator_loss`
    is what trains in practice.

    Args:
        fake_logits: float tensor (B, 1), the discriminator's logits on fakes.

    Returns:
        float32 scalar, <= 0.

    Reference:
        Goodfellow et al. 2014, equation 1, https://arxiv.org/abs/1406.2661
    """
    return -ops.mean(ops.softplus(ops.cast(fake_logits, "float32")))
