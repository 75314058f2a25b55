"""`kgan explore diagram`."""

from __future__ import annotations

import argparse

from kgan.cli.explore_arguments import add_model_and_output, opened
from kgan.files import printable

HELP = "draw the networks: every layer, its shape and its parameters"
DESCRIPTION = """\
Draws a model's networks for a slide: generator.png and generator.svg,
discriminator.png and discriminator.svg, with every layer, the shape of what it
gives and its number of parameters. MODEL can be any Keras network too.

  kgan explore diagram runs/NAME -o diagrams/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_model_and_output(parser, "diagrams", "the folder of the pictures", "DIR")


def run(arguments: argparse.Namespace) -> None:
    """Prints each network's size and, last, the folder."""
    subject = opened(arguments.model, networks=True, any_network=True)
    from kgan.explore.network_diagram import diagram, save_diagrams

    diagrams = diagram(subject)
    save_diagrams(diagrams, arguments.output)
    for each in diagrams:
        print(f"{each.role}: {len(each.boxes)} layers, {each.parameters:,} parameters")
    print(printable(arguments.output, None))
