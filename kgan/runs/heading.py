"""What is told before a training: what is trained on what, how, where, and how to watch it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from kgan import memory
from kgan.callbacks.sample_sheets import LATEST
from kgan.channels import PICTURES, in_words
from kgan.commands import command_line
from kgan.data import Source
from kgan.files import aligned, printable
from kgan.runs import goal, recipe
from kgan.runs.directory import SAMPLES
from kgan.runs.options import RunOptions
from kgan.runs.step_timing import on_processors
from kgan.training import GAN, Autoencoder
from kgan.training.footprint import held_bytes, step_bytes
from kgan.training.this_machine import computing_devices

ORDER = (
    *("data", "images", "augment", "preset", "networks", "batches", "length"),
    *("computes", "memory", "quality", "run", "watch"),
)


def heading(
    directory: Path,
    options: RunOptions,
    done: goal.Progress,
    source: Source,
    model: GAN | Autoencoder,
    width: int | None = None,
) -> str:
    """Aligned lines that tell of a training before it begins.

    Args:
        directory: the run's.
        options, done: its options, with its goal, and what it has done.
        source, model: what it trains on, and what.
        width: characters in a line; None for lines of any length.
    """
    strategy = model.distribute_strategy
    words = of_options(options, done) | {
        "images": _images(source),
        "networks": ", ".join(
            f"{role} {getattr(model, role).count_params():,}" for role in model.roles
        )
        + " parameters",
        "computes": f"in {options.precision} on {computing_devices(strategy)}",
        "memory": _memory(model, options.images_per_step, strategy),
        "run": printable(directory, None),
        "watch": how_to_watch(directory),
    }
    lines = aligned([(name, words[name]) for name in ORDER if words.get(name)])
    if width is None:
        return "\n".join(lines)
    indent = " " * (max(map(len, words)) + 2)
    wrap = textwrap.TextWrapper(  # in which paths stay whole
        width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(part for line in lines for part in wrap.wrap(line))


def of_options(options: RunOptions, done: goal.Progress) -> dict[str, str]:
    """What the options alone tell: name of a line -> its words, which may be empty."""
    data = [options.source, options.transparency]
    if options.size is not None and len(options.size) == 3 and options.size[2] not in PICTURES:
        data.append(f"sheets show the {options.size[2]} channels side by side, each as grey")
    preset = [options.preset, options.fitted]
    if options.recipe != "none":
        of_few = " for few pictures" if options.recipe == "few" else ""
        parts = recipe.in_words(options)
        preset.append(f"recipe{of_few}: {parts} (--recipe none for none of it)")
    if options.frozen is not None:
        preset.append(f"not trained: {options.frozen}")
    batches = [f"{options.batch_size} images, {done.epoch_steps:,} an epoch"]
    if options.balance:
        batches.append("every class as often as another")
    return {
        "data": _joined(data),
        "augment": _joined([", ".join(options.augment or ()), options.mirroring]),
        "preset": _joined(preset),
        "batches": _joined(batches),
        "length": _length(options, done),
        "quality": _quality(options),
    }


def _joined(parts: Sequence[str | None]) -> str:
    return "; ".join(printable(part, None) for part in parts if part)


def _length(options: RunOptions, done: goal.Progress) -> str:
    steps, seconds = goal.steps_left(options, done), goal.seconds_left(options, done)
    if seconds is not None:
        counts = (done.seconds / 60, seconds / 60, options.minutes)
        if not done.steps:
            return f"{options.minutes:.3g} minute{'' if options.minutes == 1 else 's'}"
        return "{:.3g} minutes done, {:.3g} more, {:.3g} in all".format(*counts)
    more = steps or 0
    if not done.steps:
        return f"{more:,} step{'' if more == 1 else 's'}"
    return f"{done.steps:,} steps done, {more:,} more, {done.steps + more:,} in all"


def _quality(options: RunOptions) -> str:
    if options.evaluate_every is None:
        return ""
    against = "the pictures it is trained on"
    if options.hold_out:
        against = f"the {options.hold_out:.0%} of the pictures that are held out"
    return f"images evaluated every {options.evaluate_every:g} minutes against {against}"


def _images(source: Source) -> str:
    height, width, channels = source.image_shape
    parts = [f"{source.good:,} of {height}x{width}, {in_words(channels)}"]
    if source.class_names is not None:
        parts.append(f"{len(source.class_names)} classes")
    if source.attributes is not None:
        parts.append(f"{len(source.attributes.names)} attributes")
    if source.skipped:
        parts.append(f"{len(source.skipped)} skipped that cannot be decoded")
    return ", ".join(parts)


def how_to_watch(directory: Path) -> str:
    """How a training is watched: its newest sheet of samples, and a command."""
    sheet = printable(directory / SAMPLES / LATEST, None)
    return f"{sheet}, or: {command_line('kgan', 'watch', directory)}"


def _memory(model: GAN | Autoencoder, batch_size: int, strategy: tf.distribute.Strategy) -> str:
    least = held_bytes(model) + step_bytes(model, batch_size // strategy.num_replicas_in_sync)
    words = f"at least {memory.in_words(least)}"
    return f"{words}; {memory.in_words(memory.free())} is free" if on_processors() else words
