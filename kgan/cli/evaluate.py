"""`kgan evaluate`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgan.cli import quiet_tensorflow
from kgan.cli.arguments import add_json, argument_type, print_json
from kgan.errors import InputError
from kgan.files import printable
from kgan.option_fields import FROM_ZERO, WHOLE

if TYPE_CHECKING:
    from kgan.metrics.features import Features
    from kgan.runs.evaluating import Opened

HELP = "measure how good the images of a model are, or which model is better"
DESCRIPTION = """\
Measures how close the images of a trained GAN are to real ones: kernel distance (what KID
computes), sliced Wasserstein and Frechet distance, precision, recall, density, coverage, each
beside what real images score against other real ones. MODEL is a run's directory, a .keras file
or an export; DATA is anything that kgan trains on, by default the run's own, of which the part
that was held out where there is one. Transparent pictures are measured over white.
Needs pip install kgan[metrics].

  kgan evaluate runs/NAME
  kgan evaluate saved_models/NAME photos/ -n 5000
  kgan evaluate runs/A --compare runs/B runs/C

Of an autoencoder it gives MSE, PSNR and SSIM of the reconstructions of all pictures.
"""
N = 2000
FEATURES = ("scale", "size", "output", "layout")
SCALES = ("levels", "unit", "symmetric", "imagenet")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("model", metavar="MODEL", type=Path, help="a run, .keras file or export")
    parser.add_argument(
        "data", metavar="DATA", nargs="?", help="real pictures to compare with (the run's own)"
    )
    parser.add_argument(
        "-n",
        "--n",
        type=argument_type(WHOLE),
        default=N,
        help=f"real and generated pictures ({N})",
    )
    parser.add_argument(
        "--metrics",
        metavar="NAMES",
        help="with commas between them; kernel_distance sliced_wasserstein frechet_distance "
        "precision_recall density_coverage clipped_density_coverage (all)",
    )
    parser.add_argument(
        "--seed", type=argument_type(FROM_ZERO), default=0, help="seed of the first picture (0)"
    )
    parser.add_argument(
        "--memorisation",
        action="store_true",
        help="seek the generated pictures among all training pictures instead",
    )
    parser.add_argument(
        "--compare",
        metavar="MODEL",
        type=Path,
        nargs="+",
        help="other models, measured against the same pictures",
    )
    features = parser.add_argument_group("features of another network")
    features.add_argument(
        "--features",
        metavar="ONNX",
        type=Path,
        help="its file, such as FID's Inception or DINOv2 (EfficientNet-lite0)",
    )
    features.add_argument(
        "--features-scale",
        metavar="NAME",
        choices=SCALES,
        help=f"what it takes in place of levels 0..255: {' '.join(SCALES)}",
    )
    features.add_argument(
        "--features-size",
        metavar="N",
        type=argument_type(WHOLE),
        help="height and width of what it sees (the file's)",
    )
    features.add_argument(
        "--features-output", metavar="NAME", help="the tensor that has the features (the only one)"
    )
    features.add_argument(
        "--features-layout",
        choices=("NCHW", "NHWC"),
        help="where its input has the channels (where there are 3)",
    )
    features.add_argument(
        "--anyway",
        action="store_true",
        help="also where a model's own discriminator judges by the same network",
    )
    add_json(parser, "print the figures as JSON")
    reconstruction = parser.add_argument_group("autoencoders")
    reconstruction.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="where the reconstructions go (nowhere)"
    )
    reconstruction.add_argument(
        "--pairs", action="store_true", help="write sheets of pictures above reconstructions there"
    )


def run(arguments: argparse.Namespace) -> None:
    """Prints the figures and, last, the path of the sheet; with --json one object."""
    if arguments.pairs and not arguments.output:
        raise InputError("--pairs needs --output DIR for the sheets. Received: none")
    if arguments.memorisation and (arguments.compare or arguments.metrics):
        raise InputError(
            "--memorisation is a report of its own, without --compare and --metrics. "
            f"Received: {'--compare' if arguments.compare else '--metrics'}"
        )
    quiet_tensorflow.import_tensorflow()
    from kgan.runs.evaluating import compare_models, evaluate_model, open_model

    opened = open_model(arguments.model)
    if hasattr(opened.model, "reconstruct"):
        for name in ("memorisation", "compare", "metrics", "features"):
            if getattr(arguments, name):
                raise InputError(f"--{name} is for a GAN. Received: {arguments.model}")
        _reconstruct(arguments, opened)
        return
    if arguments.output:
        raise InputError(f"--output is for an autoencoder. Received: {arguments.model}")
    if arguments.memorisation:
        _memorisation(arguments, opened)
        return
    from kgan.metrics.evaluation import compare
    from kgan.metrics.figures import METRICS, check_metrics
    from kgan.runs.own_judge import check_judge

    names = arguments.metrics.split(",") if arguments.metrics else METRICS
    settings = {
        "n": arguments.n,
        "metrics": check_metrics([name.strip() for name in names]),
        "network": _network(arguments),
        "seed": arguments.seed,
    }
    models = {str(arguments.model): opened}
    for path in arguments.compare or ():
        if str(path) in models:
            raise InputError(f"Each model is compared once. Received: {path}")
        models[str(path)] = open_model(path)
    if not arguments.anyway:
        check_judge(models, settings["network"])
    if arguments.compare:
        each, sheet = compare_models(models, arguments.data, **settings)
        figures = {"models": {name: one.to_json() for name, one in each.items()}}
        lines = compare(each)
    else:
        found, sheet = evaluate_model(opened, arguments.data, **settings)
        figures = found.to_json()
        lines = [*found.table(), "", printable(found.protocol.in_words(), None)]
    _tell(arguments, figures, lines, sheet)


def _tell(
    arguments: argparse.Namespace, figures: Mapping[str, Any], lines: Sequence[str], sheet: Path
) -> None:
    if arguments.json:
        print_json({**figures, "sheet": str(sheet)})
        return
    print(*lines, sep="\n")
    print(printable(sheet, None))


def _memorisation(arguments: argparse.Namespace, opened: Opened) -> None:
    from kgan.runs.memorising import report
    from kgan.runs.own_judge import check_judge

    network = _network(arguments)
    if not arguments.anyway:
        check_judge({str(arguments.model): opened}, network)
    found, sheet = report(
        opened, arguments.data, n=arguments.n, network=network, seed=arguments.seed
    )
    _tell(arguments, found.figures, found.lines, sheet)


def _network(arguments: argparse.Namespace) -> Features:
    from kgan.metrics.features import Features

    own = {name: getattr(arguments, f"features_{name}") for name in FEATURES}
    if arguments.features is not None:
        return Features.from_onnx(arguments.features, **own)
    for name, value in own.items():
        if value is not None:
            raise InputError(f"--features-{name} needs --features ONNX. Received: {value}")
    return Features.efficientnet_lite0()


def _reconstruct(arguments: argparse.Namespace, opened: Opened) -> None:
    from kgan.runs.reconstruction import evaluate_autoencoder

    found = evaluate_autoencoder(opened, arguments.data, arguments.output, arguments.pairs)
    if arguments.json:
        print_json(found._asdict())
        return
    print(
        f"{found.n:,} pictures ({found.split}): MSE {found.mse:.4g} (levels 0 to 1), "
        f"PSNR {found.psnr_db:.2f} dB, SSIM {found.ssim:.4f}"
    )
    if arguments.output:
        print(printable(arguments.output, None))
