"""`kgan data check`."""

import argparse
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kgan import images
from kgan.cli import quiet_tensorflow
from kgan.cli.arguments import add_json, add_options, given_options, print_json
from kgan.cli.labelled_data import open_labelled
from kgan.errors import InputError
from kgan.files import printable, writing
from kgan.runs.options import RunOptions
from kgan.streams import counting

if TYPE_CHECKING:
    from kgan.data.checked import Report

HELP = "look through pictures before training"
DESCRIPTION = """\
Decodes every picture of DATA, a folder, an archive or what else kgan train
takes, as training would. It names each one that training would skip (a problem)
and each that is odd (a remark), tells formats, channels, sizes, classes and
duplicates, and writes a sheet of pictures as the model will see them, each over
itself after augmentation.

  kgan data check photos/
  kgan data check photos/ --size 128x128 --fit pad --augment flip,rotate=10
  kgan data check set.parquet --size 32x32
  kgan data check shards/

Of packed shards it compares every byte with their manifest.

Exit code: 0, training can use every picture; 1, it would skip some;
2, a mistake such as no such folder, or no pictures in it.
"""

OPTIONS = ("split", "label_column", "feature", "size", "fit", "background", "augment")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("data", metavar="DATA", help="a folder, subfolders too, or other pictures")
    add_options(parser, RunOptions, OPTIONS)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="PNG",
        help="the sheet, outside DATA (DATA-check.png here, by DATA's name)",
    )
    add_json(parser, "print the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Prints the report and, last, the sheet's path, or JSON; 1 where files are skipped, else 0."""
    if arguments.json and arguments.output is not None:
        raise InputError(f"--json draws no sheet. Received: --output {arguments.output}")
    sheet = _sheet_path(arguments.data, arguments.output)
    quiet_tensorflow.import_tensorflow()
    from kgan.data import augment as augmentations
    from kgan.data.check_report import as_json, as_text
    from kgan.data.records import packed_in

    packed = packed_in(arguments.data)
    if packed is not None:
        return _check_shards(packed, arguments.json)
    options = given_options(arguments, RunOptions)
    augment = augmentations.expanded(options.pop("augment", ["flip"]), lambda: True)
    augmentations.check(augment)
    if "size" in options:
        options["image_shape"] = options.pop("size")
    report, preview, unlabelled = _look(options, augment)
    if arguments.json:
        print_json(as_json(report))
        return int(bool(report.problems))
    if unlabelled:
        print(f"without classes: {unlabelled}")
    print(as_text(report))
    if report.images:
        _save_sheet(sheet, preview)
    return int(bool(report.problems))


def _look(
    options: dict[str, Any], augment: list[Any]
) -> tuple["Report", Callable[[], np.ndarray], str | None]:
    """(the report on the data that the options name, what draws the sheet, why without classes)."""
    from kgan.data import check
    from kgan.data.check_source import check_source, preview_source
    from kgan.data.kinds import is_folder

    progress = counting("checked")
    if is_folder(options["data"]) and "feature" not in options:
        folder = options.pop("data")
        report = check.check_folder(folder, progress=progress, **options)
        return report, lambda: check.preview(report, augment), None
    source, unlabelled = open_labelled(options)
    found = check_source(source, options["data"], progress)
    return found, lambda: preview_source(source, len(found.images), augment), unlabelled


def _save_sheet(sheet: Path | None, preview: Callable[[], np.ndarray]) -> None:
    if sheet is None:
        print("no preview: the current folder is inside DIR, where it would be one of the pictures")
        return
    with writing("Cannot write there", sheet):
        images.save_png(sheet, preview(), drawn=True)
    print(printable(sheet, None))


def _check_shards(folder: Path, json: bool) -> int:
    from kgan.data.records import check_shards

    manifest, problems = check_shards(folder)
    if json:
        facts = {name: manifest[name] for name in ("count", "image_shape")}
        print_json({**facts, "shards": len(manifest["shards"]), "problems": problems})
        return int(bool(problems))
    for problem in problems:
        print(f"problem: {printable(problem, None)}")
    shape = "x".join(map(str, manifest["image_shape"]))
    print(
        f"{len(manifest['shards'])} shards, {len(problems)} problems; "
        f"{manifest['count']:,} pictures of {shape} were packed"
    )
    return int(bool(problems))


def _sheet_path(data: str, output: Path | None) -> Path | None:
    """Where the sheet goes; None where its default place is inside the folder.

    Raises:
        InputError: the sheet cannot be put where the user asked.
    """
    folder = Path(os.path.realpath(data))  # Path.resolve raises at a loop of links
    name = folder.name if folder.is_dir() else re.split(r"[-_]?[.{]", folder.name)[0]
    name = name.rpartition(":")[2]  # of tfds:NAME
    path = output or Path(f"{name or 'pictures'}-check.png")
    if path.suffix.lower() != ".png":
        raise InputError(f"The sheet is a .png file. Received: {path}")
    if Path(os.path.realpath(path)).is_relative_to(folder):
        if output:
            raise InputError(
                f"Inside the folder the sheet would become one of the pictures. Received: {path}"
            )
        return None
    return path
