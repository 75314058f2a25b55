"""From the path of a model and the name of data to figures, a sheet and `evaluation.json`."""

from __future__ import annotations

import csv
import dataclasses
import io
import logging
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kgan import export_places, manifest, runtime
from kgan.attributes import Attributes
from kgan.data import Source
from kgan.data.choosing import draw_indices
from kgan.errors import InputError
from kgan.files import printable
from kgan.images import save_png
from kgan.metrics.curve import curve
from kgan.metrics.evaluation import Evaluation, judged
from kgan.metrics.features import Features
from kgan.metrics.figures import HEADLINE
from kgan.metrics.quality_sheet import labelled, quality_sheet
from kgan.metrics.real_images import Reference
from kgan.metrics.resize import check_measurable
from kgan.reading import read_text, sha256
from kgan.runs import build, load, quality
from kgan.runs.directory import BEST_FILE, EVALUATION_FILE, HISTORY_FILE, read_options
from kgan.runs.options import RunOptions
from kgan.training.gan import GAN

LOG = logging.getLogger("kgan")
SHEET_FILE = "evaluation.png"
COMPARISON_FILE = "comparison.png"
SHOWN = 12  # images of each model on the sheet of several


class Opened(NamedTuple):
    """A model that is to be measured.

    Attributes:
        model: it.
        weights: which of its weights make the images.
        facts: what is known of it: its file, and its step where it has one.
        options: those of the run that it belongs to; None without one.
        place: the folder for what is written of it.
        prefix: what the names of files written there begin with: a lone file's own name.
    """

    model: Any
    weights: str
    facts: dict[str, Any]
    options: RunOptions | None
    place: Path
    prefix: str


def open_model(path: str | os.PathLike[str]) -> Opened:
    """Opens a run, a .keras file of a GAN or an autoencoder, or an export.

    Raises:
        InputError: it is none of them.
    """
    facts: dict[str, Any]
    export = export_places.find_autoencoder(path)
    if export is not None:
        facts = {"file": manifest.MANIFEST_FILE}
        return Opened(runtime.Autoencoder(path), "exported", facts, None, export, "")
    onnx = export_places.find_onnx(path)
    if onnx is not None:
        generator = runtime.Generator(path)
        facts = {"file": onnx.name, "sha256": generator.session.model.sha256}
        prefix = "" if onnx.name == manifest.ONNX_FILE else f"{onnx.stem}."
        return Opened(generator, "exported", facts, None, onnx.parent, prefix)
    model = load.load_model(path, compile=False)
    state = load.find_model(path)
    averaged = isinstance(model, GAN) and model.average is not None
    facts = {"file": state.name, "step": int(model.batches_seen.numpy()), "sha256": sha256(state)}
    run = load.run_directory(path)
    options = None if run is None else read_options(run)
    weights = "average" if averaged else "trained"
    if run is None or not Path(path).is_dir():  # a state by itself, beside others perhaps
        return Opened(model, weights, facts, options, state.parent, f"{state.stem}.")
    return Opened(model, weights, facts, options, run, "")


def open_data(opened: Opened, data: str | None) -> tuple[Source, RunOptions]:
    """What a model is measured against, and the options that say how it is read.

    Args:
        opened: the model.
        data: what `kgan.data.open_source` takes; None for what its run was trained on.

    Raises:
        InputError: a model without a run and no data, or data that cannot be used.
    """
    conditional = getattr(opened.model, "condition", None) is not None
    received = opened.place / opened.facts["file"]
    asked = ("the data to compare with", received)
    return data_for(opened.options, data, opened.model.image_shape, conditional, asked)


def data_for(
    run: RunOptions | None,
    data: str | None,
    image_shape: Sequence[int],
    conditional: bool,
    asked: tuple[str, str | os.PathLike[str]],
) -> tuple[Source, RunOptions]:
    """As `open_data`, for any network of images.

    Args:
        run: the options of its run; None without one.
        data: as for `open_data`.
        image_shape: (H, W, C) that images are fitted to.
        conditional: read their labels too.
        asked: (what is to be named where there is no run, the network's path), for the message.
    """
    options = run or RunOptions()
    if data is not None:
        options = dataclasses.replace(build.with_other_data(options, data), hold_out=None)
    elif run is None:
        raise InputError(
            f"Name {asked[0]}; only a run knows what it was trained on. "
            f"Received: {printable(asked[1])}"
        )
    options = dataclasses.replace(options, size=tuple(image_shape), conditional=conditional)
    return build.open_source(options), options


