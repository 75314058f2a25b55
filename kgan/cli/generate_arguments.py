"""The help and the arguments of `kgan generate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from kgan.attributes import parse_asked
from kgan.cli.arguments import argument_type
from kgan.manifest import PRECISIONS
from kgan.names import name_of
from kgan.option_fields import FROM_ZERO, PORTION, SEEDS, WHOLE, Kind

HELP = "draw pictures from a trained model or an export"
DESCRIPTION = """\
Draws pictures. MODEL is a run's directory, a .keras file or an export; an
export is run by onnxruntime and needs no tensorflow. An autoencoder
reconstructs pictures: each row of them stands over what comes back.

  kgan generate runs/NAME -n 64 -o grid.png
  kgan generate saved_models/NAME --seed 7 --separate pictures/
  kgan generate runs/NAME --class Bag --class coat -n 16
  kgan generate runs/NAME --attributes smile=1,yaw=-0.5 -n 16
  kgan generate runs/NAME --seeds 1,5,9-20 --truncation 0.7 --scale 4 -o grid.webp
  kgan generate runs/NAME --seeds 3,8,12 --video walk.mp4

--truncation multiplies latents, so that a seed's picture keeps what it shows and
only moves towards the average one; nothing is drawn again. Images of 2 or of 5
to 8 channels are no pictures: they are written as an array, images.npy.
"""
COUNT = 64
STOPS = 8  # of a video
NICE = 20
ASKED = Kind("numbers by name such as smile=1,yaw=-0.5", parse_asked, parse_asked, "NAME=X,...")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("model", metavar="MODEL", type=Path, help="a run, .keras file or export")
    parser.add_argument("-n", type=argument_type(WHOLE), help=f"number of pictures ({COUNT})")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--seed",
        type=argument_type(FROM_ZERO),
        help="seed of the first picture (0)",
    )
    which.add_argument(
        "--seeds",
        type=argument_type(SEEDS),
        metavar="SEEDS",
        help="the seed of each picture, such as 1,5,9-20",
    )
    parser.add_argument(
        "--truncation",
        type=argument_type(PORTION),
        default=1.0,
        metavar="PSI",
        help="scale latents by PSI towards their mean: more typical, less diverse pictures (1)",
    )
    parser.add_argument(
        "--nice",
        type=argument_type(WHOLE),
        nargs="?",
        const=NICE,
        default=1,
        metavar="K",
        help=f"make K times as many and keep those the discriminator finds most real ({NICE})",
    )
    parser.add_argument(
        "--class",
        dest="class_names",
        type=name_of,
        action="append",
        metavar="CLASS",
        help="draw this class, by name or number (a conditional model; all in turn); given "
        "several times, these in turn",
    )
    parser.add_argument(
        "--attributes",
        type=argument_type(ASKED),
        metavar="NAME=X,...",
        help="draw pictures with these attributes, 0 or 1 or numbers (those of pictures it was "
        "trained on)",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        help="which of an export's ONNX files draws (float32)",
    )
    parser.add_argument(
        "--pictures",
        metavar="DATA",
        help="pictures for an autoencoder to reconstruct (those it was trained on)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help="one sheet of all pictures, in the format of its suffix (grid.png)",
    )
    parser.add_argument(
        "--scale",
        type=argument_type(WHOLE),
        default=1,
        metavar="K",
        help="draw each pixel K times K pixels large (1)",
    )
    parser.add_argument(
        "--mosaic", action="store_true", help="leave no gaps between the pictures of the sheet"
    )
    parser.add_argument(
        "--separate", type=Path, metavar="DIR", help="each picture by itself, DIR/seed-000000.png"
    )
    parser.add_argument(
        "--video",
        type=Path,
        metavar="MP4",
        help=f"in place of pictures a walk from each to the next and back to the first ({STOPS} of "
        "them; needs pip install kgan[explore])",
    )
