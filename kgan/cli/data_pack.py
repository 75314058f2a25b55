"""`kgan data pack`."""

import argparse
from pathlib import Path

from kgan.cli import quiet_tensorflow
from kgan.cli.arguments import add_options, given_options
from kgan.cli.labelled_data import open_labelled
from kgan.files import printable
from kgan.runs.options import RunOptions
from kgan.streams import counting

HELP = "write pictures into TFRecord shards, for sets larger than memory"
DESCRIPTION = """\
Fits the pictures to one size and writes them, in a random order, into TFRecord
shards with a manifest of count, shape, classes and SHA-256. The pictures are
streamed, when packing and when training on them: a set can be of any size.

  kgan data pack photos/ --size 64x64 -o shards/
  kgan train shards/
  kgan data check shards/
"""
OPTIONS = (
    "split",
    "manual_dir",
    "download_dir",
    "label_column",
    "feature",
    "strict",
    "size",
    "fit",
    "background",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument(
        "data", metavar="DATA", help="folder, file or set of pictures, as kgan train takes them"
    )
    add_options(parser, RunOptions, OPTIONS)
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", required=True, help="new folder of the shards"
    )


def run(arguments: argparse.Namespace) -> None:
    """Prints what was packed and, last, the folder."""
    quiet_tensorflow.import_tensorflow()
    from kgan.data import pack

    options = given_options(arguments, RunOptions)
    options["image_shape"] = options.pop("size", None)
    source, unlabelled = open_labelled(options)
    if unlabelled:
        print(f"without classes: {unlabelled}")
    if source.attributes is not None:
        print(f"without attributes: shards hold none of {', '.join(source.attributes.names)}")
    manifest = pack(source, arguments.output, progress=counting("packed"))
    shape = "x".join(map(str, manifest["image_shape"]))
    classes = f", {len(manifest['class_names'])} classes" if manifest["class_names"] else ""
    size = sum(shard["bytes"] for shard in manifest["shards"])
    print(
        f"{manifest['count']:,} pictures of {shape}{classes} in {len(manifest['shards'])} shards, "
        f"{size / 1e6:,.1f} MB"
    )
    if source.skipped:
        print(f"skipped {len(source.skipped)} pictures that could not be decoded")
    print(printable(arguments.output, None))
