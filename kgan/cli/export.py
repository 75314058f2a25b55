"""`kgan export`, also installed as `kgan-export`."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgan import export_places
from kgan.cli import quiet_tensorflow
from kgan.cli.arguments import add_json, add_options, argument_type, given_options, print_json
from kgan.cli.of_the_whole import check_model
from kgan.commands import command_line
from kgan.errors import InputError
from kgan.export.export_options import LICENCE, WEIGHTS_OPTIONS, ExportOptions
from kgan.files import check_name, printable
from kgan.manifest import FLOAT32, ONNX_FILE, in_precision
from kgan.names import name_of, path_of_text
from kgan.option_fields import spelling

if TYPE_CHECKING:
    from kgan.export import Export
    from kgan.models import Preset

HELP = "deliver a trained generator as ONNX, SavedModel and TFLite"
DESCRIPTION = """\
Writes DIR/NAME/VERSION/ with model.onnx (of an autoencoder encoder.onnx and
decoder.onnx), a SavedModel, manifest.json, README.md and samples.png. Every form
is compared with Keras first. MODEL is a run's directory, or any Keras generator:
a .keras file, an .h5 file of model.save or a SavedModel's directory; with --preset
the .h5 file of save_weights. ONNX and a SavedModel are written when no form is
named. --web DIR also writes a static page that draws in the browser; of an export
that is there already (an .onnx file, or its directory) it writes that page alone.

  kgan export runs/NAME
  kgan export runs/NAME --onnx --quantize int8
  kgan export saved_models/NAME --web page/
  kgan-export --onnx generator.keras --out saved_models
  kgan-export --onnx generator.h5 --value-range=0,1 --latents uniform
  kgan export --inspect saved_models/NAME/1/model.onnx
  kgan export --list
  kgan export --delete NAME/1
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of an export, and those of the command alone."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "model",
        metavar="MODEL",
        type=Path,
        nargs="?",
        help="a run or a file of Keras's to export (the newest run)",
    )
    what.add_argument(
        "--inspect",
        type=Path,
        metavar="FILE",
        help="describe an .onnx file or an export's directory instead, and check it",
    )
    what.add_argument(
        "--list",
        type=Path,
        nargs="?",
        const=Path(ExportOptions.out),
        metavar="DIR",
        help=f"list the exports in a directory instead ({ExportOptions.out})",
    )
    what.add_argument(
        "--delete", metavar="NAME/VERSION", help="delete one version of an export in --out instead"
    )
    add_json(parser, "print what --inspect or --list found as JSON")
    groups = add_options(parser, ExportOptions)
    groups["precision"].add_argument(
        "--quantize", choices=("int8",), help="the same as --precision int8"
    )
    groups["licence"].add_argument(  # as others spell it
        "--license",
        dest="licence",
        type=argument_type(LICENCE),
        default=argparse.SUPPRESS,
        help=argparse.SUPPRESS,
    )
    page = parser.add_argument_group("page")
    page.add_argument(
        "--web",
        type=Path,
        metavar="DIR",
        help="write a page for the browser; it draws in the one --precision that is asked for",
    )
    page.add_argument(
        "--web-runtime",
        type=Path,
        metavar="DIR",
        help="an unpacked onnxruntime-web package for --web (npm fetches one)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Exports, prints the measured parity and, last, the directory; with --web the page's too."""
    chosen = given_options(arguments, ExportOptions)
    if arguments.quantize:
        chosen["quantize"] = arguments.quantize
    if arguments.web_runtime and not arguments.web:
        raise InputError(f"--web-runtime goes with --web. Received: {arguments.web_runtime}")
    if arguments.json and arguments.inspect is None and arguments.list is None:
        raise InputError(
            "--json goes with --inspect or --list. "
            f"Received: {arguments.model or arguments.delete or 'neither'}"
        )
    if {arguments.model, arguments.inspect, arguments.list, arguments.delete} == {None}:
        from kgan.runs.directory import newest_run

        arguments.model = newest_run()
        print(f"the newest run: {printable(arguments.model, None)}")
    if arguments.model is None:
        _on_the_shelf(arguments, chosen)
    elif arguments.web and export_places.find_onnx(arguments.model):
        _refuse(chosen, "MODEL is an export already", arguments.model)
        from kgan.export import WebPage

        _check_apart(arguments.web, arguments.model)
        page = WebPage(arguments.web, arguments.web_runtime)
        page.write(arguments.model)
        _print_page(page.directory)
    else:
        from kgan import shelf

        described = shelf.describe(arguments.model)
        if described is not None:
            raise InputError(f"{described} Received: {arguments.model}")
        _export(arguments, chosen)


def _export(arguments: argparse.Namespace, chosen: dict[str, Any]) -> None:
    check_model(arguments.model)
    quiet_tensorflow.import_tensorflow()
    from kgan.export import WebPage, export
    from kgan.runs import load
    from kgan.runs.exploring import kept_directions, kept_encoder
    from kgan.training import Autoencoder

    if "quantize" in chosen:
        chosen["precision"] = chosen.pop("quantize")
    options = ExportOptions(**chosen)
    page = WebPage(arguments.web, arguments.web_runtime) if arguments.web else None
    forms: dict[Any, Any] = dict(options.forms())
    forms["onnx"] = forms["onnx"] or page is not None
    for name, typed in (("opset", "--opset"), ("optimize", "--no-optimize")):
        if not forms["onnx"] and name in chosen:
            raise InputError(
                f"{typed} is for ONNX, which is not asked for. Received: {arguments.model}"
            )
    name = load.model_name(arguments.model) if options.name is None else options.name
    directory = Path(options.out) / path_of_text(check_name(name_of(name), "an export"))
    if page:
        _check_apart(page.directory, directory)
    if page and options.plain:
        raise InputError(
            f"A page shows images, which --plain has none of. Received: {page.directory}"
        )
    model, said = _opened(arguments.model, options)
    if page and isinstance(model, Autoencoder):
        raise InputError(
            "A page draws from seeds: it needs a generator, not an autoencoder. "
            f"Received: {arguments.model}"
        )
    # TFLite's converter writes pages of its own to stderr, also where it cannot convert.
    with quiet_tensorflow.shut_stderr() if options.tflite else contextlib.nullcontext():
        result = export(
            model,
            directory,
            **forms,
            opset=options.opset,
            float_output=options.float_output,
            optimize=options.optimize,
            precision=options.precision,
            training=load.training_facts(arguments.model),
            evaluation=load.kept_figures(arguments.model),
            licence=options.licence,
            directions=kept_directions(arguments.model, model),
            encoder=kept_encoder(arguments.model, model),
            **said,
        )
    _print_figures(result)
    for line in result.assumed:
        print(line)
    print(printable(result.path, None))
    if page:
        # With one smaller file it is asked for, for the page too.
        _, *smaller = options.precisions
        drawn = smaller[0] if len(smaller) == 1 else FLOAT32
        page.write(result.path / in_precision(ONNX_FILE, drawn))
        _print_page(page.directory)


def _opened(path: Path, options: ExportOptions) -> tuple[Any, dict[str, Any]]:
    """(the model at a path, what `export` is to be told of it)."""
    from kgan.export.own_generators import own_generator
    from kgan.models import Preset, get_preset
    from kgan.models.stored_networks import read_preset_generator
    from kgan.runs import load

    said = {name: getattr(options, name) for name in ("value_range", "latents", "plain")}
    if options.preset is None:
        for name in WEIGHTS_OPTIONS:
            if getattr(options, name) is not None:
                raise InputError(
                    f"{spelling(name)} is for weights alone, with --preset. Received: {path}"
                )
        return load.load_network(path), said | {"num_classes": options.num_classes}
    preset = get_preset(options.preset, Preset)
    generator = read_preset_generator(
        path,
        options.preset,
        image_shape=None if options.size is None else _with_channels(options.size, preset),
        latent_dim=options.latent_dim,
        filters=options.filters,
        num_classes=options.num_classes,
    )
    said["latents"] = options.latents or preset.latent_distribution
    return own_generator(generator, **said, preset=options.preset), {}


def _with_channels(size: tuple[int, ...], preset: Preset) -> tuple[int, int, int]:
    height, width, channels = (*size, preset.image_shape[2])[:3]
    return height, width, channels


def _print_figures(result: Export) -> None:
    for form, report in result.parity.items():
        line = f"{form}: floats within {report['float_max_abs_difference']:.2g} of Keras"
        if "uint8_max_levels" in report:
            line += f", uint8 images within {report['uint8_max_levels']:.0f} level(s)"
        print(line)
    for file, figures in result.precision.items():
        size, before = figures["bytes"], figures["float32_bytes"]
        print(
            f"{file} in {figures['precision']} beside float32: {size / 1e6:.2f} MB "
            f"({size / before:.0%}), PSNR {figures['psnr_db']:.1f} dB, "
            f"{figures['speed_batch_1']:.2f} times as fast at batch 1, "
            f"{figures['speed_batch_64']:.2f} times at batch 64"
        )


def _print_page(directory: Path) -> None:
    print(f"to see it: {command_line('kgan', 'serve-page', directory)}")
    print(printable(directory, None))


def _check_apart(page: Path, export: Path) -> None:
    """Refuses a page's place in an export, or around one."""
    place, other = page.resolve(), export.resolve()
    if place == other or place in other.parents or other in place.parents:
        raise InputError(
            f"A page cannot be a version of an export; give it a place of its own, not in "
            f"{export}. Received: {page}"
        )


def _on_the_shelf(arguments: argparse.Namespace, chosen: dict[str, Any]) -> None:
    directory = chosen.get("out", ExportOptions.out)
    if arguments.delete is not None:
        chosen.pop("out", None)
    asked = arguments.inspect or arguments.list or arguments.delete
    _refuse(chosen, "--inspect, --list and --delete make no export", asked)
    if arguments.web:
        raise InputError(f"--web needs a MODEL. Received: --web {arguments.web}")
    from kgan import shelf

    if arguments.json and arguments.inspect is not None:
        print_json(shelf.inspect_json(arguments.inspect))
    elif arguments.json:
        print_json(shelf.list_json(shelf.list_exports(arguments.list)))
    elif arguments.inspect is not None:
        print(*shelf.inspect(arguments.inspect), sep="\n")
    elif arguments.list is not None:
        print(*shelf.table(shelf.list_exports(arguments.list)), sep="\n")
    else:
        print(f"deleted {printable(shelf.delete(directory, arguments.delete), None)}")


def _refuse(chosen: dict[str, Any], why: str, received: Any) -> None:
    """Refuses what would shape another export where none is made."""
    for name in chosen:
        typed = "--no-optimize" if name == "optimize" else spelling(name)
        raise InputError(f"{why}, {typed} is for a run or a .keras file. Received: {received}")
