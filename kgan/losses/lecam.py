"""LeCam regularisation: how far logits are from what a discriminator says of the other kind."""

from __future__ import annotations

from keras import ops

from kgan.tensors import Tensor


def lecam_penalty(logits: Tensor, other_anchor: Tensor) -> Tensor:
    """Mean squared distance of logits from the anchor of the other kind of images.

    The regulariser is the sum over both kinds: of the real logits from the anchor of fake images
    and of the fake logits from that of real ones. The formula is the paper's; its authors' code
    counts only real logits above and fake logits below the other anchor.

    Args:
        logits: float tensor (B, 1), on real images or on fake ones.
        other_anchor: float scalar, the moving mean of the logits on the other kind.

    Returns:
        float32 scalar, >= 0.

    Reference:
        Tseng et al. 2021, the term R_LC, https://arxiv.org/abs/2104.03310
    """
    distance = ops.cast(logits, "float32") - ops.cast(other_anchor, "float32")
    return ops.mean(ops.square(distance))
