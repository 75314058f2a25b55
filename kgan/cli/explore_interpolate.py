"""`kgan explore interpolate`."""

from __future__ import annotations

import argparse
from typing import Any

from kgan.cli.arguments import argument_type
from kgan.cli.explore_arguments import add_model_and_output, deliver, opened, seeds_of
from kgan.errors import InputError
from kgan.names import name_of
from kgan.option_fields import WHOLE

HELP = "walk from picture to picture: does it change smoothly, or jump?"
DESCRIPTION = """\
Walks from the latent of one seed to the next, a row each, and measures how
smooth the walk is: its largest step by its mean step. An autoencoder walks
between the codes of pictures. Beside NAME.png are NAME.webp, the walk there and
back, and NAME.json.

  kgan explore interpolate runs/NAME --seeds 1,2,3
  kgan explore interpolate runs/CODES --pictures a.png b.png
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_model_and_output(parser, "interpolate.png")
    parser.add_argument(
        "--seeds", type=seeds_of, metavar="SEEDS", help="where the walk stops, such as 1,2,3 (0,1)"
    )
    parser.add_argument(
        "--frames",
        type=argument_type(WHOLE),
        default=9,
        help="pictures of a row, both ends included (9)",
    )
    path = parser.add_mutually_exclusive_group()
    for name, words in (("linear", "straight"), ("spherical", "along the arc")):
        path.add_argument(
            f"--{name}",
            dest="path",
            action="store_const",
            const=name,
            help=f"walk {words} (the arc between normal latents, straight between others)",
        )
    parser.add_argument(
        "--class",
        dest="class_names",
        type=name_of,
        action="append",
        metavar="CLASS",
        help="the class of each stop, by name or number, or one for all (each seed's)",
    )
    parser.add_argument(
        "--pictures",
        nargs="+",
        metavar="PICTURE",
        help="own pictures for an autoencoder to walk between",
    )
    parser.add_argument(
        "--mp4", action="store_true", help="write NAME.mp4 too (needs pip install kgan[explore])"
    )


def run(arguments: argparse.Namespace) -> None:
    """Prints how smooth the walk is and, last, the picture's path."""
    from kgan.explore.picture import check_place
    from kgan.explore.video import check_mp4, save_mp4

    output = check_place(arguments.output)
    if arguments.mp4:
        check_mp4()
    subject = opened(arguments.model)
    settings: dict[str, Any] = {"frames": arguments.frames, "path": arguments.path}
    if arguments.pictures:
        from kgan.explore.own_pictures import own_pictures

        settings["pictures"] = own_pictures(arguments.pictures, subject.image_shape).images
    if arguments.seeds:
        if subject.is_autoencoder:
            raise InputError(f"--seeds are for a GAN. Received: {arguments.model}")
        settings["seeds"] = arguments.seeds
    if arguments.class_names:
        labels = subject.classes_of(arguments.class_names)
        settings["labels"] = labels[0] if len(labels) == 1 else labels
    from kgan.explore import interpolate

    finding = interpolate(subject, **settings)
    if arguments.mp4:
        save_mp4(output.with_suffix(".mp4"), finding.frames, finding.milliseconds)
    deliver(finding, output)
