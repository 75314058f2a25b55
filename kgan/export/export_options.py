"""The options of an export, each with its default: `export` and `kgan export` take these."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, cast, get_args

from kgan.images import check_range
from kgan.manifest import FLOAT32, PRECISIONS
from kgan.option_fields import (
    PATH,
    SIZE,
    SWITCH,
    TEXT,
    WHOLE,
    Kind,
    check_options,
    one_of,
    option,
)

FormName = Literal["onnx", "saved_model", "tflite"]
Precision = Literal["float32", "float16", "int8"]
# One or several of them, also in one text with commas between them.
Precisions: TypeAlias = str | Sequence[str]
FORMS: tuple[FormName, ...] = get_args(FormName)
# What is written where no form is named.
DEFAULT_FORMS: tuple[FormName, ...] = ("onnx", "saved_model")
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


def _range(value: Any) -> tuple[float, float]:
    low, high = check_range("value_range", value)
    if not math.isfinite(high - low):
        raise ValueError
    return low, high


def _precisions(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else list(value)
    if any(name not in PRECISIONS for name in names):
        raise ValueError
    return tuple(name for name in PRECISIONS if name in names or name == FLOAT32)


YOUR_OWN = "a network that is no kgan model"
WEIGHTS = "weights alone"
WEIGHTS_OPTIONS = ("preset", "size", "latent_dim", "filters")
PRESETS_OWN = "the preset's"

OPSET = Kind(
    f"from {OPSETS[0]} to {OPSETS[-1]}", lambda text: _opset(int(text)), _opset, metavar="N"
)
RANGE = Kind(
    "two numbers, the lower first, such as -1,1",
    lambda text: _range(tuple(map(float, text.split(",")))),
    _range,
    "LOW,HIGH",
)
PRECISION = Kind(
    "float16, int8 or float16,int8; float32 is there in any case",
    _precisions,
    _precisions,
    "float16,int8",
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
    value_range: tuple[float, float] | None = option(
        None,
        RANGE,
        "black and white in the network's images, such as =-1,1 or =0,255",
        YOUR_OWN,
        default_words="its last activation's",
    )
    latents: Literal["normal", "uniform"] | None = option(
        None,
        one_of("normal", "uniform"),
        "what it was trained on: N(0, 1) or U(-1, 1)",
        YOUR_OWN,
        default_words="normal, or the preset's",
    )
    num_classes: int | None = option(
        None, WHOLE, "how many labels a network that takes labels knows", YOUR_OWN
    )
    plain: bool = option(
        False, SWITCH, "latents to outputs as they are, for what is no picture", YOUR_OWN
    )

    preset: str | None = option(None, TEXT, "whose generator's weights MODEL holds", WEIGHTS)
    size: tuple[int, ...] | None = option(
        None, SIZE, "height and width, also HxWxC", WEIGHTS, default_words=PRESETS_OWN
    )
    latent_dim: int | None = option(
        None, WHOLE, "length of a latent vector", WEIGHTS, default_words=PRESETS_OWN
    )
    filters: int | None = option(None, WHOLE, "width unit", WEIGHTS, default_words=PRESETS_OWN)

    precision: Precisions = option(
        (FLOAT32,),
        PRECISION,
        "which ONNX files there are: float16 adds model.float16.onnx, half the size; int8 "
        "model.int8.onnx, down to a quarter of it, which computes the layers in int8 and is mostly "
        "faster",
        "ONNX",
        exclusive=True,
    )

    def __post_init__(self) -> None:
        check_options(self)

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """Those of the ONNX files, float32 first."""
        return cast("tuple[Precision, ...]", self.precision)

    def forms(self) -> dict[FormName, bool]:
        """Whether each form is to be written."""
        named = {form: getattr(self, form) for form in FORMS}
        return named if any(named.values()) else {form: form in DEFAULT_FORMS for form in FORMS}
