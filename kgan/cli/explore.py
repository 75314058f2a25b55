"""`kgan explore`: experiments that look into a trained model, one command each."""

import argparse

from kgan.cli import (
    explore_all,
    explore_arithmetic,
    explore_attention,
    explore_diagram,
    explore_direction,
    explore_forget,
    explore_interpolate,
    explore_judge,
    explore_lipschitz,
    explore_neighbours,
    explore_probe,
    explore_project,
    explore_units,
)
from kgan.cli.arguments import add_commands

HELP = "look into a trained model: what it has learned, in pictures and figures"
DESCRIPTION = """\
Experiments on a trained model. Each leaves a picture and, beside it, its figures
as .json. MODEL is a run's directory, a .keras file or an export; what needs the
networks themselves takes an export with its GAN's model.keras in its folder.

  kgan explore interpolate runs/NAME --seeds 1,2,3 -o walk.png
"""
COMMANDS = {
    "all": explore_all,
    "arithmetic": explore_arithmetic,
    "attention": explore_attention,
    "diagram": explore_diagram,
    "direction": explore_direction,
    "forget": explore_forget,
    "interpolate": explore_interpolate,
    "judge": explore_judge,
    "lipschitz": explore_lipschitz,
    "neighbours": explore_neighbours,
    "probe": explore_probe,
    "project": explore_project,
    "units": explore_units,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the experiments, each with its own arguments."""
    commands = parser.add_subparsers(title="experiments", metavar="NAME", required=True)
    add_commands(commands, COMMANDS, "run_explore")


def run(arguments: argparse.Namespace) -> int | None:
    """Runs the experiment that was chosen."""
    return arguments.run_explore(arguments)
