"""`kgan export`, also installed as `kgan-export`."""

import contextlib
import signal
from pathlib import Path

from kgan import manifest
from kgan.cli import quiet_tensorflow, types
from kgan.errors import InputError

HELP = "deliver a trained generator as ONNX, SavedModel and TFLite"
DESCRIPTION = """\
Writes DIR/NAME/VERSION/ with model.onnx (of an autoencoder encoder.onnx and
decoder.onnx), a SavedModel, manifest.json, card.md and samples.png. Every form
is compared with Keras first. MODEL is a run's directory or a .keras file; ONNX
and a SavedModel are written when no form is named. --web DIR also writes a
static page that draws in the browser; of an export that is there already (an
.onnx file, or its directory) it writes that page alone.

  kgan export runs/NAME
  kgan export runs/NAME --onnx --quantize int8
  kgan export saved_models/NAME --web page/
  kgan-export runs/NAME --onnx --out saved_models
  kgan export --inspect saved_models/NAME/1/model.onnx
  kgan export --list
  kgan export --delete NAME/1
"""
SAVED_MODELS = Path("saved_models")
# What shapes a new export, with what it is where it is not given.
SETTINGS = {
    "onnx": False,
    "saved_model": False,
    "tflite": False,
    "name": None,
    "out": None,
    "opset": 17,
    "float_output": False,
    "no_optimize": False,
    "precision": "float32",
    "licence": None,
}


def add_arguments(parser):
    """Adds the command's arguments."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("model", metavar="MODEL", type=Path, nargs="?")
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
        const=SAVED_MODELS,
        metavar="DIR",
        help="list the exports in a directory instead (saved_models)",
    )
    what.add_argument(
        "--delete", metavar="NAME/VERSION", help="delete one version of an export in --out instead"
    )
    forms = parser.add_argument_group("forms")
    forms.add_argument("--onnx", action="store_true", help="write model.onnx")
    forms.add_argument("--saved-model", action="store_true", help="write a TensorFlow SavedModel")
    forms.add_argument("--tflite", action="store_true", help="write model.tflite")
    forms.add_argument("--web", type=Path, metavar="DIR", help="write a page for the browser")
    forms.add_argument(
        "--web-runtime",
        type=Path,
        metavar="DIR",
        help="an unpacked onnxruntime-web package for --web (npm fetches one)",
    )
    forms.add_argument(
        "--float-output",
        action="store_true",
        help="give float32 images in the model's range instead of uint8",
    )
    place = parser.add_argument_group("place and words")
    place.add_argument("--name", help="the export's name (the run's)")
    place.add_argument("--out", type=Path, metavar="DIR", help="(saved_models)")
    place.add_argument(
        "--licence", metavar="TEXT", help="an SPDX name or a sentence, for manifest and card"
    )
    onnx = parser.add_argument_group("ONNX")
    onnx.add_argument("--opset", type=types.whole_number, help="operator set (17)")
    onnx.add_argument(
        "--no-optimize", action="store_true", help="leave the graph as tf2onnx makes it"
    )
    smaller = onnx.add_mutually_exclusive_group()
    smaller.add_argument(
        "--precision",
        choices=("float32", "float16"),
        help="of the weights; float16 halves the file (float32)",
    )
    smaller.add_argument(
        "--quantize",
        choices=("int8",),
        dest="precision",
        help="compute the layers in int8: down to a quarter of the size, and mostly faster",
    )
    parser.set_defaults(**SETTINGS)


def run(arguments):
    """Exports, prints the measured parity and, last, the directory; with --web the page's too."""
    if arguments.web_runtime and not arguments.web:
        raise InputError(f"--web-runtime goes with --web. Received: {arguments.web_runtime}")
    if arguments.model is None:
        _on_the_shelf(arguments)
    elif arguments.web and manifest.find_onnx(arguments.model):
        _refuse_settings(arguments, "MODEL is an export already", arguments.model)
        from kgan.export import WebPage

        page = WebPage(arguments.web, arguments.web_runtime)
        page.write(arguments.model)
        print(page.directory)
    else:
        # SIGTERM as Ctrl-C: what was begun is taken away again.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            _export(arguments)
        finally:
            signal.signal(signal.SIGTERM, before)


