"""`kgan explore arithmetic`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from kgan.cli.explore_arguments import add_model_and_output, deliver, opened, seeds_of
from kgan.errors import InputError
from kgan.names import name_of

HELP = "add and subtract pictures in latents: smiling woman - woman + man"
DESCRIPTION = """\
Adds and subtracts the means of groups of latents, and draws the result among 8
neighbours, with the same sum of pixels beside it. Take several seeds a group: one
alone carries all that its picture happens to show.

  kgan explore arithmetic runs/NAME --plus 12,40,77 --minus 3,9,21 --plus 5,18,30
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_model_and_output(parser, "arithmetic.png")
    for flag, sign, words in (("plus", 1, "add"), ("minus", -1, "subtract")):
        parser.add_argument(
            f"--{flag}",
            dest="terms",
            action="append",
            type=_term(sign),
            metavar="SEEDS",
            help=f"{words} the mean of these seeds, such as 12,40,77; can be given several times",
        )
    parser.add_argument(
        "--renormalise",
        action="store_true",
        help="scale the sum to the length that a latent has; means are shorter",
    )
    parser.add_argument(
        "--class",
        dest="class_name",
        type=name_of,
        metavar="CLASS",
        help="the class that all is drawn in (the seeds' own, where it is one)",
    )


def _term(sign: int) -> Callable[[str], tuple[int, list[int]]]:
    return lambda text: (sign, seeds_of(text))


def run(arguments: argparse.Namespace) -> None:
    """Prints how long the sum is and, last, the picture's path."""
    if not arguments.terms:
        raise InputError("Name seeds to add and to subtract: --plus and --minus. Received: none")
    from kgan.explore.picture import check_place

    check_place(arguments.output)
    subject = opened(arguments.model)
    label = None
    if arguments.class_name is not None:
        (label,) = subject.classes_of([arguments.class_name])
    from kgan.explore import arithmetic

    finding = arithmetic(subject, arguments.terms, label=label, renormalise=arguments.renormalise)
    deliver(finding, arguments.output)
