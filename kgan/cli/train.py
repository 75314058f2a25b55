"""`kgan train`."""

from __future__ import annotations

import argparse
from pathlib import Path

from kgan.cli import quiet_tensorflow
from kgan.cli.arguments import add_options, given_options
from kgan.errors import InputError
from kgan.runs.options import LENGTH, RunOptions

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
    command.add_argument("--list-presets", action="store_true", help="show them and exit")


def run(arguments: argparse.Namespace) -> int:
    """Trains and prints the run's directory last; 1 when it was interrupted, else 0."""
    quiet_tensorflow.import_tensorflow()
    if arguments.list_presets:
        from kgan.models.preset_table import preset_table

        print(preset_table())
        return 0
    from kgan.training.distribution import make_strategy

    strategy = make_strategy(arguments.strategy)  # with several workers before all else
    from kgan.runs import Run, naming, options_like

    given = given_options(arguments, RunOptions)
    if arguments.resume:
        for name in ("name", "out"):
            if getattr(arguments, name):
                raise InputError(f"A run keeps its own {name}. Received: --{name} with --resume")
        length = {name: given.pop(name) for name in LENGTH if name in given}
        result = Run.open(arguments.resume, strategy=strategy, **given).train(**length)
    else:
        start = given.pop("start_from", None)
        options = RunOptions(**given) if start is None else options_like(start, **given)
        name = naming.name_of(options, arguments.name, strategy)
        directory = (arguments.out or Path("runs")) / name
        result = Run.create(options, directory, strategy=strategy).train()
    print(result.in_words())
    print(result.directory)
    return int(result.interrupted)