def _export(arguments):
    quiet_tensorflow.import_tensorflow()
    from kgan.export import WebPage, export
    from kgan.runs import load

    page = WebPage(arguments.web, arguments.web_runtime) if arguments.web else None
    both = not (arguments.onnx or arguments.saved_model or arguments.tflite)
    with_onnx = arguments.onnx or both or page is not None
    for setting in ("opset", "no_optimize"):
        if not with_onnx and getattr(arguments, setting) != SETTINGS[setting]:
            raise InputError(
                f"--{setting.replace('_', '-')} is for ONNX, which is not asked for. "
                f"Received: {arguments.model}"
            )
    if arguments.name is None:
        arguments.name = load.model_name(arguments.model)
    directory = (arguments.out or SAVED_MODELS) / manifest.check_name(arguments.name)
    if page and _overlap(page.directory, directory):
        raise InputError(
            f"A page is no version of an export; give it a place of its own, not in {directory}. "
            f"Received: {page.directory}"
        )
    # An autoencoder draws nothing from seeds: a page wants a GAN.
    model = (load.load_gan if page else load.load_model)(arguments.model, compile=False)
    facts = load.training_facts(arguments.model)
    # TFLite's converter writes pages of its own to stderr, also where it cannot convert.
    with quiet_tensorflow.shut_stderr() if arguments.tflite else contextlib.nullcontext():
        result = export(
            model,
            directory,
            onnx=with_onnx,
            saved_model=arguments.saved_model or both,
            tflite=arguments.tflite,
            opset=arguments.opset,
            float_output=arguments.float_output,
            optimize=not arguments.no_optimize,
            precision=arguments.precision,
            training=facts,
            licence=arguments.licence,
        )
    for form, report in result.parity.items():
        line = f"{form}: floats within {report['float_max_abs_difference']:.2g} of Keras"
        if "uint8_max_levels" in report:
            line += f", uint8 images within {report['uint8_max_levels']:.0f} level(s)"
        print(line)
    for file, figures in result.precision.items():
        size, before = figures["bytes"], figures["float32_bytes"]
        print(
            f"{file} in {arguments.precision} beside float32: {size / 1e6:.2f} MB "
            f"({size / before:.0%}), PSNR {figures['psnr_db']:.1f} dB, "
            f"{figures['speed_batch_1']:.2f} times as fast at batch 1, "
            f"{figures['speed_batch_64']:.2f} times at batch 64"
        )
    print(result.path)
    if page:
        page.write(result.path)
        print(page.directory)


def _overlap(one, other):
    one, other = one.resolve(), other.resolve()
    return one == other or one in other.parents or other in one.parents


def _on_the_shelf(arguments):
    from kgan import shelf

    given = arguments.inspect or arguments.list or arguments.delete
    directory = arguments.out or SAVED_MODELS
    if arguments.delete is not None:
        arguments.out = None
    _refuse_settings(arguments, "--inspect, --list and --delete make no export", given)
    if arguments.web:
        raise InputError(f"--web needs a MODEL. Received: --web {arguments.web}")
    if arguments.inspect is not None:
        print(*shelf.inspect(arguments.inspect), sep="\n")
    elif arguments.list is not None:
        print(*shelf.table(shelf.list_exports(arguments.list)), sep="\n")
    else:
        print(f"deleted {shelf.delete(directory, arguments.delete)}")


def _refuse_settings(arguments, why, given):
    """Refuses what would shape another export where none is made."""
    for setting, default in SETTINGS.items():
        value = getattr(arguments, setting)
        if value != default:
            option = "quantize" if value == "int8" else setting.replace("_", "-")
            raise InputError(f"{why}, --{option} is for a run or a .keras file. Received: {given}")
