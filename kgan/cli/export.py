"""`kgan export`, also installed as `kgan-export`."""

import contextlib
from pathlib import Path

from kgan.cli import quiet, types

HELP = "deliver a trained generator as ONNX, SavedModel and TFLite"
DESCRIPTION = """\
Writes DIR/NAME/VERSION/ with model.onnx (of an autoencoder encoder.onnx and
decoder.onnx), a SavedModel, manifest.json, card.md and samples.png. Every form
is compared with Keras first. MODEL is a run's directory or a .keras file; ONNX
and a SavedModel are written when no form is named.

  kgan export runs/NAME
  kgan-export runs/NAME --onnx --out saved_models
  kgan export --inspect saved_models/NAME/1/model.onnx
  kgan export --list
  kgan export --delete NAME/1
"""
SAVED_MODELS = Path("saved_models")


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
    parser.add_argument("--onnx", action="store_true", help="write model.onnx")
    parser.add_argument("--saved-model", action="store_true", help="write a TensorFlow SavedModel")
    parser.add_argument("--tflite", action="store_true", help="write model.tflite")
    parser.add_argument("--name", help="the export's name (the run's)")
    parser.add_argument(
        "--out", type=Path, default=SAVED_MODELS, metavar="DIR", help="(saved_models)"
    )
    parser.add_argument("--opset", type=types.whole_number, default=17, help="ONNX opset (17)")
    parser.add_argument(
        "--float-output",
        action="store_true",
        help="give float32 images in the model's range instead of uint8",
    )
    parser.add_argument(
        "--no-optimize", action="store_true", help="leave the ONNX graph as tf2onnx makes it"
    )
    smaller = parser.add_mutually_exclusive_group()
    smaller.add_argument(
        "--precision",
        choices=("float32", "float16"),
        default="float32",
        help="of the ONNX file's weights; float16 halves it (float32)",
    )
    smaller.add_argument(
        "--quantize",
        choices=("int8",),
        dest="precision",
        help="compute the ONNX file's layers in int8: a quarter of the size, about twice as fast",
    )
    parser.add_argument(
        "--licence", metavar="TEXT", help="an SPDX name or a sentence, for manifest and card"
    )


def run(arguments):
    """Exports, prints the measured parity and, last, the directory; or shows or deletes exports."""
    if arguments.model is None:
        return _on_the_shelf(arguments)
    quiet.import_tensorflow()
    from kgan.export import export
    from kgan.training import load

    both = not (arguments.onnx or arguments.saved_model or arguments.tflite)
    name = arguments.name or load.model_name(arguments.model)
    model = load.load_model(arguments.model, compile=False)
    facts = load.training_facts(arguments.model)
    # TFLite's converter writes pages of its own to stderr, also where it cannot convert.
    with quiet.shut_stderr() if arguments.tflite else contextlib.nullcontext():
        result = export(
            model,
            arguments.out / name,
            onnx=arguments.onnx or both,
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
            f"{file} in {arguments.precision}: {size / 1e6:.2f} MB, {size / before:.0%} of it, "
            f"PSNR {figures['psnr_db']:.1f} dB, speed x{figures['speed_batch_1']:.2f} at batch 1, "
            f"x{figures['speed_batch_64']:.2f} at batch 64"
        )
    print(result.path)


def _on_the_shelf(arguments):
    from kgan import shelf

    if arguments.inspect is not None:
        print(*shelf.inspect(arguments.inspect), sep="\n")
    elif arguments.list is not None:
        print(*shelf.table(shelf.list_exports(arguments.list)), sep="\n")
    else:
        print(f"deleted {shelf.delete(arguments.out, arguments.delete)}")
