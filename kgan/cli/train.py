"""`kgan train`."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from kgan.cli import quiet_tensorflow
from kgan.cli.arguments import given_options
from kgan.cli.train_arguments import DESCRIPTION, HELP, add_arguments, check_arguments
from kgan.option_fields import options_of, typed
from kgan.preset_list import preset_json, preset_table
from kgan.runs.directory import PATHS
from kgan.runs.options import LENGTH, RunOptions
from kgan.telling import doing, telling
from kgan.version import __version__

if TYPE_CHECKING:
    from kgan.runs.result import RunResult

__all__ = ["DESCRIPTION", "HELP", "add_arguments", "run"]

CHOSEN_WIDTH = {"preset", "filters", "batch_size"}  # who says one of these chooses himself


def run(arguments: argparse.Namespace) -> int:
    """Trains and prints the run's directory last; 1 when it was interrupted, else 0."""
    check_arguments(arguments)
    if arguments.list_presets:
        print(preset_json() if arguments.json else preset_table())
        return 0
    with telling():
        with doing("starting TensorFlow"):
            quiet_tensorflow.import_tensorflow()
            from kgan.training.distribution import is_worker
            from kgan.training.meeting import ends_when_told

        with ends_when_told() if is_worker(arguments.strategy) else contextlib.nullcontext():
            result = _train(arguments)
    print(result.in_words())
    return int(result.interrupted)


def _train(arguments: argparse.Namespace) -> RunResult:
    from kgan.training.distribution import is_chief, make_strategy

    chosen = given_options(arguments, RunOptions)
    # With several workers before all else.
    strategy = make_strategy(arguments.strategy, _same_for_all_workers(arguments, chosen))
    from kgan.runs import Run, naming, options_like
    from kgan.watch import served_beside

    if arguments.resume:
        length = {name: chosen.pop(name) for name in LENGTH if name in chosen}
        run = Run.open(arguments.resume, strategy=strategy, **chosen)
    else:
        length = {}
        start = chosen.pop("start_from", None)
        if start is None and "preset" not in chosen:  # a preset trains as its source says
            chosen.setdefault("recipe", "auto")
        options = RunOptions(**chosen) if start is None else options_like(start, **chosen)
        directory = naming.directory_of(options, arguments.name, arguments.out, strategy)
        choose_width = start is None and not CHOSEN_WIDTH & set(chosen)
        run = Run.create(options, directory, strategy=strategy, choose_width=choose_width)
    watches = arguments.watch and is_chief(run.strategy)
    with served_beside(run.directory) if watches else contextlib.nullcontext():
        return run.train(**length)


def _same_for_all_workers(arguments: argparse.Namespace, chosen: dict[str, Any]) -> dict[str, Any]:
    """What this process was started with, places aside: each machine may have its own."""
    import keras
    import tensorflow as tf

    from kgan.training.distribution import is_worker
    from kgan.training.fast_precision import fast_precision

    known = options_of(RunOptions)
    said = {typed(name, known[name]): chosen[name] for name in chosen if name not in PATHS}
    automatic = chosen.get("precision", "auto") == "auto" and not arguments.resume
    if automatic and is_worker(arguments.strategy):  # machines may differ in it
        said["--precision"] = fast_precision()
    said |= {"--name": arguments.name, "--resume": arguments.resume is not None}
    return said | {"kgan": __version__, "tensorflow": tf.__version__, "keras": keras.__version__}
