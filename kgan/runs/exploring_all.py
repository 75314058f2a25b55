"""Every experiment that applies to a model, and one page of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kgan import explore
from kgan.channels import in_words as channels_in_words
from kgan.errors import InputError
from kgan.explore.image_networks import network_of_images
from kgan.explore.inner_layers import output_shape, stages_of
from kgan.explore.judgement import Group
from kgan.explore.linear_classifier import linear_svm
from kgan.explore.picture import UNWRITABLE, Finding, check_place, stacked
from kgan.explore.report_page import Section, is_report, report_page
from kgan.explore.subject import Subject
from kgan.files import printable, put_in_place, staging_directory, writing
from kgan.metrics.features import Features
from kgan.runs.directory import read_options
from kgan.runs.evaluating import Opened
from kgan.runs.exploring import run_of
from kgan.runs.exploring_data import labelled_images, real_images, unlabelled_images
from kgan.runs.memorising import nearest_training

PAGE = "index.html"
SEED = 0
# Sizes by which a report takes minutes, not hours; each command by itself takes more.
JUDGED, LINES, SOUGHT, CHOSEN_FROM, PROJECTED = 24, 16, 200, 500, 4
PROBED, LABELS, STEPS = 3000, 500, 200
UNITS, DIRECTIONS = 4, 3


class Looked(NamedTuple):
    """What is looked into.

    Attributes:
        path: of the model.
        subject: as opened from there.
        data: real pictures, as `unlabelled_images` takes them.
    """

    path: Path
    subject: Subject
    data: str | None

    def pictures(self, n: int) -> np.ndarray:
        """Real pictures, uint8 (n, H, W, C)."""
        return unlabelled_images(self.path, self.subject.image_shape, self.data, n, SEED)


def report(
    path: str | os.PathLike[str],
    subject: Subject,
    output: str | os.PathLike[str],
    data: str | None = None,
    told: Callable[[str], None] = print,
) -> Path:
    """Runs every experiment that applies, and writes a page of them and each one's own files.

    Args:
        path: the model.
        subject: as opened from there.
        output: the folder; files of an earlier report in it are replaced.
        data: real pictures, anything that `kgan.data.open_source` takes; None for the run's own.
        told: is given a line as each experiment ends.

    Returns:
        The path of the page: pictures and figures are in it, and it opens without a network.

    Raises:
        InputError: it cannot be written there, or would replace what is no report.
    """
    folder = Path(output)
    page = folder / PAGE
    if os.path.lexists(page) and not is_report(page):
        raise InputError(f"The page would replace another one. Received: {printable(page)}")
    for name in EXPERIMENTS:
        check_place(folder / f"{name}.png")
    with ExitStack() as stack:
        with writing(UNWRITABLE, folder):
            staging = stack.enter_context(staging_directory(folder))
        sections = list(_sections(Looked(Path(path), subject, data), staging, told))
        html = report_page(Path(path).name, _facts(subject), sections)
        with writing(UNWRITABLE, folder):
            (staging / PAGE).write_text(html, encoding="utf-8")
            put_in_place(staging, last=PAGE)
    return page


def _sections(of: Looked, staging: Path, told: Callable[[str], None]) -> Iterator[Section]:
    for name, experiment in EXPERIMENTS.items():
        try:
            found = experiment.run(of)
        except InputError as reason:
            told(f"{name}: not here. {reason}")
            yield Section(name, experiment.title, experiment.caption, [str(reason)])
            continue
        files = found.save(staging / f"{name}.png")
        files.sort(key=lambda file: file.suffix)  # the figures, the sheet, then what moves
        told(f"{name}: done")
        yield Section(name, experiment.title, experiment.caption, found.lines, files)


def _facts(subject: Subject) -> str:
    height, width, channels = subject.image_shape
    kind = "An autoencoder" if subject.is_autoencoder else "A GAN"
    words = f"{kind} of images of {height}x{width} pixels, {channels_in_words(channels)}"
    if subject.latent_dim is not None:
        words += f", drawn from {subject.latent_dim} {subject.latent_distribution} numbers"
    if subject.num_classes is not None:
        words += f" and one of {subject.num_classes} classes"
    if subject.attributes is not None:
        words += f" and {subject.attributes.in_words()}"
    return f"{words}. Each part is a command, kgan explore NAME, with more settings than here."


def _interpolate(of: Looked) -> Finding:
    if of.subject.is_autoencoder:
        return explore.interpolate(of.subject, pictures=of.pictures(3))
    return explore.interpolate(of.subject, (SEED, SEED + 1, SEED + 2))


def _direction(of: Looked) -> Finding:
    kept = of.subject.directions()
    n = min(DIRECTIONS, of.subject.latent_dim or 1)
    found = kept[:DIRECTIONS] or explore.main_directions(of.subject, n=n)
    return explore.strips(of.subject, found, (SEED, SEED + 1))


def _arithmetic(of: Looked) -> Finding:
    raise InputError(
        "It adds pictures that you choose: kgan explore arithmetic MODEL --plus SEEDS --minus "
        "SEEDS --plus SEEDS"
    )


def _forget(of: Looked) -> Finding:
    raise InputError("It needs boxes that you draw: kgan explore forget MODEL --mark")


def _judge(of: Looked) -> Finding:
    of.subject.require_discriminator()
    real = real_images(of.path, of.subject, of.data, JUDGED, SEED)
    names = [f"real picture {place}" for place in range(len(real.images))]
    group = Group(real.images, names, real.labels)
    return explore.judge(of.subject, {"real": group}, JUDGED, SEED)


def _lipschitz(of: Looked) -> Finding:
    of.subject.require_discriminator()
    real = real_images(of.path, of.subject, of.data, LINES, SEED)
    return explore.lipschitz(of.subject, real.images, real.labels, SEED)


def _attention(of: Looked) -> Finding:
    return explore.attention(of.subject)


def _neighbours(of: Looked) -> Finding:
    subject = of.subject
    if subject.latent_dim is None or subject.is_autoencoder:
        raise InputError("Neighbours are sought of a GAN's pictures")
    run = run_of(of.path)
    options = None if run is None else read_options(run)
    opened = Opened(subject.model, "", {"file": ""}, options, of.path, "")
    network = Features.efficientnet_lite0()
    return nearest_training(opened, of.data, n=SOUGHT, network=network, seed=SEED)


def _kernels(of: Looked) -> Finding:
    return explore.kernels(of.subject)


def _maps(of: Looked) -> Finding:
    network_of_images(of.subject)
    return explore.feature_maps(of.subject, of.pictures(1)[0])


def _units(of: Looked) -> Finding:
    network = network_of_images(of.subject)
    stages = stages_of(network)
    if not stages:
        raise InputError(f"Units are of convolutions. Received: {network.name}, which has none")
    layer = stages[len(stages) // 2].output
    chosen = range(min(UNITS, output_shape(network, layer)[-1] or 1))
    images = of.pictures(CHOSEN_FROM)
    return explore.units(of.subject, layer.name, images, chosen=chosen, shown=4, seed=SEED)


def _probe(of: Looked) -> Finding:
    linear_svm()
    shape = network_of_images(of.subject).inputs[0].shape[1:]
    read = labelled_images(of.path, shape, of.data, SEED)
    assert read.labels is not None
    images, labels = read.images[:PROBED], read.labels[:PROBED]
    labelled = min(LABELS, len(images) // 4)
    found = explore.probe(of.subject, images, labels, labelled=labelled, draws=1, seed=SEED)
    return found.finding


def _project(of: Looked) -> Finding:
    if of.subject.is_autoencoder:
        raise InputError("An autoencoder has an encoder: kgan generate MODEL reconstructs")
    real = real_images(of.path, of.subject, of.data, PROJECTED, SEED)
    return explore.project(of.subject, real.images, steps=STEPS, labels=real.labels, seed=SEED)


def _diagram(of: Looked) -> Finding:
    diagrams = explore.diagram(of.subject)
    figures = {
        "experiment": "diagram",
        "networks": {
            each.role: {
                "parameters": each.parameters,
                "layers": [box._asdict() for box in each.boxes],
            }
            for each in diagrams
        },
    }
    lines = [
        f"{each.role}: {len(each.boxes)} layers, {each.parameters:,} parameters"
        for each in diagrams
    ]
    sheet = stacked(each.drawing.to_pixels() for each in diagrams)
    return Finding(sheet, figures, tuple(lines))


class Experiment(NamedTuple):
    """One of those that a report has.

    Attributes:
        title: for people.
        caption: what it shows and how to read it.
        run: gives what was found.
    """

    title: str
    caption: str
    run: Callable[[Looked], Finding]


# What is drawn first, then what a discriminator makes of it, then what is inside.
EXPERIMENTS: dict[str, Experiment] = {
    "interpolate": Experiment(
        "Walks between pictures",
        "From one picture to the next in even steps. Steady change speaks against pictures learned "
        "by heart; a model that knows a few alone stands still and jumps, as in the rows below.",
        _interpolate,
    ),
    "direction": Experiment(
        "Directions",
        "Two pictures, in the middle, moved along directions of the latent space: those that were "
        "named, or the model's own main ones. A useful direction changes one thing.",
        _direction,
    ),
    "arithmetic": Experiment("Arithmetic", "Pictures added and subtracted.", _arithmetic),
    "project": Experiment(
        "Real pictures, drawn again",
        "Above a real picture, below the nearest that the model can draw. What is lost is what it "
        "has not learned.",
        _project,
    ),
    "neighbours": Experiment(
        "Nearest training pictures",
        "The most suspicious generated pictures, each followed by the training pictures nearest to "
        "it. Near copies mean that the model repeats what it saw.",
        _neighbours,
    ),
    "judge": Experiment(
        "What the discriminator believes",
        "Real and generated pictures, the one that it finds most real first. Well mixed frames "
        "mean that it can hardly tell them apart.",
        _judge,
    ),
    "lipschitz": Experiment(
        "How steep the discriminator is",
        "Left, by how much each layer can lengthen a change of its input; right, the slope of its "
        "verdict on the way from real to generated pictures. Steep slopes make training jump.",
        _lipschitz,
    ),
    "attention": Experiment(
        "Where attention looks",
        "For places marked in colours, where the layer of self-attention takes from.",
        _attention,
    ),
    "kernels": Experiment(
        "First kernels",
        "The first layer's kernels; grey is 0. Edges and colours are usual.",
        _kernels,
    ),
    "maps": Experiment(
        "Feature maps of one picture",
        "What each layer makes of one real picture, on the layer's own scale.",
        _maps,
    ),
    "units": Experiment(
        "What units respond to",
        "For some units of a middle layer: the pictures that excite each most, what it saw of them "
        "and which pixels counted, and a picture made to excite it; right, without training.",
        _units,
    ),
    "probe": Experiment(
        "What was learned of classes",
        "How well a linear classifier tells classes by the discriminator's features, beside pixels "
        "and an untrained network. Nobody told it the classes.",
        _probe,
    ),
    "forget": Experiment("Forgetting", "A generator without an object.", _forget),
    "diagram": Experiment(
        "The networks", "Every layer, the shape of what it gives and its parameters.", _diagram
    ),
}
