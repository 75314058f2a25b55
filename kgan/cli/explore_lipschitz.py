"""`kgan explore lipschitz`."""

from __future__ import annotations

import argparse

from kgan.cli.arguments import argument_type
from kgan.cli.explore_arguments import add_data, add_model_and_output, deliver, opened
from kgan.option_fields import FROM_ZERO, WHOLE

HELP = "how steep D is: its layers' singular values, its gradient between real and generated"
DESCRIPTION = """\
Measures each layer's largest singular value in the discriminator, with and without
spectral normalisation, and the norm of its gradient along the lines from real
pictures to generated ones.

  kgan explore lipschitz runs/NAME
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_model_and_output(parser, "lipschitz.png")
    add_data(parser)
    parser.add_argument("-n", type=argument_type(WHOLE), default=64, help="lines (64)")
    parser.add_argument(
        "--seed", type=argument_type(FROM_ZERO), default=0, help="of the first picture (0)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Prints what was measured and, last, the picture's path."""
    from kgan.explore.picture import check_place

    check_place(arguments.output)
    subject = opened(arguments.model, networks=True)
    subject.require_discriminator()
    from kgan.explore import lipschitz
    from kgan.runs.exploring_data import real_images

    real = real_images(arguments.model, subject, arguments.data, arguments.n, arguments.seed)
    deliver(lipschitz(subject, real.images, real.labels, arguments.seed), arguments.output)
