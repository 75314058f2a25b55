"""How a discriminator's outputs are read under a loss, and its equilibrium; without TensorFlow."""

from __future__ import annotations

import math
from typing import NamedTuple

GUESSING = 0.5  # an accuracy


class Judgement(NamedTuple):
    """How the outputs of a discriminator are read, and where figures stand at the equilibrium.

    That is where the generator draws what the data hold and the discriminator is the best there
    is; each figure None where that does not fix it.

    Attributes:
        is_probability: whether D(x) is the sigmoid of an output, else the output itself.
        real_above: the output above which an image is judged real; None where outputs are only
            compared with each other.
        equilibrium: D(x) and D(G(z)) there.
        d_loss, g_loss: the losses there, without penalties.
    """

    is_probability: bool = False
    real_above: float | None = None
    equilibrium: float | None = None
    d_loss: float | None = None
    g_loss: float | None = None

    def levels(self) -> dict[str, float]:
        """`d_loss`, `g_loss`, `judged` (D(x) and D(G(z))) and `accuracy` there, as far as fixed."""
        found = {
            "d_loss": self.d_loss,
            "g_loss": self.g_loss,
            "judged": self.equilibrium,
            "accuracy": None if self.real_above is None else GUESSING,
        }
        return {name: value for name, value in found.items() if value is not None}


def judgement_under(
    loss: str | None, label_smoothing: float = 0.0, one_mean: bool = False
) -> Judgement:
    """How outputs are read under a loss.

    With cross entropy and real labels 1 - s the best discriminator of equal distributions says
    d = (1 - s) / 2 everywhere, as it minimises -(1 - s) log d - (1 + s) log(1 - d); without
    smoothing 1/2 and 2 log 2, 1.386. With least squares it puts out 1/2 everywhere; with the hinge
    loss anything within [-1, 1] costs the same; the losses that only compare outputs do not
    depend on a value that all images share.

    Args:
        loss: a name in `kgan.losses.LOSSES`; None, or any other, for a loss of the user's own, of
            which nothing is known.
        label_smoothing, one_mean: as in `kgan.losses.BCE`; of the other losses they mean nothing.

    Reference:
        Goodfellow et al. 2014, theorem 1, https://arxiv.org/abs/1406.2661; smoothing: Salimans
        et al. 2016, section 3.4, https://arxiv.org/abs/1606.03498
    """
    if loss in ("bce", "minimax"):
        s = label_smoothing
        d = 0.5 * (1.0 - s)
        total = -(1.0 - s) * math.log(d) - (1.0 + s) * math.log(1.0 - d)
        g_loss = -math.log(d) if loss == "bce" else math.log(1.0 - d)
        return Judgement(True, 0.0, d, 0.5 * total if one_mean else total, g_loss)
    log_2 = math.log(2.0)
    others = {
        "hinge": Judgement(real_above=0.0, d_loss=2.0),
        "lsgan": Judgement(real_above=0.5, equilibrium=0.5, d_loss=0.25, g_loss=0.125),
        "wasserstein": Judgement(d_loss=0.0),
        "relativistic": Judgement(d_loss=log_2, g_loss=log_2),
    }
    return Judgement() if loss is None else others.get(loss, Judgement())
