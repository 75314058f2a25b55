"""What a run trains with where nobody said: rates that fall, and what few pictures need."""

from __future__ import annotations

import dataclasses
from typing import Any

from kgan.data import Source
from kgan.errors import InputError
from kgan.layers import DiffAugment
from kgan.models import Preset, get_preset
from kgan.models.presets import presets_with_stddev
from kgan.option_fields import parse_schedule, schedule_text
from kgan.runs.data_options import DEFAULT_EPOCHS
from kgan.runs.options import RunOptions
from kgan.runs.step_options import FEW_PICTURES, LECAM, LECAM_LOGISTIC
from kgan.runs.width import BATCH_SIZE
from kgan.training.cosine import RATES

# The learning rates along the run, in those that the preset has; docs/ablations.md, docs/recipes.md
FIRST_RATE, LAST_RATE = 2.0, 0.1
HALF_LIFE = 10_000.0  # images, of the averaged generator
# A shorter run has not come far when its rates fall.
LEAST_IMAGES = 100_000
LEAST_MINUTES = 3.0


def with_recipe(options: RunOptions, source: Source, workers: bool = False) -> RunOptions:
    """The options with what their recipe adds.

    "calm" is learning rates that fall along a cosine and an averaged generator; "few" is what few
    pictures need; "auto" is "few" for a user's own few pictures, else "calm" where the run is long
    enough. What a user said stays as it is, and so does what the preset has of its own. The
    discriminator of a run that starts from another's weights has that one's layers.

    Args:
        options: the run's.
        source: what it trains on.
        workers: whether several processes train, which cannot measure how far rates have to fall
            in minutes.

    Raises:
        InputError: a recipe was asked for an autoencoder.
    """
    preset = get_preset(options.preset)
    recipe = options.recipe
    if not isinstance(preset, Preset):
        if recipe in ("calm", "few"):
            raise InputError(
                f"--recipe {recipe} is for GANs. Received: the preset {options.preset}"
            )
        return dataclasses.replace(options, recipe="none")
    if recipe == "auto":
        recipe = "none"
        if options.data is not None and source.good < FEW_PICTURES:
            recipe = "few"
        elif options.discriminator is None and _is_long(options, preset, source, workers):
            recipe = "calm"
    added = {"few": _few, "calm": _calm}
    facts = added[recipe](options, preset, source) if recipe in added else {}
    return dataclasses.replace(options, **{"recipe": recipe} | facts)


def _few(options: RunOptions, preset: Preset, source: Source) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if options.diffaugment is None and not options.ada and preset.diff_augment is None:
        facts["diffaugment"] = DiffAugment.EVERYTHING
    if options.lecam is None:
        hinge = (options.loss or preset.loss) == "hinge"
        facts["lecam"] = LECAM if hinge else LECAM_LOGISTIC
    if options.start_from is None and options.preset in presets_with_stddev():
        facts["minibatch_stddev"] = True
    return facts


def _calm(options: RunOptions, preset: Preset, source: Source) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    said = [getattr(options, name) for name in (*RATES, "schedule")]
    if said.count(None) == len(said) and not preset.schedules_at(source.image_shape):
        g_rate, d_rate = (config["config"]["learning_rate"] for config in preset.optimizers)
        rates = dict(zip(RATES[1:], (g_rate, d_rate), strict=True))
        if g_rate == d_rate:
            rates = {RATES[0]: g_rate}
        facts["schedule"] = schedule_text(
            {name: (FIRST_RATE * rate, LAST_RATE * rate) for name, rate in rates.items()}
        )
    half_life = "ema_half_life_images"
    follows = half_life in parse_schedule(options.schedule or "none")
    if options.ema_half_life_images is None and preset.ema_half_life_images is None and not follows:
        facts[half_life] = HALF_LIFE
    return facts


def _is_long(options: RunOptions, preset: Preset, source: Source, workers: bool) -> bool:
    if options.minutes is not None:
        return options.minutes >= LEAST_MINUTES and not workers
    length = {name: getattr(options, name) for name in ("steps", "epochs")}
    if not any(length.values()):
        length = preset.length or {"epochs": DEFAULT_EPOCHS}
    if length.get("steps"):
        # With the batches that `width.chosen` would take.
        batch_size = options.batch_size or min(BATCH_SIZE, preset.batch_size)
        return length["steps"] * batch_size >= LEAST_IMAGES
    return length["epochs"] * source.good >= LEAST_IMAGES


def in_words(options: RunOptions) -> str:
    """What a run's options have of their recipe, with commas."""
    few = {
        "ADA": options.ada,
        f"DiffAugment {options.diffaugment}": options.diffaugment != "none" and not options.ada,
        f"LeCam {options.lecam or 0:g}": options.lecam,
        "minibatch standard deviation": options.minibatch_stddev,
    }
    calm = {
        f"{options.schedule} along a cosine": options.schedule not in (None, "none"),
        "averaged weights": options.ema_half_life_images,
    }
    parts = few if options.recipe == "few" else calm
    return ", ".join(part for part, is_there in parts.items() if is_there)
