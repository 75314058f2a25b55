"""The forms of an export, each made from the same parts and compared with Keras."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from kgan import images
from kgan import manifest as manifests
from kgan.errors import InputError
from kgan.export import onnx as onnx_export
from kgan.export import precision as precisions
from kgan.export import reference, saved_model
from kgan.export import tflite as tflite_export
from kgan.export.export_options import Precision
from kgan.export.graph import optimize as optimize_graph
from kgan.export.probes import Probe
from kgan.export.serving import float_function, with_levels
from kgan.export.signatures import Part, Runner, seeded
from kgan.export.verify import classifier_parity, parity
from kgan.files import first_line

SAMPLES = 64


class Forms:
    """The forms of one model, made in a staging directory.

    Args:
        parts: the model's `Part`s.
        staging: directory for the files.
        float_output: give float32 images in the model's range instead of uint8.

    Attributes:
        parity: largest differences from Keras, by form.
        smaller: of each ONNX file in float16 or int8, by name, which and how near it is.
        facts: what else the manifest says about the forms.
        onnx_models: ModelProto by file name, yet to be written with their manifest.
        runners: function that runs a delivered form, by signature.
    """

    def __init__(self, parts: list[Part], staging: Path, float_output: bool) -> None:
        self.parts = parts
        self.staging = staging
        self.float_output = float_output
        self.parity: dict[str, dict[str, Any]] = {}
        self.smaller: dict[str, dict[str, Any]] = {}
        self.facts: dict[str, Any] = {}
        self.onnx_models: dict[str, onnx.ModelProto] = {}
        self.runners: dict[str, Runner] = {}

    def make_saved_model(self) -> None:
        """Writes the SavedModel, with `sample` where inputs can be drawn from seeds."""
        # Both outputs are written and compared; the one not asked for is deleted. They share
        # what was traced.
        served = [*self.parts, *(seeded(part) for part in self.parts if part.draw_tensors)]
        floats = {part.signature: float_function(part) for part in served}
        levels = {part.signature: with_levels(part, floats[part.signature]) for part in served}
        places = [self.staging, self.staging / "other"]
        if not self.float_output:
            places.reverse()
        runners = []
        for functions, place in zip((floats, levels), places, strict=True):
            saved_model.write(functions, place)
            runners.append(saved_model.load_runners(served, place))
        run_floats, run_levels = runners
        for part in served:
            self._compare(
                "saved_model", part, run_floats[part.signature], run_levels[part.signature]
            )
        self.facts["signatures"] = saved_model.describe(served)
        self.runners |= run_floats if self.float_output else run_levels
        shutil.rmtree(self.staging / "other")

    def make_onnx(self, opset: int, optimize: bool, smaller: Sequence[Precision]) -> None:
        """Makes the ONNX models.

        Args:
            opset, optimize: as for `export`.
            smaller: the precisions to make them in beside float32.
        """
        self.facts |= {"opset": opset, "optimized": optimize, "reference": {}}
        for part, file in self._with_own_file():
            plain = onnx_export.convert(part, opset)
            model = self._optimized(part, plain) if optimize else plain
            floats, levels = _outputs(part, model)
            self._compare("onnx", part, _runner(part, floats), _runner(part, levels))
            delivered = floats if self.float_output else levels
            if part.probe is not None:
                delivered = self._with_classes(part, part.probe, delivered)
            self.runners[part.signature] = self._deliver(part, file, delivered, "float32")
            for precision in smaller:
                self._make_smaller(part, file, plain, model, precision)
        if self.smaller:
            self.facts["precisions"] = self.smaller

    def own_facts(self, file: str) -> manifests.Manifest:
        """What the manifest in an ONNX file says of that file alone."""
        facts: manifests.Manifest = {}
        if file in self.smaller:
            facts["file_precision"] = self.smaller[file]["precision"]
        first = file.split(".")[0]
        return facts if first == Path(manifests.ONNX_FILE).stem else facts | {"half": first}

    def make_tflite(self) -> None:
        """Writes the TFLite models."""
        for part, file in self._with_own_file():
            floats, levels = (tflite_export.convert(part, levels) for levels in (False, True))
            run_floats, run_levels = (tflite_export.runner(part, m) for m in (floats, levels))
            self._compare("tflite", part, run_floats, run_levels)
            path = (self.staging / file).with_suffix(".tflite")
            path.write_bytes(floats if self.float_output else levels)
            self.runners[part.signature] = run_floats if self.float_output else run_levels

    def samples(self) -> np.ndarray | None:
        """uint8 images that a form itself made from seeds; None where there are none to make."""
        part = self.parts[0]
        if part.onnx_file != manifests.ONNX_FILE or part.output != "images":
            return None
        samples = self.runners[part.signature](part.draw(range(SAMPLES)))
        if samples.dtype == np.uint8:
            return samples
        return images.to_uint8(samples, part.value_range)

    def _make_smaller(
        self,
        part: Part,
        file: str,
        plain: onnx.ModelProto,
        model: onnx.ModelProto,
        precision: Precision,
    ) -> None:
        """Makes a part's file in another precision.

        Args:
            part, file: the part, and the name of its file in float32.
            plain, model: ModelProto as tf2onnx made it, and as it is delivered in float32.
            precision: "float16" or "int8".
        """
        if precision == "int8" and not self.facts["optimized"]:
            raise InputError(
                "int8 needs a graph that could be rewritten for speed; this one could not. "
                f"Received: {part.network.name}"
            )
        made, figures = precisions.reduced(plain, model, part, precision)
        floats, levels = _outputs(part, made)
        # How far it is from Keras is only reported; the PSNR floor sets the limit.
        report = _parity(part, _runner(part, floats), _runner(part, levels), tolerant=True)
        name = manifests.in_precision(file, precision)
        self.smaller[name] = {"precision": precision, "parity": report} | figures
        self._deliver(part, name, floats if self.float_output else levels, precision)

    def _deliver(
        self, part: Part, file: str, model: onnx.ModelProto, precision: Precision
    ) -> Runner:
        """Keeps a file's model, run once as ONNX defines its operators; returns what runs it."""
        self.onnx_models[file] = model
        run = _runner(part, model)
        self.facts["reference"][file] = reference.check(part, model, run, precision)
        return run

    def _with_own_file(self) -> list[tuple[Part, str]]:
        """The parts that are a file of their own, with the ONNX file's name."""
        return [(part, part.onnx_file) for part in self.parts if part.onnx_file is not None]

    def _optimized(self, part: Part, model: onnx.ModelProto) -> onnx.ModelProto:
        """The model rewritten for speed; unchanged, with a warning, where that fails."""
        try:
            optimized = optimize_graph(model)
            parity(part, _runner(part, optimized))
            return optimized
        except Exception as error:  # a network that no pass was tried on
            warnings.warn(
                f"The ONNX graph of {part.network.name} stays as tf2onnx made it: "
                f"{first_line(error)}",
                stacklevel=2,
            )
            self.facts["optimized"] = False
            return model

    def _with_classes(self, part: Part, probe: Probe, model: onnx.ModelProto) -> onnx.ModelProto:
        """The model that gives scores and classes too, compared with the classifier itself."""
        whole = onnx_export.with_classifier(model, probe.weights, probe.biases)
        session = precisions.session(whole)
        outputs = ["scores", "classes"]
        self.parity["onnx"] |= classifier_parity(
            part, probe, lambda arrays: session.run(outputs, dict(arrays))
        )
        return whole

    def _compare(self, form: str, part: Part, run_floats: Runner, run_levels: Runner) -> None:
        alone = part is self.parts[0] and part.onnx_file == manifests.ONNX_FILE
        name = form if alone else f"{form} {part.signature}"
        self.parity[name] = _parity(part, run_floats, run_levels)


def _parity(
    part: Part, run_floats: Runner, run_levels: Runner, tolerant: bool = False
) -> dict[str, Any]:
    """As `parity`, of levels only where the output is images."""
    return parity(part, run_floats, run_levels if part.output == "images" else None, tolerant)


def _outputs(part: Part, model: onnx.ModelProto) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """(the model with float output, the one that applications get unless they ask for floats)."""
    if part.output != "images":
        return model, model
    return model, onnx_export.with_uint8_output(model, part.value_range)


def _runner(part: Part, model: onnx.ModelProto) -> Runner:
    try:
        session = precisions.session(model)
    except Exception as error:  # onnxruntime has classes of its own
        raise InputError(
            "onnxruntime cannot run this network as ONNX; a SavedModel can hold it "
            f"(--saved-model). Received: {part.network.name}, {first_line(error)}"
        ) from error
    return lambda arrays: session.run([part.output], dict(arrays))[0]
