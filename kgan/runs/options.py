"""The options of a training run; `kgan train`, config.json and `Run.create` take these."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from kgan.errors import InputError
from kgan.option_fields import (
    ABOVE_ZERO,
    COLOUR,
    FROM_ZERO,
    INTERVAL,
    MINUTES,
    NAMES,
    NOT_NEGATIVE,
    PATH,
    PORTION,
    SHARE,
    SIZE,
    SWITCH,
    TEXT,
    WHOLE,
    check_options,
    one_of,
    option,
    options_of,
    typed,
)

DEFAULT_EPOCHS = 25
EVALUATE_MINUTES = 5.0  # where --early-stop alone is given
LENGTH = ("epochs", "steps", "minutes")
FEW_PICTURES = 10_000
# Of the code of Tseng et al. 2021 for CIFAR-10, https://arxiv.org/abs/2104.03310: with the hinge
# loss, and with the logistic one, whose logits 0.3 would hold near 0.
LECAM, LECAM_LOGISTIC = 0.3, 1e-6
LARGEST_SEED = 2**32 - 1  # what numpy and Keras take
PRESETS_OWN = "the preset's"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a run is made from; `config.json` holds it with every default resolved.

    The help of each option is in its metadata; `kgan train --help` shows it. None
    stands for what the preset or the data have. In `config.json` the length, one of `epochs`,
    `steps` and `minutes`, is the run's goal from its beginning on, and
    `source` the data in words, `mirroring` why they are mirrored, or not, where nobody said, and
    `frozen` the names of the layers that `freeze_d` froze.

    Raises:
        InputError: a value that its option cannot have, or two lengths.
    """

    data: str | None = option(
        None,
        TEXT,
        "folder, .npz or .npy file, TFRecord shards or tfds:NAME",
        "data",
        default_words="the embedded set",
        positional=True,
    )
    split: str | None = option(
        None,
        TEXT,
        "of a TFDS set, such as test or train[:10%]",
        "data",
        default_words="train",
    )
    manual_dir: str | None = option(
        None,
        PATH,
        "a folder with the TFDS set's own files, for those fetched by hand or without network",
        "data",
    )
    download_dir: str | None = option(
        None, PATH, "where TFDS keeps downloads", "data", default_words="its own place"
    )
    strict: bool = option(False, SWITCH, "stop at a picture that cannot be decoded", "data")
    size: tuple[int, ...] | None = option(
        None,
        SIZE,
        "height and width, also HxWxC",
        "data",
        default_words="the data's own where all have one; 64x64 for files",
    )
    fit: Literal["crop", "pad"] = option(
        "crop", one_of("crop", "pad"), "how other shapes are fitted", "data"
    )
    background: tuple[int, ...] = option(
        (255, 255, 255),
        COLOUR,
        "colour under transparent pictures and around padded ones",
        "data",
    )
    augment: list[str] | None = option(
        None,
        NAMES,
        "such as flip,rotate=10,cutout=0.5:0.2 (strength, share of the pictures), or none; "
        "flip crop rotate translate zoom shear brightness contrast saturation hue cutout",
        "data",
        default_words="flip if a small network cannot tell pictures from their mirror images; none "
        "for the embedded set and tfds",
    )

    balance: bool = option(
        False, SWITCH, "show every class as often as another, however few its pictures", "data"
    )

    preset: str = option("dcgan", TEXT, "named configuration; see --list-presets", "model")
    filters: int | None = option(None, WHOLE, "width unit", "model", default_words=PRESETS_OWN)
    latent_dim: int | None = option(
        None, WHOLE, "length of a latent vector", "model", default_words=PRESETS_OWN
    )
    latents: Literal["normal", "uniform"] | None = option(
        None,
        one_of("normal", "uniform"),
        "distribution of latents: N(0, 1) or U(-1, 1)",
        "model",
        default_words=PRESETS_OWN,
    )
    conditional: bool = option(
        False,
        SWITCH,
        "learn the data's classes: subfolders, an array file's labels, a TFDS label",
        "model",
    )

    minibatch_stddev: bool = option(
        False,
        SWITCH,
        "the discriminator sees how much the pictures of a batch differ; for few pictures",
        "model",
    )

    epochs: int | None = option(
        None,
        WHOLE,
        "times through the data",
        "length",
        default_words=f"{PRESETS_OWN}, or {DEFAULT_EPOCHS}",
        exclusive=True,
        on_resume=True,
    )
    steps: int | None = option(
        None, WHOLE, "batches of images", "length", exclusive=True, on_resume=True
    )
    minutes: float | None = option(
        None, MINUTES, "wall-clock minutes", "length", exclusive=True, on_resume=True
    )

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
        "change all that the discriminator sees; for few pictures",
        "training",
        without_value="color,translation,cutout",
    )
    ada: bool = option(
        False,
        SWITCH,
        "the same with a strength that adapts to how sure the discriminator is",
        "training",
    )
    lecam: float | None = option(
        None,
        NOT_NEGATIVE,
        "weight of the penalty on logits far from those of the other kind, real or fake; for few "
        "pictures",
        "training",
        default_words="0; 0.3 where it is named without a number",
        without_value=LECAM,
    )
    recipe: Literal["auto", "few", "none"] = option(
        "none",
        one_of("auto", "few", "none"),
        "few is for few pictures: --diffaugment, --lecam and, where the preset can, "
        f"--minibatch-stddev; auto takes it for a user's own pictures below {FEW_PICTURES:,}",
        "training",
        default_words="auto, or none with --preset or --from",
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
        "auto", one_of("auto", "on", "off"), "compile the step with XLA", "training"
    )
    seed: int = option(0, FROM_ZERO, "of weights, latents, data order and samples", "training")

    sample_every: str = option(
        "200",
        INTERVAL,
        "time between two sheets of samples: 20 is steps, 5m minutes",
        "run",
        on_resume=True,
    )
    keep_samples: int = option(
        200,
        FROM_ZERO,
        "sheets kept, the older the fewer; 0 keeps all",
        "run",
        on_resume=True,
    )
    checkpoint_every: str = option(
        "1m", INTERVAL, "time between two checkpoints, in the same way", "run", on_resume=True
    )
    evaluate_every: float | None = option(
        None,
        MINUTES,
        "minutes between two evaluations of the images, and keep the best state",
        "quality",
        default_words=f"none; {EVALUATE_MINUTES:g} with --early-stop",
        on_resume=True,
    )
    early_stop: int | None = option(
        None,
        WHOLE,
        "stop after so many evaluations without better images",
        "quality",
        default_words="never",
        on_resume=True,
    )
    hold_out: float | None = option(
        None,
        SHARE,
        "share of the pictures that evaluations alone see",
        "quality",
        default_words="0.1 with an evaluation and 500 pictures or more, else 0",
    )
    start_from: str | None = option(
        None,
        PATH,
        "start from the weights of this run or .keras file: its preset, size, widths and "
        "latents unless they are given",
        "run",
        flag="--from",
    )
    freeze_d: int | None = option(
        None,
        WHOLE,
        "with --from: layers of the discriminator, the lowest first, that are not trained",
        "run",
        default_words="0",
    )
    source: str | None = None
    mirroring: str | None = None
    frozen: str | None = None

    @property
    def images_per_step(self) -> int:
        """`batch_size`, of options that are resolved."""
        assert self.batch_size is not None
        return self.batch_size

    def __post_init__(self) -> None:
        check_options(self)
        lengths = [name for name in LENGTH if getattr(self, name) is not None]
        if len(lengths) > 1:
            raise InputError(
                "A run has one length, --epochs, --steps or --minutes. "
                f"Received: {' and '.join(lengths)}"
            )
        if self.early_stop is not None and self.evaluate_every is None:
            object.__setattr__(self, "evaluate_every", EVALUATE_MINUTES)
        if self.freeze_d is not None and self.start_from is None:
            raise InputError(
                "--freeze-d keeps layers that another run has trained: it goes with --from. "
                f"Received: --freeze-d {self.freeze_d}"
            )
        if self.seed > LARGEST_SEED:
            raise InputError(f"A training seed is from 0 to {LARGEST_SEED}. Received: {self.seed}")


def check_changes(changes: dict[str, Any]) -> dict[str, Any]:
    """Options that a run is to change, checked; a learning rate is that of both networks.

    Raises:
        InputError: an option that a run keeps.
    """
    known = options_of(RunOptions)
    fixed = [name for name in changes if name not in known or not known[name].on_resume]
    if fixed:
        changeable = " ".join(typed(name, known[name]) for name in known if known[name].on_resume)
        raise InputError(
            "A run that is resumed keeps its own data and settings; what can change is "
            f"{changeable}. Received: "
            + " ".join(typed(name, known[name]) if name in known else name for name in fixed)
        )
    if "learning_rate" in changes:
        rate = changes["learning_rate"]
        changes = {"g_learning_rate": rate, "d_learning_rate": rate} | changes
    return changes
