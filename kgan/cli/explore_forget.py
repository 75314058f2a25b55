"""`kgan explore forget`."""

from __future__ import annotations

import argparse
from pathlib import Path

from kgan.cli.arguments import argument_type
from kgan.cli.explore_arguments import add_model_and_output, deliver, opened, seeds_of
from kgan.errors import InputError
from kgan.files import printable, writing
from kgan.option_fields import FROM_ZERO, NOT_NEGATIVE

HELP = "find the feature maps that draw an object, and take them out of the generator"
DESCRIPTION = """\
First --mark makes NAME.html, a page that opens in any browser: draw boxes around
the object in some pictures (the paper: in about 150), tick "none" where it is
missing, and save boxes.json. Then --boxes finds the maps of a layer that are active
in the boxes and drops them. The sheet shows new pictures before and after, and with
as many maps dropped at random.

  kgan explore forget runs/NAME --mark -o mark.png
  kgan explore forget runs/NAME --boxes boxes.json --export forgot.keras
  kgan export forgot.keras
"""
MARKED = 150


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_model_and_output(parser, "forget.png")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--mark", action="store_true", help="make the page on which boxes are drawn")
    what.add_argument("--boxes", metavar="JSON", type=Path, help="what that page saved")
    parser.add_argument(
        "--seeds",
        type=seeds_of,
        metavar="SEEDS",
        help=f"with --mark: of the pictures (0-{MARKED - 1})",
    )
    parser.add_argument(
        "--layer",
        metavar="NAME",
        help="a convolution of the generator, or a layer that follows it (the second-highest)",
    )
    parser.add_argument(
        "--threshold",
        type=argument_type(NOT_NEGATIVE),
        metavar="W",
        default=0.0,
        help="drop maps whose weight is above this, by standard deviations of a map (0)",
    )
    negatives = parser.add_mutually_exclusive_group()
    negatives.add_argument(
        "--contrast",
        dest="negatives",
        action="store_const",
        const="contrast",
        default="elsewhere",
        help="compare with the same places of pictures without the object (with other places)",
    )
    negatives.add_argument(
        "--random-places",
        dest="negatives",
        action="store_const",
        const="random",
        help="compare with any places of the pictures that have boxes",
    )
    parser.add_argument(
        "--seed", type=argument_type(FROM_ZERO), default=0, help="of what is chosen at random (0)"
    )
    parser.add_argument(
        "--export", metavar="KERAS", type=Path, help="write the GAN that forgot, a .keras file"
    )


def run(arguments: argparse.Namespace) -> None:
    """Prints what changed and, last, the path of the picture, the page or the GAN."""
    from kgan.explore.picture import UNWRITABLE, check_place

    output = check_place(arguments.output)
    if arguments.mark:
        _mark(arguments, output)
        return
    if arguments.seeds:
        raise InputError("--seeds goes with --mark; boxes have their own. Received: both")
    export: Path | None = arguments.export
    if export is not None and export.suffix != ".keras":
        raise InputError(f"The GAN that forgot is a .keras file. Received: {export}")
    subject = opened(arguments.model, networks=True)
    from kgan import explore
    from kgan.files import whole_file

    boxes = explore.read_boxes(arguments.boxes, subject.require_gan().image_shape)
    forgot = explore.forget(
        subject,
        boxes,
        layer=arguments.layer,
        threshold=arguments.threshold,
        negatives=arguments.negatives,
        seed=arguments.seed,
    )
    deliver(forgot.finding, output)
    if export is not None:
        with writing(UNWRITABLE, export), whole_file(export) as temporary:
            forgot.gan.save(temporary)
        print(printable(export, None))


def _mark(arguments: argparse.Namespace, output: Path) -> None:
    from kgan.explore.picture import UNWRITABLE

    subject = opened(arguments.model)
    from kgan import explore
    from kgan.explore.marking_page import save_page

    finding, page = explore.marking(subject, arguments.seeds or list(range(MARKED)))
    deliver(finding, output)
    with writing(UNWRITABLE, output):
        save_page(output.with_suffix(".html"), page)
    print(printable(output.with_suffix(".html"), None))
