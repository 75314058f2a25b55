"""onnxruntime on checked models alone."""

import numpy as np
import onnxruntime

from kgan.errors import InputError
from kgan.files import first_line
from kgan.untrusted.model import MOST_BYTES, read_model

SILENT = 4  # onnxruntime's log level: what goes wrong is said once, by an exception


def checked_session(path):
    """The one way to load an .onnx file: checks all of it, then gives it to onnxruntime.

    Args:
        path: an .onnx file of kgan's: a generator, an encoder or a decoder.

    Returns:
        (`Session`, manifest), the manifest checked field by field.

    Raises:
        InputError: the file is not kgan's, breaks its contract, or would need more memory or time
            than any export does.
    """
    model = read_model(path)
    return Session(model), model.manifest


class Session:
    """An onnxruntime session on the CPU that runs a checked `Model`.

    What onnxruntime gets is what was checked, not the file: that may have changed meanwhile.
    """

    def __init__(self, model):
        self.model = model
        options = onnxruntime.SessionOptions()
        options.log_severity_level = SILENT
        try:
            self._session = onnxruntime.InferenceSession(
                model.proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has a class of its own for every kind of damage
            raise self._cannot_run(error) from None

    def run(self, outputs, inputs):
        """Runs the model on a batch, a part at a time where memory asks for it.

        Args:
            outputs: the output's name in a list, as onnxruntime takes it.
            inputs: dict of name -> array (N, ...), as the manifest says.

        Returns:
            List of one array (N, ...).

        Raises:
            InputError: the model does not do what it promises.
        """
        count = len(next(iter(inputs.values())))
        output = self.model.output
        if not count:
            return [np.zeros((0, *output["shape"][1:]), output["dtype"])]
        rows = max(1, MOST_BYTES // self.model.needs(1)[0])
        made = []
        for start in range(0, count, rows):
            part = {name: array[start : start + rows] for name, array in inputs.items()}
            self.model.needs(min(rows, count - start))
            try:
                (images,) = self._session.run(outputs, part)
            except Exception as error:  # as above
                raise self._cannot_run(error) from None
            made.append(images)
        return [np.concatenate(made) if len(made) > 1 else made[0]]

    def _cannot_run(self, error):
        return InputError(
            f"onnxruntime cannot run this model: {self.model.origin} ({first_line(error)})"
        )
