"""The options of a training run; `kgan train`, config.json and `Run.create` take these."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from kgan.errors import InputError
from kgan.names import with_other_discriminator
from kgan.option_fields import (
    FROM_ZERO,
    INTERVAL,
    MINUTES,
    PATH,
    SHARE,
    WHOLE,
    check_options,
    one_of,
    option,
    options_of,
    typed,
)
from kgan.runs.data_options import DataOptions
from kgan.runs.step_options import StepOptions

EVALUATE_MINUTES = 5.0  # where --early-stop alone is given
LENGTH = ("epochs", "steps", "minutes")
LARGEST_SEED = 2**32 - 1  # what numpy and Keras take


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunOptions(StepOptions, DataOptions):
    """What a run is made from; `config.json` holds it with every default resolved.

    The help of each option is in its metadata; `kgan train --help` shows it. None
    stands for what the preset or the data have. In `config.json` the length, one of `epochs`,
    `steps` and `minutes`, is the run's goal from its beginning on, and
    `source` the data in words, `transparency` what became of that in them, `mirroring` why they are
    mirrored, or not, where nobody said,
    `frozen` the names of the layers that `freeze_d` froze, and `fitted` the width and batches that
    were chosen for the processor; `xla` is whether XLA compiles the steps after the run's first few
    where `jit_compile` leaves it open and it was chosen, and `xla_why` that in words.

    Raises:
        InputError: a value that its option cannot have, or two lengths.
    """

    sample_every: str | None = option(
        None,
        INTERVAL,
        "time between two sheets of samples: 20 is steps, 5m minutes",
        "run",
        default_words="10 seconds, then twice as long each time, up to 5 minutes",
        on_resume=True,
    )
    keep_samples: int = option(
        200,
        FROM_ZERO,
        "sheets and walks kept, the older the fewer; 0 keeps all",
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
    track: Literal["trackio", "mlflow", "wandb", "none"] | None = option(
        None,
        one_of("trackio", "mlflow", "wandb", "none"),
        "send figures and options to an experiment tracker too",
        "run",
        default_words="none",
        on_resume=True,
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
    transparency: str | None = None
    mirroring: str | None = None
    fitted: str | None = None
    frozen: str | None = None
    xla: bool | None = None
    xla_why: str | None = None

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
        if self.discriminator is not None:
            preset = with_other_discriminator(self.preset, self.discriminator)
            object.__setattr__(self, "preset", preset)
        if self.early_stop is not None and self.evaluate_every is None:
            object.__setattr__(self, "evaluate_every", EVALUATE_MINUTES)
        if self.attributes is not None:
            object.__setattr__(self, "conditional", True)
        if self.track == "none":  # how a run that is resumed is told to leave its tracker
            object.__setattr__(self, "track", None)
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
