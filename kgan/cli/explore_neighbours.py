"""`kgan explore neighbours`."""

from __future__ import annotations

import argparse

from kgan.cli import quiet_tensorflow
from kgan.cli.arguments import argument_type
from kgan.cli.explore_arguments import add_data, add_model_and_output, deliver
from kgan.errors import InputError
from kgan.option_fields import FROM_ZERO, WHOLE

HELP = "the training pictures nearest to generated ones: has it learned by heart?"
DESCRIPTION = """\
Seeks generated pictures among all training pictures, by features and by pixels, and
shows the nearest: the report of kgan evaluate --memorisation. Needs
pip install kgan[metrics].

  kgan explore neighbours runs/NAME
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_model_and_output(parser, "neighbours.png")
    add_data(parser)
    parser.add_argument("-n", type=argument_type(WHOLE), default=500, help="pictures (500)")
    parser.add_argument(
        "--seed", type=argument_type(FROM_ZERO), default=0, help="of the first picture (0)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Prints how many pictures are too near and, last, the picture's path."""
    from kgan.explore.picture import check_place

    check_place(arguments.output)
    quiet_tensorflow.import_tensorflow()
    from kgan.metrics.features import Features
    from kgan.runs.evaluating import open_model
    from kgan.runs.memorising import nearest_training

    model = open_model(arguments.model)
    if hasattr(model.model, "reconstruct"):
        raise InputError(f"neighbours are sought of a GAN. Received: {arguments.model}")
    finding = nearest_training(
        model,
        arguments.data,
        n=arguments.n,
        network=Features.efficientnet_lite0(),
        seed=arguments.seed,
    )
    deliver(finding, arguments.output)
