"""The options of an export, each with its default: `export` and `kgan export` take these."""

from __future__ import annotations

import dataclasses
import numbers
from typing import Any, Literal, get_args

from kgan.option_fields import PATH, SWITCH, TEXT, Kind, check_options, one_of, option

FormName = Literal["onnx", "saved_model", "tflite"]
Precision = Literal["float32", "float16", "int8"]
FORMS: tuple[FormName, ...] = get_args(FormName)
# What is written where no form is named.
DEFAULT_FORMS: tuple[FormName, ...] = ("onnx", "saved_model")
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
# What tf2onnx converts (to 18) and onnx's version converter brings on; onnxruntime runs them all.
OPSETS = range(13, 22)


def _opset(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError
    if value not in OPSETS:
        raise ValueError
    return int(value)


def _licence(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    if not value.strip() or not value.isprintable():
        raise ValueError
    return value.strip()


OPSET = Kind(
    f"from {OPSETS[0]} to {OPSETS[-1]}", lambda text: _opset(int(text)), _opset, metavar="N"
)
LICENCE = Kind("one line of text, such as CC-BY-4.0", _licence, _licence, metavar="TEXT")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What an export is made with.

    `onnx`, `saved_model` and `tflite` name the forms to write; where none is named, it is ONNX
    and a SavedModel. `name` and `out` say where the export goes: `OUT/NAME/VERSION`.

    Raises:
        InputError: a value that its option cannot have.
    """

    onnx: bool = option(False, SWITCH, "write model.onnx", "forms")
    saved_model: bool = option(False, SWITCH, "write a TensorFlow SavedModel", "forms")
    tflite: bool = option(False, SWITCH, "write model.tflite", "forms")
    float_output: bool = option(
        False, SWITCH, "give float32 images in the model's range instead of uint8", "forms"
    )

    name: str | None = option(
        None, TEXT, "the export's name", "place and words", default_words="the run's"
    )
    out: str = option("saved_models", PATH, "directory that holds the exports", "place and words")
    licence: str | None = option(
        None, LICENCE, "an SPDX name or a sentence, for manifest and card", "place and words"
    )

    opset: int = option(17, OPSET, "operator set", "ONNX")
    optimize: bool = option(
        True, SWITCH, "rewrite the graph for speed, with the same numbers", "ONNX"
    )
    precision: Precision = option(
        "float32",
        one_of(*PRECISIONS),
        "of the weights: float16 halves the file; int8 makes it down to a quarter of the size, "
        "computes the layers in int8 and is mostly faster",
        "ONNX",
        exclusive=True,
    )

    def __post_init__(self) -> None:
        check_options(self)

    def forms(self) -> dict[FormName, bool]:
        """Whether each form is to be written."""
        named = {form: getattr(self, form) for form in FORMS}
        return named if any(named.values()) else {form: form in DEFAULT_FORMS for form in FORMS}
