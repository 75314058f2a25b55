"""A run's options as they came out, and its learning rates as they were changed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import keras

from kgan.data import Source, mirroring
from kgan.data.augment import expanded
from kgan.data.embedded_sets import EMBEDDED_PREFIX
from kgan.data.table_builders import HF_PREFIX
from kgan.losses import LOSSES
from kgan.models import get_preset
from kgan.option_fields import schedule_text
from kgan.runs.data_options import DEFAULT_EPOCHS
from kgan.runs.options import LENGTH, RunOptions
from kgan.telling import doing
from kgan.training import GAN, Autoencoder, schedules
from kgan.training.cosine import RATES, by_network
from kgan.training.distribution import has_workers


def resolved(options: RunOptions, model: GAN | Autoencoder, source: Source) -> RunOptions:
    """The options with every default as it came out, for config.json."""
    preset = get_preset(options.preset)
    facts: dict[str, Any] = {
        "data": _from_anywhere(options.data),
        "attributes": _from_anywhere(options.attributes),
        "manual_dir": _from_anywhere(options.manual_dir),
        "download_dir": _from_anywhere(options.download_dir),
        "start_from": _from_anywhere(options.start_from),
        "size": source.image_shape,
        "latent_dim": options.latent_dim or preset.latent_dim,
        "filters": options.filters or preset.filters,
        "batch_size": options.batch_size or preset.batch_size,
        "split": source.split,
        "source": source.description,
        "transparency": source.transparency,
    }
    facts |= _augment(options.augment, source, has_workers(model.distribute_strategy))
    if all(getattr(options, name) is None for name in LENGTH):
        facts |= preset.length or {"epochs": DEFAULT_EPOCHS}
    if isinstance(model, GAN):
        loss = model.adversarial_loss
        facts |= {
            "latents": model.latent_distribution,
            "ema_half_life_images": model.ema_half_life_images or 0,
            "loss": next(name for name, kind in LOSSES.items() if type(loss) is kind),
            "g_learning_rate": _rate_of(model.g_optimizer),
            "d_learning_rate": _rate_of(model.d_optimizer),
            **_largest_scheduled_rates(model),
            "d_steps": model.d_steps,
            "d_update": model.d_update,
            "d_share": model.d_share,
            "r1_gamma": loss.r1_gamma,
            "r2_gamma": loss.r2_gamma,
            "label_smoothing": getattr(loss, "label_smoothing", None),
            "lecam": loss.lecam,
            "frozen": " ".join(model.frozen_d_layers) or None,
            "schedule": schedule_text(
                {name: (one.start, one.end) for name, one in model.schedules.items()}
            ),
        }
        if model.diff_augment is not None:
            facts["diffaugment"] = model.diff_augment.policy
    else:
        facts["learning_rate"] = _rate_of(model.optimizer)
    return dataclasses.replace(options, **facts)


def _augment(augment: list[str] | None, source: Source, workers: bool) -> dict[str, Any]:
    """The data's own augmentations, or those said; a flip nobody said only where it is harmless."""
    said = {}

    def may_mirror() -> bool:
        if workers:  # each would answer for itself, and near the limit not all alike
            said["mirroring"] = (
                "not mirrored (several workers do not ask whether left and right matter)"
            )
            return False
        with doing("learning whether left and right matter"):
            found = mirroring.ask(source)
        said["mirroring"] = f"{'' if found.harmless else 'not '}mirrored ({found})"
        return found.harmless

    if augment is None:
        own = source.default_augment
        names = [name for name in own if name != "flip" or may_mirror()]
    else:
        names = expanded(augment, may_mirror)
    return {"augment": names} | said


def _rate_of(optimizer: Any) -> float:
    """An optimizer's learning rate, rounded to what float32 knows of it."""
    return float(f"{float(keras.ops.convert_to_numpy(optimizer.learning_rate)):.6g}")


def _largest_scheduled_rates(model: GAN) -> dict[str, float]:
    """Scheduled learning rates by option; the optimizers are at the first one, which can be 0."""
    return {
        name: max(one.start, one.end)
        for name, one in by_network(model.schedules).items()
        if name in RATES
    }


def set_learning_rates(model: GAN | Autoencoder, changes: dict[str, Any]) -> None:
    """Gives a model's optimizers the learning rates among the changed options, and keeps them."""
    for role in "gd":
        rate = changes.get(f"{role}_learning_rate") or changes.get("learning_rate")
        optimizer = getattr(model, f"{role}_optimizer", None) or model.optimizer
        if rate is None or optimizer is None:
            continue
        if isinstance(model, GAN):
            schedules.without_rates(model, role)
        optimizer.learning_rate = rate


def _from_anywhere(data: str | None) -> str | None:
    """The same data or folder, named so that a run can be resumed from another directory."""
    if data is not None and data.startswith(HF_PREFIX):
        place = Path(data.removeprefix(HF_PREFIX))
        return HF_PREFIX + str(place.resolve()) if place.exists() else data  # or a name on the Hub
    named = data is None or data.startswith(("tfds:", EMBEDDED_PREFIX))
    return data if named else str(Path(str(data)).resolve())
