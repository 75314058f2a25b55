"""Runs exported generators and autoencoders with onnxruntime, without importing tensorflow.

An export's directory is all that it takes:

    generator = kgan.runtime.Generator("saved_models/photos")
    generator.generate(16, seed=0)
    autoencoder = kgan.runtime.Autoencoder("saved_models/codes")
    autoencoder.reconstruct(images)
"""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kgan import export_places, manifest, memory
from kgan import images as image_tools
from kgan import labels as label_tools
from kgan import latents as latent_tools
from kgan.attributes import Attributes
from kgan.errors import InputError
from kgan.files import printable
from kgan.untrusted import Session, checked_session

__all__ = ["Autoencoder", "Generator"]


class Generator:
    """An exported generator, run by onnxruntime on the CPU.

    Args:
        path: an .onnx file written by kgan, an export's VERSION directory, or its
            NAME directory or NAME/latest, which stand for the highest version.
        precision: which file of an export, "float32", "float16" or "int8"; None for model.onnx,
            which is in float32 (in exports of before, in the one precision that was asked for).

    Attributes:
        info: the export's manifest, a dict.
        precision: that of the file in use.
        image_shape: (H, W, C); of a C of 4 the last channel is alpha, not premultiplied.
        num_classes, class_names: those of a generator of classes; None for any other.
        attributes: the `kgan.Attributes` of a generator of attributes; None for any other.
        condition: `num_classes` or `attributes`; None for a generator without labels.
        path: the .onnx file in use.

    Raises:
        InputError: there is nothing at `path`, it is not an ONNX model, it has no manifest of
            kgan, or it breaks its contract or needs more than any export (`kgan.untrusted`); or
            there is no such precision.
    """

    def __init__(self, path: str | os.PathLike[str], precision: str | None = None) -> None:
        file = export_places.find_onnx(_checked(path), _known(precision))
        if file is None:
            raise InputError(
                "Not an export: expected an .onnx file, or a directory with manifest.json and "
                f"model.onnx. Received: {path}"
            )
        self.path: Path = file
        self.session, self.info = checked_session(file)
        kind = self.info.get("kind", "generator")
        if kind == "network":
            raise InputError(
                "This export gives no images (--plain): onnxruntime itself runs it, latents to "
                f"outputs. Received: {path}"
            )
        if kind == "probe":
            raise InputError(
                "This export is a probe and generates nothing: onnxruntime itself runs it, images "
                f"to features, scores and classes. Received: {path}"
            )
        if kind != "generator" or "half" in self.info:
            raise InputError(
                "This file is an encoder or a decoder and cannot generate from seeds. "
                f"Received: {path}"
            )
        self.precision = _precision_asked(self.info, precision, file)
        self.image_shape = tuple(self.info["output"]["shape"][1:])
        classes = self.info.get("labels", {})
        self.num_classes: int | None = classes.get("num_classes")
        self.class_names: list[str] | None = classes.get("class_names")
        self.attributes: Attributes | None = None
        if "attributes" in classes:
            self.attributes = Attributes.from_config(classes)
        self.condition: label_tools.Condition | None = self.attributes or self.num_classes

    def generate(
        self,
        n: int,
        seed: int = 0,
        labels: npt.ArrayLike | Mapping[str, Any] | None = None,
        batch_size: int = 64,
        truncation: float = 1.0,
    ) -> np.ndarray:
        """Generates images; image i has the seed `seed + i`.

        Args:
            n: number of images, at least 1.
            seed: int >= 0, the first image's seed.
            labels, batch_size, truncation: as for `from_seeds`.

        Returns:
            uint8 array (n, H, W, C).

        Raises:
            InputError: as for `from_seeds`.
        """
        _check_counts(n=n)
        seed = latent_tools.check_seed(seed)
        memory.check_array(n, math.prod(self.image_shape), "n")
        return self.from_seeds(range(seed, seed + n), labels, batch_size, truncation)

    def from_seeds(
        self,
        seeds: Sequence[int],
        labels: npt.ArrayLike | Mapping[str, Any] | None = None,
        batch_size: int = 64,
        truncation: float = 1.0,
    ) -> np.ndarray:
        """Generates the images of any seeds, in their order.

        Args:
            seeds: n ints >= 0, at least one.
            labels: for a conditional generator, one class for all images or n of them; of
                attributes a row of numbers for all or n, or a dict such as {"smile": 1}. None, and
                what a dict leaves out, as each image's seed has it: the seed modulo the number of
                classes, or a row of the manifest's by that law.
            batch_size: images generated at a time; it does not change them.
            truncation: as for `kgan.latents.from_seeds`.

        Returns:
            uint8 array (n, H, W, C).

        Raises:
            InputError: a number of images or `batch_size` that is no whole number of at least 1,
                a seed that is none of at least 0, a truncation or labels that do not fit, or more
                images than fit into memory.
        """
        n = len(seeds)
        _check_counts(n=n, batch_size=batch_size)
        drawn = self.info["latents"]
        memory.check_array(n, math.prod(self.image_shape), "n")
        if labels is None and self.condition is not None:
            labels = label_tools.from_seeds(seeds, self.condition)
        all_labels = (
            None if labels is None else label_tools.check_labels(labels, n, self.condition, seeds)
        )
        images = np.empty((n, *self.image_shape), np.uint8)
        for start in range(0, n, batch_size):
            rows = slice(start, start + batch_size)
            law = (drawn["dim"], drawn["distribution"], truncation)
            latents = latent_tools.from_seeds(seeds[rows], *law)
            images[rows] = self.from_latents(
                latents, None if all_labels is None else all_labels[rows]
            )
        return images

    def from_latents(
        self,
        latents: npt.ArrayLike,
        labels: npt.ArrayLike | Mapping[str, Any] | None = None,
    ) -> np.ndarray:
        """Generates one image from each latent.

        Args:
            latents: float array (N, latent_dim).
            labels: for a conditional generator, one class for all images or N of them; of
                attributes a row of numbers for all or N, or a dict of every attribute.

        Returns:
            uint8 array (N, H, W, C).

        Raises:
            InputError: the latents have another shape or are no finite numbers, or the labels
                do not fit.
        """
        latents = _finite("latents", latents)
        dim = self.info["latents"]["dim"]
        if latents.ndim != 2 or latents.shape[1] != dim:
            raise InputError(f"latents must have the shape (N, {dim}). Received: {latents.shape}")
        inputs = {"latents": latents}
        if labels is not None:
            inputs["labels"] = label_tools.check_labels(labels, len(latents), self.condition)
        elif self.num_classes is not None:
            raise InputError(
                f"This generator has {self.num_classes} classes: give labels. Received: labels=None"
            )
        elif self.attributes is not None:
            raise InputError(
                f"This generator has attributes, {', '.join(map(printable, self.attributes.names))}"
                ": give labels. Received: labels=None"
            )
        return _levels(self.session.run(["images"], inputs)[0], self.info["output"])

    def grid(self, n: int = 64, seed: int = 0) -> np.ndarray:
        """One sheet of `n` images as `kgan.images.grid` lays them out, uint8 (H, W, C)."""
        return image_tools.grid(self.generate(n, seed))


