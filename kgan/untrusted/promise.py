"""Checks a manifest field by field, so that its readers can rely on it."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Collection, Sequence
from typing import Any, NoReturn, TypeGuard

from kgan.attribute_values import LONGEST_NAME, MOST_ATTRIBUTES, check_names
from kgan.attributes import MOST_ROWS
from kgan.errors import InputError
from kgan.files import printable
from kgan.latents import DISTRIBUTIONS
from kgan.manifest import Manifest

LARGEST_SIDE = 8192
LARGEST_LATENT_DIM = 1_000_000
MOST_CLASSES = 1_000_000
MOST_VALUES = 2**28  # of one image or one code
MOST_TEXT = LONGEST_NAME  # characters of one text
FLOAT32_END = 3.4028235e38
PROBE_OUTPUTS = ("features", "scores", "classes")
PARITY_FIGURES = ("float_max_abs_difference", "uint8_max_levels")
PRECISION_FIGURES = ("psnr_db", "bytes", "float32_bytes", "speed_batch_1", "speed_batch_64")


def check_promise(manifest: Manifest, origin: object) -> Manifest:
    """Returns `manifest`, a dict from `kgan.manifest.parse`.

    Unknown fields are ignored: a later kgan may add some.

    Raises:
        InputError: a field is missing or has a value that kgan never writes; the message names it.
    """
    fields = _Fields(manifest, f"the manifest of {origin}")
    kind = fields.text("kind", tuple(KINDS)) if "kind" in fields else "generator"
    KINDS[kind](fields)
    for key in ("name", "licence"):
        if key in fields:
            fields.text(key)
    for key in ("version", "opset"):
        if key in fields:
            fields.whole(key, 1)
    for key in ("training", "versions", "parity", "files"):
        if key in fields:
            fields.record(key)
    if "versions" in fields:
        versions = fields.record("versions")
        for package in versions.value:
            versions.text(package)
    if "parity" in fields:
        parity = fields.record("parity")
        for form in parity.value:
            _parity(parity.record(form))
    _precisions(fields)
    return manifest


def _parity(figures: _Fields) -> None:
    for key in PARITY_FIGURES:
        if key in figures:
            figures.number(key)


def _precisions(fields: _Fields) -> None:
    """Checks what is said of ONNX files that are not in float32, now and in older exports."""
    if "file_precision" in fields:
        fields.text("file_precision")
    if "precisions" in fields:
        files = fields.record("precisions")
        for file in files.value:
            files.record(file).text("precision")
            _parity(files.record(file).record("parity"))
        _precision_figures(files)
    if "precision" in fields:
        old = fields.record("precision")
        old.text("form")
        _precision_figures(old.record("files"))


def _precision_figures(files: _Fields) -> None:
    for file in files.value:
        for key in PRECISION_FIGURES:
            files.record(file).number(key)


def sides_of(
    manifest: Manifest, input_names: Collection[str]
) -> tuple[list[Manifest], list[Manifest]]:
    """The part of a manifest that describes the ONNX file with these inputs.

    Args:
        manifest: one that `check_promise` accepted.
        input_names: the names of the file's inputs.

    Returns:
        (list of the descriptions of the inputs, the same of the outputs).
    """
    kind = manifest.get("kind", "generator")
    if kind == "probe":
        return [manifest["input"]], [manifest[name] for name in PROBE_OUTPUTS]
    of_a_gan = kind == "generator" and "encoder" in manifest and "images" in input_names
    if kind == "autoencoder" or of_a_gan:
        half = manifest["encoder" if "images" in input_names else "decoder"]
        return [half["input"]], [half["output"]]
    inputs = [manifest["input"]]
    if "labels" in manifest:
        inputs.append(manifest["labels"])
    return inputs, [manifest["output"]]


def _generator(fields: _Fields) -> None:
    output = _images(fields.record("output"))
    _drawn(fields, 1)
    if "encoder" not in fields:
        return
    encoder, latents = fields.record("encoder"), fields.record("latents")
    encoder.text("file", ("encoder.onnx",))
    if _images(encoder.record("input")) != output:
        encoder.record("input").refuse("shape", "the output's")
    codes = encoder.record("output")
    if _described(codes, "codes", ("float32",), 1, LARGEST_LATENT_DIM) != [latents.get("dim")]:
        codes.refuse("shape", "that of the latents")


def _network(fields: _Fields) -> None:
    _described(fields.record("output"), "outputs", ("float32",), None, MOST_VALUES)
    _drawn(fields, None)


def _drawn(fields: _Fields, rank: int | None) -> None:
    """Checks what comes from seeds: latents of a rank, None for any, and labels."""
    shape = _described(fields.record("input"), "latents", ("float32",), rank, LARGEST_LATENT_DIM)
    latents, dim = fields.record("latents"), math.prod(shape)
    if latents.whole("dim", 1) != dim:
        latents.refuse("dim", f"the input's {dim}")
    latents.text("distribution", DISTRIBUTIONS)
    latents.text("law")
    if "labels" not in fields:
        return
    labels = fields.record("labels")
    if "attributes" in labels:
        _attributes(labels)
        return
    _described(labels, "labels", ("int64",), 0, 0)
    _classes(labels)


def _classes(labels: _Fields) -> int:
    """Checks how many classes there are and, where they have any, their names; the number."""
    count = labels.whole("num_classes", 1, MOST_CLASSES)
    names = labels.get("class_names")
    if names is None:
        return count
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        labels.refuse("class_names", "a list of texts, or null")
    if len(names) != count or len(set(names)) != count:
        labels.refuse("class_names", f"{count} different names, one per class")
    return count


def _attributes(labels: _Fields) -> None:
    """Checks attributes: their names, kinds and ranges, and the rows that seeds choose from."""
    (k,) = _described(labels, "labels", ("float32",), 1, MOST_ATTRIBUTES)
    found = labels.records("attributes", k)
    names = [each.text("name") for each in found]
    try:
        check_names(names)
    except InputError:
        labels.refuse("attributes", "of different names, none with a comma or an equals sign")
    for each in found:
        each.text("kind", ("switch", "number"))
        each.ends("range")
        if not all(map(_is_float32, each.get("range"))):
            each.refuse("range", "two float32 numbers")
    rows = labels.get("rows")
    if (
        not isinstance(rows, list)
        or not 1 <= len(rows) <= MOST_ROWS
        or not all(isinstance(row, list) and len(row) == k for row in rows)
        or not all(_is_float32(value) for row in rows for value in row)
    ):
        labels.refuse("rows", f"1 to {MOST_ROWS} lists of {k} numbers")


def _autoencoder(fields: _Fields) -> None:
    encoder, decoder = fields.record("encoder"), fields.record("decoder")
    for half, file in ((encoder, "encoder.onnx"), (decoder, "decoder.onnx")):
        half.text("file", (file,))
    _images(encoder.record("input"))
    _images(decoder.record("output"))
    codes = [
        _described(side, "codes", ("float32",), None, LARGEST_LATENT_DIM)
        for side in (encoder.record("output"), decoder.record("input"))
    ]
    if codes[0] != codes[1]:
        decoder.record("input").refuse("shape", "the encoder's output's")


def _probe(fields: _Fields) -> None:
    _images(fields.record("input"))
    features = fields.record("features")
    _described(features, "features", ("float32",), 1, MOST_VALUES)
    scores = _described(fields.record("scores"), "scores", ("float32",), 1, MOST_CLASSES)
    classes = fields.record("classes")
    _described(classes, "classes", ("int64",), 0, 0)
    if [_classes(classes)] != scores:
        classes.refuse("num_classes", f"the {scores[0]} of the scores")


# Kind of an export -> what checks its promise.
KINDS: dict[str, Callable[[_Fields], None]] = {
    "generator": _generator,
    "autoencoder": _autoencoder,
    "network": _network,
    "probe": _probe,
}


def _images(fields: _Fields) -> list[int]:
    """Checks a batch of images; returns the shape of one."""
    shape = _described(fields, "images", ("uint8", "float32"), 3, LARGEST_SIDE)
    if "layout" in fields:
        fields.text("layout", ("NHWC",))
    if "channels" in fields:
        fields.text("channels")
    fields.ends("value_range")
    return shape


def _described(
    fields: _Fields, name: str, dtypes: Sequence[str], rank: int | None, largest: int
) -> list[int]:
    """Checks name, dtype and shape of an input or output; returns the shape without the batch."""
    fields.text("name", (name,))
    fields.text("dtype", dtypes)
    shape = fields.get("shape")
    ranks: Collection[int] = range(1, 7) if rank is None else (rank,)
    if not isinstance(shape, list) or shape[:1] != ["batch"] or len(shape) - 1 not in ranks:
        fields.refuse("shape", '["batch", ...] followed by its sizes')
    if not all(_is_whole(side) and 1 <= side <= largest for side in shape[1:]):
        fields.refuse("shape", f'["batch", ...], each size from 1 to {largest}')
    if math.prod(shape[1:]) > MOST_VALUES:
        fields.refuse("shape", f"of at most {MOST_VALUES} values in total")
    return shape[1:]


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    # A float is at most 1e308; an int in JSON can have any number of digits.
    return (_is_whole(value) and abs(value) < 2**64) or (
        isinstance(value, float) and math.isfinite(value)
    )


def _is_float32(value: object) -> bool:
    return _is_number(value) and -FLOAT32_END <= value <= FLOAT32_END  # type: ignore[operator]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MOST_TEXT


class _Fields:
    """A JSON object whose fields are checked when they are read; `where` names it in messages."""

    def __init__(self, value: Manifest, where: str) -> None:
        self.value = value
        self.where = where

    def __contains__(self, key: str) -> bool:
        return key in self.value

    def get(self, key: str) -> Any:
        return self.value.get(key)

    def refuse(self, key: str, right: str) -> NoReturn:
        received = reprlib.repr(self.value[key]) if key in self.value else "nothing"
        raise InputError(f"{printable(key)} in {self.where} must be {right}. Received: {received}")

    def record(self, key: str) -> _Fields:
        if not isinstance(self.get(key), dict):
            self.refuse(key, "an object with fields of its own")
        return _Fields(self.value[key], f"{printable(key)} in {self.where}")

    def text(self, key: str, allowed: Sequence[str] | None = None) -> str:
        value = self.get(key)
        if not _is_text(value) or (allowed is not None and value not in allowed):
            choices = " or ".join(map(repr, allowed or ()))
            self.refuse(key, choices or f"a text of 1 to {MOST_TEXT} characters")
        return value

    def whole(self, key: str, least: int, most: int = 2**63 - 1) -> int:
        value = self.get(key)
        if not _is_whole(value) or not least <= value <= most:
            self.refuse(key, f"a whole number from {least} to {most}")
        return value

    def records(self, key: str, count: int) -> list[_Fields]:
        values = self.get(key)
        if (
            not isinstance(values, list)
            or len(values) != count
            or not all(isinstance(value, dict) for value in values)
        ):
            self.refuse(key, f"a list of {count} objects")
        return [_Fields(value, f"{printable(key)} in {self.where}") for value in values]

    def ends(self, key: str) -> None:
        ends = self.get(key)
        if (
            not isinstance(ends, list)
            or len(ends) != 2
            or not all(_is_number(end) for end in ends)
            or not ends[0] < ends[1]
        ):
            self.refuse(key, "[low, high] with low below high")

    def number(self, key: str) -> None:
        if not _is_number(self.get(key)):
            self.refuse(key, "a finite number")
