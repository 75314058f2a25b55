"""`kgan explore probe`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kgan.cli.arguments import argument_type
from kgan.cli.explore_arguments import add_model_and_output, deliver, opened
from kgan.files import printable
from kgan.option_fields import FROM_ZERO, WHOLE

if TYPE_CHECKING:
    from kgan.export.probes import Probe

HELP = "how much of classes the discriminator has learned without being told of them"
DESCRIPTION = """\
A linear classifier (L2-SVM) on what the discriminator's convolutions make of
labelled images, beside one on pixels and one on the untrained discriminator. The
images have labels: subfolders, an array file's `labels` or `y_train`, a TFDS label.
Needs pip install kgan[explore]. --export DIR delivers the last draw's classifier as
DIR/VERSION/model.onnx: images to features, scores and classes.

  kgan explore probe runs/NAME --data photos/
  kgan explore probe runs/NAME --labels 4000 --draws 10
  kgan explore probe runs/NAME --export saved_models/NAME-probe
"""
LABELS = 1000
DRAWS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_model_and_output(parser, "probe.png")
    parser.add_argument(
        "--data", metavar="DATA", help="labelled images (those the run was trained on)"
    )
    how_many = parser.add_mutually_exclusive_group()
    how_many.add_argument(
        "--labels",
        type=argument_type(WHOLE),
        default=LABELS,
        metavar="N",
        help=f"images to learn from, as many of each class ({LABELS})",
    )
    how_many.add_argument(
        "--all-labels",
        dest="labels",
        action="store_const",
        const=None,
        help="learn from 8 of 10 images, choose C by 1 of 10, test on 1 of 10",
    )
    parser.add_argument(
        "--draws",
        type=argument_type(WHOLE),
        default=DRAWS,
        help=f"how often images are drawn anew ({DRAWS})",
    )
    parser.add_argument(
        "--seed", type=argument_type(FROM_ZERO), default=0, help="of all that is drawn (0)"
    )
    parser.add_argument(
        "--export",
        type=Path,
        metavar="DIR",
        help="write images to features and classes as ONNX, a version in DIR",
    )


def run(arguments: argparse.Namespace) -> None:
    """Prints the accuracies and, last, the picture's path; with --export the export's too."""
    from kgan import shelf
    from kgan.explore.picture import check_place

    output = check_place(arguments.output)
    if arguments.export is not None:
        shelf.check_place(arguments.export, "probe")
    subject = opened(arguments.model, networks=True, any_network=True)
    from kgan import explore
    from kgan.explore.image_networks import network_of_images
    from kgan.explore.linear_classifier import linear_svm
    from kgan.runs.exploring_data import labelled_images

    linear_svm()  # before anything is read that takes time
    shape = network_of_images(subject).inputs[0].shape[1:]
    read = labelled_images(arguments.model, shape, arguments.data, arguments.seed)
    assert read.labels is not None
    found = explore.probe(
        subject,
        read.images,
        read.labels,
        labelled=arguments.labels,
        draws=arguments.draws,
        class_names=read.class_names,
        seed=arguments.seed,
    )
    deliver(found.finding, output)
    if arguments.export is not None:
        _export(found.probe, arguments, read.data)


def _export(probe: Probe, arguments: argparse.Namespace, data: str) -> None:
    from kgan.export import export
    from kgan.runs import load

    facts = load.training_facts(arguments.model) | {"classes_learned_from": data}
    result = export(probe, arguments.export, saved_model=False, training=facts)
    report = result.parity["onnx"]
    print(
        f"onnx: features within {report['float_max_abs_difference']:.2g} of Keras, scores within "
        f"{report['scores_max_abs_difference']:.2g} of scikit-learn, the same classes for "
        f"{report['classes_compared']} images ({report['classes_too_close']} too close to call)"
    )
    print(printable(result.path, None))
