"""Options of a run: what its step does."""

from __future__ import annotations

import dataclasses
from typing import Literal

from kgan.option_fields import (
    ABOVE_ZERO,
    FROM_ZERO,
    NOT_NEGATIVE,
    PORTION,
    SCHEDULE,
    SHARE,
    SWITCH,
    TEXT,
    WHOLE,
    one_of,
    option,
)
from kgan.runs.data_options import PRESETS_OWN

FEW_PICTURES = 10_000
# Of the code of Tseng et al. 2021 for CIFAR-10, https://arxiv.org/abs/2104.03310: with the hinge
# loss, and with the logistic one, whose logits 0.3 would hold near 0.
LECAM, LECAM_LOGISTIC = 0.3, 1e-6


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepOptions:
    """How a run learns from a batch; a part of `RunOptions`."""

    batch_size: int | None = option(
        None, WHOLE, "images per step", "training", default_words=PRESETS_OWN
    )
    loss: str | None = option(
        None,
        one_of("bce", "minimax", "hinge", "lsgan", "wasserstein", "relativistic"),
        "adversarial loss",
        "training",
        default_words=PRESETS_OWN,
    )
    learning_rate: float | None = option(
        None,
        ABOVE_ZERO,
        "of every network",
        "training",
        default_words=PRESETS_OWN,
        on_resume=True,
    )
    g_learning_rate: float | None = option(
        None,
        ABOVE_ZERO,
        "of the generator",
        "training",
        default_words="--learning-rate",
        on_resume=True,
    )
    d_learning_rate: float | None = option(
        None,
        ABOVE_ZERO,
        "of the discriminator",
        "training",
        default_words="--learning-rate",
        on_resume=True,
    )
    d_steps: int | None = option(
        None,
        WHOLE,
        "updates of the discriminator per update of the generator",
        "training",
        default_words="1",
    )
    d_update: Literal["joint", "sequential"] | None = option(
        None,
        one_of("joint", "sequential"),
        "one discriminator update from fake and real images, or one from each in turn",
        "training",
        default_words=PRESETS_OWN,
    )
    d_share: float | None = option(
        None,
        PORTION,
        "share of a batch, and as many fakes, that the discriminator learns from",
        "training",
        default_words=PRESETS_OWN,
    )
    reuse_fakes: bool = option(
        False,
        SWITCH,
        "the generator learns from the fakes that the discriminator just saw, not from new ones: "
        "less work a step",
        "training",
    )
    r1_gamma: float | None = option(
        None,
        NOT_NEGATIVE,
        "weight of the penalty on the discriminator's gradient at real images",
        "training",
        default_words="the loss's",
    )
    r2_gamma: float | None = option(
        None,
        NOT_NEGATIVE,
        "the same at fake images",
        "training",
        default_words="the loss's",
    )
    label_smoothing: float | None = option(
        None,
        SHARE,
        "the real label is 1 minus this; for the losses bce and minimax",
        "training",
        default_words="0",
    )
    diffaugment: str | None = option(
        None,
        TEXT,
        "change all that the discriminator sees; for few pictures. Of color translation cutout, "
        "and ADA's flip rotate90 integer_shift scale rotation anisotropy fractional_shift "
        "brightness contrast luma_flip hue saturation, or bgc for all of ADA's; none for nothing",
        "training",
        default_words=f"without a value color,translation,cutout; not named {PRESETS_OWN}",
        without_value="color,translation,cutout",
    )
    ada: bool = option(
        False,
        SWITCH,
        "the same by what --diffaugment says, the preset's kinds or bgc, of a share of the "
        "pictures that adapts to how sure the discriminator is",
        "training",
    )
    lecam: float | None = option(
        None,
        NOT_NEGATIVE,
        "weight of the penalty on logits far from those of the other kind, real or fake; for few "
        f"pictures, {LECAM:g} with the hinge loss and {LECAM_LOGISTIC:g} with bce",
        "training",
        default_words="0",
    )
    recipe: Literal["auto", "calm", "few", "none"] = option(
        "none",
        one_of("auto", "calm", "few", "none"),
        "calm is learning rates that fall along a cosine and an averaged generator; few is for few "
        "pictures: --diffaugment, --lecam and, where the preset can, --minibatch-stddev; auto "
        f"takes few for a user's own pictures below {FEW_PICTURES:,}, else calm in all but short "
        "runs",
        "training",
        default_words="auto, or none with --preset or --from",
    )
    schedule: str | None = option(
        None,
        SCHEDULE,
        "first and last values along a cosine over the run, such as "
        "learning_rate=2e-4:5e-5,beta_2=0.9:0.99; also g_learning_rate d_learning_rate r1_gamma "
        "r2_gamma ema_half_life_images augment_probability; or none",
        "training",
        default_words=f"{PRESETS_OWN}, but for what is given otherwise",
    )
    ema_half_life_images: float | None = option(
        None,
        NOT_NEGATIVE,
        "half-life of the averaged generator in images; 0 for none",
        "training",
        default_words=PRESETS_OWN,
    )
    precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"] = option(
        "auto",
        one_of("auto", "float32", "mixed_float16", "mixed_bfloat16"),
        "what layers compute in; auto is bfloat16 where the processor or GPU computes it at full "
        "rate, float16 on older GPUs with tensor cores, else float32",
        "training",
    )
    jit_compile: Literal["auto", "on", "off"] = option(
        "auto",
        one_of("auto", "on", "off"),
        "compile the step with XLA; auto measures, on a processor and in runs from 3 minutes on, "
        "whether that is faster",
        "training",
    )
    remat: bool = option(
        False,
        SWITCH,
        "compute the networks' blocks again in the backward pass, not keep what is in them: less "
        "memory, more time, the same gradients",
        "training",
    )
    seed: int = option(0, FROM_ZERO, "of weights, latents, data order and samples", "training")
