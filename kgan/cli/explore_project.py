"""`kgan explore project`."""

from __future__ import annotations

import argparse
import functools

from kgan.cli.arguments import argument_type
from kgan.cli.explore_arguments import add_model_and_output, deliver, opened
from kgan.errors import InputError
from kgan.explore.encoder_defaults import ENCODER_STEPS
from kgan.names import name_of
from kgan.option_fields import FROM_ZERO, WHOLE

HELP = "find own pictures in the model's latent space"
DESCRIPTION = """\
Seeks by gradient descent the latent whose picture comes nearest to each of yours.
The sheet has each above what the model makes of it, then edits along the directions
that `kgan explore direction` has named; the .json has the latents. --encoder trains
an encoder once, on pictures that the model draws, begins with what it gives too, and
keeps it beside MODEL: the next `kgan export` delivers it as encoder.onnx.

  kgan explore project runs/NAME me.png you.png
  kgan explore project runs/NAME photos/ --loss features -n 12
  kgan explore project runs/NAME photos/ --encoder --starts 1 --steps 0
"""
STARTS, STEPS, MOST = 8, 500, 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_model_and_output(parser, "project.png")
    parser.add_argument(
        "pictures", nargs="+", metavar="PICTURES", help="picture files, folders, array files"
    )
    parser.add_argument(
        "-n",
        type=argument_type(WHOLE),
        default=MOST,
        help=f"pictures of each folder or array file at most ({MOST})",
    )
    parser.add_argument(
        "--loss",
        choices=("pixels", "features"),
        default="pixels",
        help="what is to be near: pixels, or the discriminator's features (pixels)",
    )
    parser.add_argument(
        "--starts",
        type=argument_type(WHOLE),
        default=STARTS,
        help=f"latents to begin from, for each picture ({STARTS})",
    )
    parser.add_argument(
        "--steps",
        type=argument_type(FROM_ZERO),
        default=STEPS,
        help=f"gradient steps ({STEPS}); with --encoder and --starts 1, 0 for the encoder alone",
    )
    parser.add_argument(
        "--encoder",
        action="store_true",
        help="begin with what an encoder makes of a picture too; it is trained where none is kept",
    )
    parser.add_argument(
        "--encoder-steps",
        type=argument_type(WHOLE),
        metavar="N",
        help=f"steps that the encoder is trained for ({ENCODER_STEPS}, or those of the one kept)",
    )
    parser.add_argument(
        "--class",
        dest="class_name",
        type=name_of,
        metavar="CLASS",
        help="the pictures' class, by name or number (a conditional model; sought too)",
    )
    parser.add_argument(
        "--seed",
        type=argument_type(FROM_ZERO),
        default=0,
        help="of what is drawn to start from, and of a new encoder (0)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Prints how near it came and, last, the picture's path."""
    from kgan.explore.picture import check_place

    output = check_place(arguments.output)
    if arguments.encoder_steps is not None and not arguments.encoder:
        raise InputError(
            f"--encoder-steps goes with --encoder. Received: {arguments.encoder_steps}"
        )
    subject = opened(arguments.model, networks=True)
    from kgan import explore
    from kgan.explore.own_pictures import own_pictures

    labels = None
    if arguments.class_name is not None:
        (labels,) = subject.classes_of([arguments.class_name])
    read = own_pictures(arguments.pictures, subject.image_shape, arguments.n)
    encoder = None
    if arguments.encoder and not subject.is_autoencoder:
        from kgan.explore.encoder_training import encoder_beside

        told = functools.partial(print, flush=True)
        encoder = encoder_beside(subject, arguments.encoder_steps, arguments.seed, told)
    finding = explore.project(
        subject,
        read.images,
        loss=arguments.loss,
        starts=arguments.starts,
        steps=arguments.steps,
        labels=labels,
        directions=() if subject.is_autoencoder else subject.directions(),
        encoder=encoder,
        seed=arguments.seed,
    )
    for figure, name in zip(finding.figures["pictures"], read.names, strict=True):
        figure["name"] = name
    deliver(finding, output)
