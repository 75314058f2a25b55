"""What `kgan train` takes and how its help describes it."""

from __future__ import annotations

import argparse
from pathlib import Path

from kgan.cli.arguments import add_options
from kgan.errors import InputError
from kgan.runs.options import RunOptions

HELP = "train a GAN on pictures"
DESCRIPTION = """\
Trains a GAN or an autoencoder and writes a run: DIR/NAME/ with model.keras,
samples/, history.csv, logs/.

  kgan train                                  the embedded clothes, 32x32 grey
  kgan train photos/ --size 64x64             a folder of pictures, subfolders too
  kgan train pictures.npz --minutes 30        arrays
  kgan train tfds:fashion_mnist --epochs 10   a TensorFlow Datasets set
  kgan train --resume runs/NAME               on to the goal it began with
  kgan train photos/ --from runs/NAME         a new run from another's weights
  kgan train --list-presets                   what there is to train
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of a run, and those of the command alone."""
    add_options(parser, RunOptions)
    command = parser.add_argument_group("command")
    command.add_argument("--name", help="the run's name (from preset, data and time)")
    command.add_argument("--out", type=Path, metavar="DIR", help="(runs)")
    command.add_argument(
        "--resume",
        type=Path,
        metavar="RUN",
        help="train an existing run on to its goal, or further",
    )
    command.add_argument(
        "--strategy",
        default="auto",
        metavar="S",
        help="devices: auto, none, mirrored (this machine's GPUs), multiworker (TF_CONFIG) or tpu",
    )
    command.add_argument(
        "--watch", action="store_true", help="show it live on a page of this machine: kgan watch"
    )
    command.add_argument("--list-presets", action="store_true", help="show them and exit")
    command.add_argument("--json", action="store_true", help="show them as JSON, with sources")


def check_arguments(arguments: argparse.Namespace) -> None:
    """Raises an InputError for what only a new run can be given."""
    if arguments.json and not arguments.list_presets:
        raise InputError("--json goes with --list-presets. Received: --json alone")
    for name in ("name", "out"):
        if arguments.resume and getattr(arguments, name):
            raise InputError(f"A run keeps its own {name}. Received: --{name} with --resume")