class Autoencoder:
    """An exported autoencoder, its two halves run by onnxruntime on the CPU.

    Args:
        path: an export's VERSION directory with encoder.onnx and decoder.onnx,
            or its NAME directory or NAME/latest, which stand for the highest version.
        precision: as for `Generator`, of both halves.

    Attributes:
        info: the export's manifest, a dict.
        precision: that of the files in use.
        image_shape: (H, W, C).
        code_shape: shape of one code.
        path: the VERSION directory in use.

    Raises:
        InputError: there is nothing at `path`, the files are not the two halves of an
            autoencoder of kgan, or they break their contract (`kgan.untrusted`); or there is no
            such precision.
    """

    def __init__(self, path: str | os.PathLike[str], precision: str | None = None) -> None:
        directory = export_places.find_autoencoder(_checked(path))
        if directory is None:
            raise InputError(
                "Not an autoencoder's export: expected a directory with manifest.json, "
                f"encoder.onnx and decoder.onnx. Received: {path}"
            )
        self.path: Path = directory
        files = export_places.halves_of(directory, _known(precision))
        opened = {half: checked_session(file) for half, file in files.items()}
        for half, (_, info) in opened.items():
            if info.get("half") != half:
                raise InputError(
                    f"Not the {half} of an autoencoder: {files[half]}. "
                    f"Received: {info.get('half', info.get('kind'))}"
                )
            self.precision = _precision_asked(info, precision, files[half])
        (self.encoder, _), (self.decoder, self.info) = opened.values()
        self.image_shape = tuple(self.info["encoder"]["input"]["shape"][1:])
        self.code_shape = tuple(self.info["encoder"]["output"]["shape"][1:])

    def encode(self, images: npt.ArrayLike, batch_size: int = 64) -> np.ndarray:
        """Encodes images.

        Args:
            images: uint8 array (N, H, W, C).
            batch_size: images encoded at a time; it does not change the codes.

        Returns:
            float32 array (N, ...).

        Raises:
            InputError: the images have another dtype or shape, there are none, or
                `batch_size` is below 1.
        """
        images = image_tools.check_levels(images, self.image_shape)
        return _run(self.encoder, "images", images, "codes", batch_size)

    def decode(self, codes: npt.ArrayLike, batch_size: int = 64) -> np.ndarray:
        """Decodes codes to images.

        Args:
            codes: float array (N, ...), as `encode` returns them.
            batch_size: codes decoded at a time; it does not change the images.

        Returns:
            uint8 array (N, H, W, C).

        Raises:
            InputError: the codes have another dtype or shape, there are none, or
                `batch_size` is below 1.
        """
        codes = _finite("codes", codes)
        if codes.shape[1:] != self.code_shape:
            raise InputError(
                f"Codes must be numbers (N, {', '.join(map(str, self.code_shape))}). "
                f"Received: {codes.dtype} {codes.shape}"
            )
        images = _run(self.decoder, "codes", codes, "images", batch_size)
        return _levels(images, self.info["decoder"]["output"])

    def reconstruct(self, images: npt.ArrayLike, batch_size: int = 64) -> np.ndarray:
        """Encodes images and decodes the codes: `decode(encode(images))`, uint8 (N, H, W, C)."""
        return self.decode(self.encode(images, batch_size), batch_size)


