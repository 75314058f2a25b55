"""`kgan explore attention`."""

from __future__ import annotations

import argparse

from kgan.cli.explore_arguments import add_model_and_output, deliver, opened, seeds_of

HELP = "where self-attention looks from chosen places of a picture"
DESCRIPTION = """\
Draws, for some places of a picture, where a self-attention layer looks. For sagan
and any network with kgan's attention.

  kgan explore attention runs/NAME --queries 32,20 12,50
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_model_and_output(parser, "attention.png")
    parser.add_argument(
        "--queries",
        type=_place,
        nargs="+",
        metavar="X,Y",
        help="places in pixels from the top left (the middle, and those of the quarters)",
    )
    parser.add_argument("--seeds", type=seeds_of, metavar="SEEDS", help="the pictures (0-3)")
    parser.add_argument(
        "--layer", metavar="NAME", help="sought in D, then in G (G's of most positions)"
    )


def _place(text: str) -> tuple[int, int]:
    parts = text.split(",")
    if len(parts) != 2 or not all(part.isascii() and part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not a place such as 32,20")
    return int(parts[0]), int(parts[1])


def run(arguments: argparse.Namespace) -> None:
    """Prints what was seen and, last, the picture's path."""
    from kgan.explore.picture import check_place

    check_place(arguments.output)
    subject = opened(arguments.model, networks=True)
    from kgan.explore import attention
    from kgan.explore.attention_maps import SEEDS

    finding = attention(subject, arguments.queries, arguments.seeds or SEEDS, layer=arguments.layer)
    deliver(finding, arguments.output)
