"""`kgan explore judge`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kgan.cli.arguments import argument_type
from kgan.cli.explore_arguments import add_data, add_model_and_output, deliver, opened
from kgan.names import name_of
from kgan.option_fields import FROM_ZERO, WHOLE

if TYPE_CHECKING:
    import numpy as np

    from kgan.explore import Subject

HELP = "sort real, generated and own pictures by how real D finds them"
DESCRIPTION = """\
Sorts pictures by what the discriminator makes of them, the most real first:
generated ones, real ones of the run's own data, and own ones that are named.

  kgan explore judge runs/NAME
  kgan explore judge runs/NAME cat.png drawings/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_model_and_output(parser, "judge.png")
    parser.add_argument("pictures", metavar="PICTURES", nargs="*", help="own files or folders")
    add_data(parser)
    parser.add_argument(
        "-n", type=argument_type(WHOLE), default=24, help="generated and real pictures (24)"
    )
    parser.add_argument(
        "--seed", type=argument_type(FROM_ZERO), default=0, help="of the first picture (0)"
    )
    parser.add_argument(
        "--class", dest="class_name", type=name_of, metavar="CLASS", help="of the own pictures"
    )


def run(arguments: argparse.Namespace) -> None:
    """Prints how kinds differ and, last, the picture's path."""
    from kgan.explore.picture import check_place

    check_place(arguments.output)
    subject = opened(arguments.model, networks=True)
    subject.require_discriminator()
    from kgan.explore import judge
    from kgan.explore.judgement import Group
    from kgan.explore.own_pictures import own_pictures
    from kgan.runs.exploring import run_of
    from kgan.runs.exploring_data import real_images

    groups = {}
    if arguments.data is not None or run_of(arguments.model) is not None:
        real = real_images(arguments.model, subject, arguments.data, arguments.n, arguments.seed)
        names = [f"real picture {place}" for place in range(len(real.images))]
        groups["real"] = Group(real.images, names, real.labels)
    if arguments.pictures:
        own = own_pictures(arguments.pictures, subject.image_shape)
        groups["own"] = Group(*own, _labels(subject, arguments.class_name, len(own.names)))
    deliver(judge(subject, groups, arguments.n, arguments.seed), arguments.output)


def _labels(subject: Subject, class_name: str | None, n: int) -> np.ndarray | None:
    if class_name is None:
        return None
    return subject.labels_of(range(n), subject.classes_of([class_name])[0])