def _checked(path: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """Returns `path`; an InputError where it is no path."""
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(f"An export is a path. Received: {path!r}")
    return path


def _known(precision: str | None) -> str | None:
    """Returns `precision`; an InputError where it is none that an export can have."""
    if precision is not None and precision not in manifest.PRECISIONS:
        raise InputError(
            f"precision must be one of {', '.join(manifest.PRECISIONS)}. Received: {precision!r}"
        )
    return precision


def _precision_asked(info: manifest.Manifest, precision: str | None, file: Path) -> str:
    """The precision of a file; an InputError where another one was asked for."""
    found = manifest.precision_of(info)
    if precision not in (None, found):
        more = f"; kgan export --precision {precision} makes a version with it"
        raise InputError(
            f"This file is in {found}, not in {precision}"
            f"{'' if precision == manifest.FLOAT32 else more}. Received: {file}"
        )
    return found


def _check_counts(**counts: int) -> None:
    """Raises an InputError where one is no whole number of at least 1."""
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, numbers.Integral) or count < 1:
            raise InputError(
                f"{name} must be a whole number of at least 1. Received: {name}={count!r}"
            )


def _finite(name: str, values: npt.ArrayLike) -> np.ndarray:
    """The values as a float32 array; an InputError where they are no finite numbers."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "iuf":
            raise TypeError
        with np.errstate(over="ignore"):
            array = array.astype(np.float32)
    except (TypeError, ValueError):  # of several lengths, too
        raise InputError(
            f"{name} must be an array of numbers. Received: {printable(repr(values), 60)}"
        ) from None
    if not np.isfinite(array).all():
        wrong = array[~np.isfinite(array)][0]
        raise InputError(f"{name} must be finite float32 numbers. Received: {wrong}")
    return array


def _run(
    session: Session, input_name: str, array: np.ndarray, output_name: str, batch_size: int
) -> np.ndarray:
    """Runs a session of one input and one output on an array, a batch at a time."""
    if not len(array):
        raise InputError(f"There must be {input_name}. Received: 0 {input_name}")
    _check_counts(batch_size=batch_size)
    return np.concatenate(
        [
            session.run([output_name], {input_name: array[start : start + batch_size]})[0]
            for start in range(0, len(array), batch_size)
        ]
    )


def _levels(images: np.ndarray, output: Mapping[str, Any]) -> np.ndarray:
    """A model's images as uint8, whether its output is uint8 or float32."""
    if images.dtype == np.uint8:
        return images
    return image_tools.to_uint8(images, output["value_range"])
