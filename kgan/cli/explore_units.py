"""`kgan explore units`."""

from __future__ import annotations

import argparse
from pathlib import Path

from kgan.cli.arguments import argument_type
from kgan.cli.explore_arguments import add_model_and_output, deliver, opened, seeds_of
from kgan.errors import InputError
from kgan.export.export_options import RANGE
from kgan.option_fields import FROM_ZERO, WHOLE

HELP = "what units of a layer respond to: images, the pixels in them, images made for them"
DESCRIPTION = """\
For each unit (channel) of a layer: the images that excite it most, with what it
saw framed and cut out, the guided gradient there, and an image made to excite it;
beside the same of an untrained twin. MODEL can be any Keras network of images too.
--kernels shows the first layer's kernels instead, --maps the feature maps of all
layers for one picture.

  kgan explore units runs/NAME --layer leaky_relu_4x4 --units 0-5
  kgan explore units classifier.keras --layer conv2d_1 --data photos/
  kgan explore units runs/NAME --maps photo.png
"""
COUNT = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_model_and_output(parser, "units.png")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--layer", metavar="NAME", help="a layer, sought in the discriminator, then the generator"
    )
    what.add_argument("--kernels", action="store_true", help="the first layer's kernels, tiled")
    what.add_argument(
        "--maps", metavar="PICTURE", type=Path, help="all layers' feature maps for one picture"
    )
    parser.add_argument(
        "--units", type=seeds_of, metavar="UNITS", default=list(range(6)), help="such as 0-5 (0-5)"
    )
    parser.add_argument(
        "--data", metavar="DATA", help="images to choose from (those the run was trained on)"
    )
    parser.add_argument(
        "-n",
        type=argument_type(WHOLE),
        default=COUNT,
        help=f"images to choose from, of a generator's layer images drawn ({COUNT})",
    )
    parser.add_argument(
        "--seed", type=argument_type(FROM_ZERO), default=0, help="of all that is drawn (0)"
    )
    parser.add_argument(
        "--value-range",
        type=argument_type(RANGE),
        metavar="LOW,HIGH",
        help="what stands for black and white in another network, such as -1,1 (0,255 where it "
        "begins with a layer that scales, else 0,1)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Prints what was found and, last, the picture's path."""
    from kgan.explore.picture import check_place

    output = check_place(arguments.output)
    subject = opened(arguments.model, networks=True, any_network=True)
    from kgan import explore
    from kgan.explore.image_networks import network_of_images, takes_images

    if arguments.kernels:
        deliver(explore.kernels(subject), output)
        return
    if arguments.maps:
        from kgan.explore.own_pictures import own_pictures

        shape = network_of_images(subject).inputs[0].shape[1:]
        (picture,) = own_pictures([arguments.maps], shape, most=1).images
        found = explore.feature_maps(subject, picture, value_range=arguments.value_range)
        deliver(found, output)
        return
    network, _ = subject.require_layer(arguments.layer)
    images = None
    if takes_images(network):
        from kgan.runs.exploring_data import unlabelled_images

        shape = network.inputs[0].shape[1:]
        images = unlabelled_images(
            arguments.model, shape, arguments.data, arguments.n, arguments.seed
        )
    elif arguments.data is not None:
        raise InputError(
            "A generator's layer is looked at in images that it draws, without --data. "
            f"Received: {arguments.data}"
        )
    finding = explore.units(
        subject,
        arguments.layer,
        images,
        chosen=arguments.units,
        value_range=arguments.value_range,
        count=arguments.n,
        seed=arguments.seed,
    )
    deliver(finding, output)
