"""The forms of an export, each made from the same parts and compared with Keras."""

import shutil
import warnings

import numpy as np

from kgan import images
from kgan.errors import InputError
from kgan.export import onnx as onnx_export
from kgan.export import precision as precisions
from kgan.export import saved_model
from kgan.export import tflite as tflite_export
from kgan.export.graph import optimize as optimize_graph
from kgan.export.serving import float_function, with_levels
from kgan.export.signatures import seeded
from kgan.export.verify import parity
from kgan.files import first_line

SAMPLES = 64


class Forms:
    """What is made of a model's parts.

    Args:
        parts: `Part`s, of which it is made.
        staging: directory for its files.
        float_output: give float32 images in the model's range instead of uint8.

    Attributes:
        parity: largest differences from Keras, by form.
        precision: figures of float16 or int8, by ONNX file.
        facts: what else the manifest says of the forms.
        onnx_models: ModelProto by file name, yet to be written with their manifest.
    """

    def __init__(self, parts, staging, float_output):
        self.parts = parts
        self.staging = staging
        self.float_output = float_output
        self.parity, self.precision, self.facts, self.onnx_models = {}, {}, {}, {}
        self.runs = {}

    def make_saved_model(self):
        """Writes the SavedModel, with `sample` where there is a law of latents."""
        # Both are written to be compared; the other one goes. They share what was traced.
        served = [*self.parts, *(seeded(part) for part in self.parts if part.draw_tensors)]
        floats = {part.signature: float_function(part) for part in served}
        levels = {part.signature: with_levels(part, floats[part.signature]) for part in served}
        places = [self.staging, self.staging / "other"]
        if not self.float_output:
            places.reverse()
        runs = []
        for functions, place in zip((floats, levels), places, strict=True):
            saved_model.write(served, functions, place)
            runs.append(saved_model.load_runners(served, place))
        for part in served:
            self._compare("saved_model", part, *(run[part.signature] for run in runs))
        self.facts["signatures"] = saved_model.describe(served)
        self.runs |= runs[0] if self.float_output else runs[1]
        shutil.rmtree(self.staging / "other")

    def make_onnx(self, opset, optimize, precision):
        """Makes the ONNX models.

        Args:
            opset, optimize, precision: as of `export`.
        """
        self.facts |= {"opset": opset, "optimized": optimize}
        for part in self._by_themselves():
            plain = onnx_export.convert(part, opset)
            model = self._optimized(part, plain) if optimize else plain
            models = _with_levels(part, model)
            self._compare("onnx", part, *(_runner(part, model) for model in models))
            if precision == "int8" and not self.facts["optimized"]:
                raise InputError(
                    "int8 needs a graph that could be rewritten for speed; this one could not. "
                    f"Received: {part.network.name}"
                )
            if precision != "float32":
                model, figures = precisions.reduced(plain, model, part, precision)
                self.precision[part.onnx_file] = figures
                models = _with_levels(part, model)
                # How far it is from Keras is told; how far it may be, the floor of PSNR says.
                runs = [_runner(part, model) for model in models]
                self._compare("onnx", part, *runs, tolerant=True)
            delivered = models[0] if self.float_output else models[1]
            self.onnx_models[part.onnx_file] = delivered
            self.runs[part.signature] = _runner(part, delivered)
        if self.precision:
            self.facts["precision"] = {"form": precision, "files": self.precision}

    def make_tflite(self):
        """Writes the TFLite models."""
        for part in self._by_themselves():
            models = [tflite_export.convert(part, levels) for levels in (False, True)]
            runs = [tflite_export.runner(part, model) for model in models]
            self._compare("tflite", part, *runs)
            file = (self.staging / part.onnx_file).with_suffix(".tflite")
            file.write_bytes(models[0 if self.float_output else 1])
            self.runs[part.signature] = runs[0 if self.float_output else 1]

    def samples(self):
        """uint8 pictures that a form itself made; None of an autoencoder, which needs pictures."""
        if len(self.parts) > 1:
            return None
        (part,) = self.parts
        made = self.runs[part.signature](part.draw(range(SAMPLES)))
        return made if made.dtype == np.uint8 else images.to_uint8(made, part.value_range)

    def _by_themselves(self):
        return [part for part in self.parts if part.onnx_file is not None]

    def _optimized(self, part, model):
        """The model rewritten for speed; as it was, with a warning, where that goes wrong."""
        try:
            made = optimize_graph(model)
            parity(part, _runner(part, made))
            return made
        except Exception as error:  # a network that no pass was tried on
            warnings.warn(
                f"The ONNX graph of {part.network.name} stays as tf2onnx made it: "
                f"{first_line(error)}",
                stacklevel=2,
            )
            self.facts["optimized"] = False
            return model

    def _compare(self, form, part, run_float, run_uint8, tolerant=False):
        name = form if self.parts == [part] else f"{form} {part.signature}"
        run_uint8 = run_uint8 if part.output == "images" else None
        self.parity[name] = parity(part, run_float, run_uint8, tolerant)


def _with_levels(part, model):
    """(the model with float output, the one that applications get unless they ask for floats)."""
    if part.output != "images":
        return model, model
    return model, onnx_export.with_uint8_output(model, part.value_range)


def _runner(part, model):
    session = precisions.session(model)
    return lambda arrays: session.run([part.output], arrays)[0]
