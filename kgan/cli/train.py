"""`kgan train`."""

from __future__ import annotations

import argparse
from pathlib import Path

from kgan.cli import quiet_tensorflow
from kgan.cli.arguments import add_options, given_options, spelled
from kgan.errors import InputError
from kgan.option_fields import options_of
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
    options = given_options(arguments, RunOptions)
    if arguments.resume:
        _check_resumable(arguments, options)
    from kgan.training.distribution import make_strategy

    strategy = make_strategy(arguments.strategy)  # with several workers before all else
    from kgan.runs import Run

    if arguments.resume:
        length = {name: options.pop(name) for name in LENGTH if name in options}
        result = Run.open(arguments.resume, strategy=strategy, **options).train(**length)
    else:
        result = _create(arguments, options, strategy).train()
    if result.skipped:
        print(f"skipped {len(result.skipped)} pictures that could not be decoded")
    if not result.steps and not result.interrupted:
        print("this run has reached its goal; --epochs, --steps or --minutes trains it further")
    else:
        print(f"{result.steps} steps at {result.images_per_second:.0f} images/s")
    if result.interrupted:
        print(f"interrupted and saved; to go on: kgan train --resume {result.directory}")
    else:
        print(f"next: kgan generate {result.directory}   or: kgan export {result.directory}")
    print(result.directory)
    return int(result.interrupted)


def _create(arguments, options, strategy):
    from kgan.runs import Run, options_like
    from kgan.runs.naming import default_name
    from kgan.training.distribution import has_workers

    start = options.pop("start_from", None)
    options = RunOptions(**options) if start is None else options_like(start, **options)
    if has_workers(strategy) and not arguments.name:
        raise InputError("Several workers train one run: give each the same --name")
    name = arguments.name or default_name(options.preset, options.data)
    return Run.create(options, (arguments.out or Path("runs")) / name, strategy=strategy)


def _check_resumable(arguments, options):
    known = options_of(RunOptions)
    fixed = spelled([name for name in options if not known[name].on_resume], RunOptions)
    fixed += "".join(f" --{name}" for name in ("name", "out") if getattr(arguments, name))
    if fixed:
        changeable = spelled([name for name in known if known[name].on_resume], RunOptions)
        raise InputError(
            f"A run that is resumed keeps its own data and settings; --strategy {changeable} can "
            f"be given with --resume. Received: {fixed.strip()}"
        )
