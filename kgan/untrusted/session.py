"""Runs onnxruntime on checked models only."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime

from kgan import memory
from kgan.errors import InputError
from kgan.files import first_line
from kgan.manifest import Manifest
from kgan.untrusted.model import MOST_BYTES, Model, read_model

SILENT = 4  # onnxruntime's log level: errors are reported once, by an exception


def checked_session(path: str | os.PathLike[str]) -> tuple[Session, Manifest]:
    """The only way to load an .onnx file: checks all of it, then passes it to onnxruntime.

    Args:
        path: an .onnx file written by kgan: a generator, an encoder or a decoder.

    Returns:
        (`Session`, manifest), the manifest checked field by field.

    Raises:
        InputError: kgan did not write the file, or it breaks its contract, or would need more
            memory or time than any export does.
    """
    model = read_model(path)
    return Session(model), model.manifest


class Session:
    """An onnxruntime session on the CPU that runs a checked `Model`.

    onnxruntime receives the checked bytes, not the file, which may have changed meanwhile.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        options = onnxruntime.SessionOptions()
        options.log_severity_level = SILENT
        try:
            self._session = onnxruntime.InferenceSession(
                model.proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has a class of its own for every kind of damage
            raise memory.out_of_memory(error) or self._cannot_run(error) from None

    def run(self, outputs: Sequence[str], inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Runs the model on a batch, in parts if the whole would need too much memory.

        Args:
            outputs: the name of its one output in a list, as in onnxruntime.
            inputs: dict of name -> array (N, ...), as in the manifest.

        Returns:
            List of one array (N, ...).

        Raises:
            InputError: the model does not keep its contract, or what it gives does not fit into
                memory.
            OutOfMemory: it needs more to run than is free.
        """
        count = len(next(iter(inputs.values())))
        (output,) = self.model.outputs
        if not count:
            return [np.zeros((0, *output["shape"][1:]), output["dtype"])]
        most, needed = MOST_BYTES, self.model.needs(1)[0]
        if count * needed > memory.ALWAYS_TAKEN:
            left = memory.free()
            each = math.prod(output["shape"][1:]) * np.dtype(output["dtype"]).itemsize
            if count * each > max(left, memory.ALWAYS_TAKEN):
                what = f"What this model gives for {count} inputs"
                fits = f"{left // each} at a time"
                raise memory.refusal(what, count * each, left, fits, self.model.origin)
            most = min(most, left)
        rows = max(1, most // needed)
        parts = []
        for start in range(0, count, rows):
            part = {name: array[start : start + rows] for name, array in inputs.items()}
            self.model.needs(min(rows, count - start))
            try:
                (images,) = self._session.run(outputs, part)
            except Exception as error:  # as above
                raise memory.out_of_memory(error) or self._cannot_run(error) from None
            parts.append(images)
        return [np.concatenate(parts) if len(parts) > 1 else parts[0]]

    def _cannot_run(self, error: Exception) -> InputError:
        return InputError(
            f"onnxruntime cannot run this model: {self.model.origin} ({first_line(error)})"
        )
