"""`kgan export`, also installed as `kgan-export`."""

from pathlib import Path

from kgan import manifest
from kgan.cli import quiet, types
from kgan.errors import InputError

HELP = "deliver a trained generator as ONNX and SavedModel"
DESCRIPTION = """\
Writes DIR/NAME/VERSION/ with model.onnx (of an autoencoder encoder.onnx and
decoder.onnx), a SavedModel, manifest.json, card.md and samples.png. Every form
is compared with Keras first. MODEL is a run's directory or a .keras file; both
forms are written when neither is named. --web DIR also writes a static page
that draws in the browser; of an export that is there already (an .onnx file, or
its directory) it writes that page alone.

  kgan export runs/NAME
  kgan export saved_models/NAME --web page/
  kgan-export runs/NAME --onnx --out saved_models
"""


def add_arguments(parser):
    """Adds the command's arguments."""
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("--onnx", action="store_true", help="write model.onnx")
    parser.add_argument("--saved-model", action="store_true", help="write a TensorFlow SavedModel")
    parser.add_argument("--name", help="the export's name (the run's)")
    parser.add_argument(
        "--out", type=Path, default=Path("saved_models"), metavar="DIR", help="(saved_models)"
    )
    parser.add_argument("--opset", type=types.whole_number, default=17, help="ONNX opset (17)")
    parser.add_argument(
        "--float-output",
        action="store_true",
        help="give float32 images in the model's range instead of uint8",
    )
    parser.add_argument("--web", type=Path, metavar="DIR", help="write a page for the browser")
    parser.add_argument(
        "--web-runtime",
        type=Path,
        metavar="DIR",
        help="an unpacked onnxruntime-web package for --web (npm fetches one)",
    )


def run(arguments):
    """Exports, prints the measured parity and, last, the directory; with --web the page's too."""
    if arguments.web_runtime and not arguments.web:
        raise InputError(f"--web-runtime goes with --web. Received: {arguments.web_runtime}")
    quiet.import_tensorflow()
    from kgan.export import WebPage, export
    from kgan.training import load

    page = WebPage(arguments.web, arguments.web_runtime) if arguments.web else None
    if page and manifest.find_onnx(arguments.model):
        _check_no_form_is_asked(arguments)
        page.write(arguments.model)
        print(page.directory)
        return
    both = not (arguments.onnx or arguments.saved_model)
    name = arguments.name or load.model_name(arguments.model)
    # An autoencoder draws nothing from seeds: a page wants a GAN.
    model = (load.load_gan if page else load.load_model)(arguments.model, compile=False)
    result = export(
        model,
        arguments.out / name,
        onnx=arguments.onnx or both or page is not None,
        saved_model=arguments.saved_model or both,
        opset=arguments.opset,
        float_output=arguments.float_output,
        training=load.training_facts(arguments.model),
    )
    for form, report in result.parity.items():
        line = f"{form}: floats within {report['float_max_abs_difference']:.2g} of Keras"
        if "uint8_max_levels" in report:
            line += f", uint8 images within {report['uint8_max_levels']:.0f} level(s)"
        print(line)
    print(result.path)
    if page:
        page.write(result.path)
        print(page.directory)


def _check_no_form_is_asked(arguments):
    """Refuses what would make another export where MODEL is one already."""
    for option in ("--onnx", "--saved-model", "--float-output", "--name"):
        if getattr(arguments, option[2:].replace("-", "_")):
            raise InputError(
                f"MODEL is an export already, {option} is for a run or a .keras file. "
                f"Received: {arguments.model}"
            )
