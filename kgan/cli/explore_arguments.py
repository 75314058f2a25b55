"""What the commands of `kgan explore` share: the model, the place of the picture, seeds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kgan import export_places
from kgan.cli import quiet_tensorflow
from kgan.cli.arguments import argument_type
from kgan.files import printable
from kgan.option_fields import SEEDS

if TYPE_CHECKING:
    from kgan.explore import Finding, Subject

seeds_of = argument_type(SEEDS)


def add_model_and_output(
    parser: argparse.ArgumentParser,
    default: str,
    words: str = "the picture; its figures are beside it, as .json",
    metavar: str = "PNG",
) -> None:
    """Adds MODEL and -o.

    Args:
        parser: where to add them.
        default: the picture, or the folder, where none is named.
        words: what is written there.
        metavar: as what it is asked for.
    """
    parser.add_argument("model", metavar="MODEL", type=Path, help="a run, .keras file or export")
    parser.add_argument(
        "-o",
        "--output",
        metavar=metavar,
        type=Path,
        default=Path(default),
        help=f"{words} ({default})",
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """Adds --data."""
    parser.add_argument(
        "--data", metavar="DATA", help="real pictures, anything that kgan trains on (the run's own)"
    )


def opened(path: Path, *, networks: bool = False, any_network: bool = False) -> Subject:
    """The model that is looked into.

    Args:
        path: MODEL.
        networks: the experiment needs the Keras networks; else an export is opened without
            importing tensorflow.
        any_network: it takes any Keras network of images.
    """
    if networks or (export_places.find_export(path) is None and path.suffix != ".onnx"):
        quiet_tensorflow.import_tensorflow()
    from kgan.runs.exploring import open_subject

    return open_subject(path, any_network=any_network)


def deliver(finding: Finding, output: Path) -> None:
    """Writes what was found, and prints what it says and, last, the picture's path."""
    finding.save(output)
    for line in finding.lines:
        print(printable(line, None))
    print(printable(output, None))
