"""`kgan train`."""

from __future__ import annotations

import argparse

from kgan.cli import quiet_tensorflow
from kgan.cli.arguments import given_options
from kgan.cli.train_arguments import DESCRIPTION, HELP, add_arguments, check_arguments
from kgan.runs.options import LENGTH, RunOptions

__all__ = ["DESCRIPTION", "HELP", "add_arguments", "run"]


def run(arguments: argparse.Namespace) -> int:
    """Trains and prints the run's directory last; 1 when it was interrupted, else 0."""
    check_arguments(arguments)
    quiet_tensorflow.import_tensorflow()
    if arguments.list_presets:
        from kgan.models.preset_table import preset_table

        print(preset_table())
        return 0
    from kgan.training.distribution import make_strategy

    strategy = make_strategy(arguments.strategy)  # with several workers before all else
    from kgan.runs import Run, naming, options_like

    chosen = given_options(arguments, RunOptions)
    if arguments.resume:
        length = {name: chosen.pop(name) for name in LENGTH if name in chosen}
        result = Run.open(arguments.resume, strategy=strategy, **chosen).train(**length)
    else:
        start = chosen.pop("start_from", None)
        options = RunOptions(**chosen) if start is None else options_like(start, **chosen)
        directory = naming.directory_of(options, arguments.name, arguments.out, strategy)
        result = Run.create(options, directory, strategy=strategy).train()
    print(result.in_words())
    return int(result.interrupted)