def real_images(
    opened: Opened, data: str | None, n: int, seed: int, network: Features
) -> Reference:
    """The real images that a model is measured against.

    Args:
        opened: the model.
        data: what `kgan.data.open_source` takes; None for what its run was trained on, where
            a part of it was held out that part.
        n: images on each side.
        seed: of their choice.
        network: whose features are compared.

    Raises:
        InputError: a model without a run and no data, data that cannot be used, or images whose
            channels make no picture.
    """
    check_measurable(opened.model.image_shape[2])
    source, options = open_data(opened, data)
    held, trained = quality.parts(source, options)
    if len(held):
        n_real = min(n, len(held), len(trained))
        first, others, split = held[:n_real], trained[:n_real], "held out"
        if opened.facts["file"] == Path(BEST_FILE).name:
            split = "held out, where this state was the best"
    else:
        mixed = draw_indices(source, 2 * n, seed)
        n_real = min(n, len(mixed) // 2)
        first, others, split = mixed[:n_real], mixed[n_real:], "all"
    if n_real < n:
        LOG.warning("%d images on each side, not %d: there are no more", n_real, n)
    known: Sequence[str] | Attributes | None = getattr(opened.model, "attributes", None)
    if known is None and options.conditional:
        known = opened.model.class_names or ()
    facts = {"network": network, "split": split, "seed": seed}
    return quality.reference(source, first, others, known, **facts)


def evaluate_model(
    opened: Opened,
    data: str | None,
    *,
    n: int,
    metrics: Sequence[str],
    network: Features,
    seed: int,
) -> tuple[Evaluation, Path]:
    """Measures a model and writes `evaluation.json` and `evaluation.png` beside it.

    Args:
        opened: the model, a GAN or a generator.
        data, n, seed, network: as for `real_images`; the seed is that of the first image
            generated, too.
        metrics: names of `kgan.metrics.figures.METRICS`.

    Returns:
        (the figures, the path of the sheet).

    Raises:
        InputError: as for `real_images`.
    """
    reference = real_images(opened, data, n, seed, network)
    found, fake = _measured(opened, reference, metrics, seed)
    found.write(opened.place / f"{opened.prefix}{EVALUATION_FILE}")
    sheet = quality_sheet(opened.model, reference, fake, seed)
    points = _over_the_run(opened)
    if points:
        chart = curve(points, HEADLINE.replace("_", " "), sheet.shape[1])
        sheet = np.concatenate([sheet, np.repeat(chart, sheet.shape[2], axis=2)])
    return found, save_png(opened.place / f"{opened.prefix}{SHEET_FILE}", sheet, drawn=True)


def _over_the_run(opened: Opened) -> list[tuple[int, float]]:
    """(batches seen, kernel distance) of each evaluation in a run's history; empty without."""
    path = opened.place / HISTORY_FILE
    if opened.options is None or not path.is_file():
        return []
    points = {}
    try:
        for row in csv.DictReader(io.StringIO(read_text(path))):
            step, figure = row.get("batches_seen"), row.get(HEADLINE)
            if step and figure and math.isfinite(float(figure)):
                points[int(float(step))] = float(figure)
    except (ValueError, OverflowError, csv.Error):  # edited, and then of no use here
        return []
    return sorted(points.items())


def compare_models(
    models: Mapping[str, Opened],
    data: str | None,
    *,
    n: int,
    metrics: Sequence[str],
    network: Features,
    seed: int,
) -> tuple[dict[str, Evaluation], Path]:
    """Measures several models against the same images and writes one sheet of them.

    Args:
        models: name -> model; the data are those of the first where none are named.
        data, n, metrics, network, seed: as for `evaluate_model`.

    Returns:
        (the figures of each, the path of the sheet, `comparison.png` beside the first model).

    Raises:
        InputError: as for `evaluate_model`.
    """
    first = next(iter(models.values()))
    _check_alike(models, data)
    if HEADLINE not in metrics:
        raise InputError(f"Models are compared by {HEADLINE}. Received: {', '.join(metrics)}")
    reference = real_images(first, data, n, seed, network)
    found, rows = {}, []
    for name, opened in models.items():
        found[name], _ = _measured(opened, reference, metrics, seed)
        found[name].write(opened.place / f"{opened.prefix}{EVALUATION_FILE}")
        labels = reference.labels_for(opened.model)
        given = {} if labels is None else {"labels": labels[:SHOWN]}
        rows.append(opened.model.generate(min(SHOWN, reference.n), seed=seed, **given))
    rows.append(reference.images[:SHOWN])
    sheet = labelled(rows, [*map(printable, models), "real images"])
    return found, save_png(first.place / f"{first.prefix}{COMPARISON_FILE}", sheet, drawn=True)


def _check_alike(models: Mapping[str, Opened], data: str | None) -> None:
    """Checks that models can be measured against the same images.

    Raises:
        InputError: they make other images, or the first one's data may be known to another.
    """
    (first, reference), *others = models.items()

    def images(opened: Opened) -> Any:
        condition = getattr(opened.model, "condition", None)
        known = condition.names if isinstance(condition, Attributes) else condition
        return tuple(opened.model.image_shape), known, hasattr(opened.model, "generate")

    def knows(opened: Opened) -> Any:
        options = opened.options
        return options and (options.data, options.seed, options.hold_out)

    holds_out = bool(reference.options and reference.options.hold_out)

    for name, opened in others:
        if images(opened) != images(reference):
            raise InputError(
                "Models are compared that make images of one size, of the same classes or "
                "attributes, as "
                f"{first}. Received: {name}"
            )
        if data is None and holds_out and knows(opened) != knows(reference):
            raise InputError(
                f"{name} may know what {first} holds out: name DATA that neither was trained on. "
                "Received: none"
            )


def _measured(
    opened: Opened, reference: Reference, metrics: Sequence[str], seed: int
) -> tuple[Evaluation, np.ndarray]:
    fake = reference.features_of(opened.model, seed)
    found = judged(
        opened.model,
        reference,
        fake,
        metrics,
        seed=seed,
        weights=opened.weights,
        facts=opened.facts,
    )
    return found, fake
