"""`kgan explore direction`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kgan.cli.arguments import argument_type
from kgan.cli.explore_arguments import add_model_and_output, deliver, opened, seeds_of
from kgan.errors import InputError
from kgan.files import printable
from kgan.names import name_of
from kgan.option_fields import WHOLE

if TYPE_CHECKING:
    from kgan.directions import Direction
    from kgan.explore import Subject

HELP = "find what turns, brightens or changes a picture, and keep it as a named slider"
DESCRIPTION = """\
Finds directions in the latents and draws what they do, strengths from -3 to 3. From
seeds without an attribute to seeds with it; from a file of each seed's value; or,
where nothing is named, the model's own main directions. They are kept in
directions.json beside MODEL. The next export has them in its manifest, and its web
page as sliders.

  kgan explore direction runs/NAME --from 3,9,21 --to 12,40,77 --name smile
  kgan explore direction runs/NAME --labels smile.csv --name smile
  kgan explore direction runs/NAME --method sefa -n 5
"""
METHODS: tuple[Literal["ganspace", "sefa"], ...] = ("ganspace", "sefa")

MAIN = 5  # directions, of fewer latents as many


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    add_model_and_output(parser, "direction.png")
    named = parser.add_argument_group("an attribute")
    named.add_argument(
        "--from", dest="from_seeds", type=seeds_of, metavar="SEEDS", help="seeds without it"
    )
    named.add_argument("--to", dest="to_seeds", type=seeds_of, metavar="SEEDS", help="with it")
    named.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="lines of seed,value, or a JSON object of them, in place of --from and --to",
    )
    named.add_argument("--name", type=name_of, help="what it is called")
    main = parser.add_argument_group("the model's own main directions")
    main.add_argument(
        "--method", choices=METHODS, help="how they are found; both need the Keras GAN (ganspace)"
    )
    main.add_argument("-n", type=argument_type(WHOLE), help=f"how many ({MAIN})")
    main.add_argument("--layer", metavar="NAME", help="ganspace's layer (the first activation)")
    parser.add_argument(
        "--seeds", type=seeds_of, metavar="SEEDS", help="the pictures that are moved (0-3)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Prints what was found and, last, the paths of the picture and of directions.json."""
    attribute = [name for name in ("from_seeds", "to_seeds", "labels") if getattr(arguments, name)]
    _check(arguments, attribute)
    from kgan.explore.picture import check_place

    check_place(arguments.output)
    subject = opened(arguments.model, networks=not attribute)
    found = _attribute(arguments, subject) if attribute else _main(arguments, subject)
    from kgan.explore import strips
    from kgan.explore.direction_strips import SEEDS, keep

    finding = strips(subject, found, arguments.seeds or SEEDS)
    deliver(finding, arguments.output)  # first: where it cannot be, nothing is kept
    kept = keep(subject, found)
    print(printable(kept, None))


def _check(arguments: argparse.Namespace, attribute: list[str]) -> None:
    if attribute not in ([], ["labels"], ["from_seeds", "to_seeds"]):
        raise InputError(
            "An attribute is named by --from and --to, or by --labels alone. "
            f"Received: {', '.join(name.removesuffix('_seeds') for name in attribute)}"
        )
    if attribute:
        if arguments.name is None:
            raise InputError("An attribute needs --name, such as smile. Received: none")
        for name in ("method", "n", "layer"):
            if getattr(arguments, name) is not None:
                raise InputError(
                    "--method, -n and --layer are for the model's own main directions. "
                    f"Received: {getattr(arguments, name)}"
                )
    elif arguments.name is not None:
        raise InputError(
            "--name is for an attribute, with --from and --to, or --labels; main directions are "
            f"numbered. Received: {arguments.name}"
        )


def _attribute(arguments: argparse.Namespace, subject: Subject) -> list[Direction]:
    from kgan.explore.direction_search import attribute_direction, two_sides
    from kgan.explore.seed_values import read_seed_values

    if arguments.labels:
        values = read_seed_values(arguments.labels)
    else:
        values = two_sides(arguments.from_seeds, arguments.to_seeds)
    return [attribute_direction(subject, arguments.name, values)]


def _main(arguments: argparse.Namespace, subject: Subject) -> list[Direction]:
    from kgan.explore import main_directions

    method: Literal["ganspace", "sefa"] = arguments.method or METHODS[0]
    n = arguments.n or min(MAIN, subject.require_gan().latent_dim)
    return main_directions(subject, method, n, arguments.layer)
