"""An export on disk: `NAME/VERSION/` with all its files, whole or not at all."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from kgan import directions as named_directions
from kgan import export_places, images, shelf
from kgan import manifest as manifests
from kgan.errors import InputError
from kgan.export import onnx as onnx_export
from kgan.export.card import card
from kgan.export.descriptions import whole_description
from kgan.export.export_options import DEFAULT_FORMS, ExportOptions, Precisions
from kgan.export.formats import Forms
from kgan.export.front_matter import front_matter
from kgan.export.own_generators import OwnGenerator
from kgan.export.probes import Probe
from kgan.export.signatures import Exported, check_model, parts_of
from kgan.files import staging_directory, writing
from kgan.latents import Distribution
from kgan.models.stored_networks import read_network
from kgan.names import name_of, readable


@dataclasses.dataclass(frozen=True)
class Export:
    """What an export wrote.

    Attributes:
        path: its `NAME/VERSION` directory.
        parity: largest differences from Keras, by form: "onnx", "saved_model",
            "saved_model sample" and "tflite", for an autoencoder "onnx encode" and so on.
        precision: of each float16 or int8 ONNX file, by name, its "precision", its "parity" and
            how it compares with float32; see `precision.reduced`.
        assumed: what nobody said of a network and was taken for granted, a line each.
    """

    path: Path
    parity: dict[str, dict[str, Any]]
    precision: dict[str, dict[str, Any]]
    assumed: tuple[str, ...] = ()


def export(
    model: Exported | str | os.PathLike[str],
    directory: str | os.PathLike[str],
    *,
    onnx: bool = "onnx" in DEFAULT_FORMS,
    saved_model: bool = "saved_model" in DEFAULT_FORMS,
    tflite: bool = "tflite" in DEFAULT_FORMS,
    opset: int = ExportOptions.opset,
    float_output: bool = ExportOptions.float_output,
    optimize: bool = ExportOptions.optimize,
    precision: Precisions = ExportOptions.precision,
    value_range: tuple[float, float] | None = ExportOptions.value_range,
    latents: Distribution | None = ExportOptions.latents,
    num_classes: int | None = ExportOptions.num_classes,
    plain: bool = ExportOptions.plain,
    training: Mapping[str, Any] | None = None,
    evaluation: Mapping[str, Any] | None = None,
    licence: str | None = ExportOptions.licence,
    directions: Sequence[named_directions.Direction] = (),
    encoder: keras.Model | None = None,
) -> Export:
    """Exports a trained generator, or an autoencoder, into the next free version of `directory`.

    Every form is compared with Keras before anything is put in place, on
    batches of 1, 3 and 8 and seeds that nothing else uses. A generator with an average
    (EMA) is exported with the averaged weights.

    Args:
        model: a `kgan.GAN`, a `kgan.Autoencoder` or any Keras generator, latents
            (batch, latent_dim) to images (batch, H, W, C), also [latents, labels] to images; the
            path of one, as `kgan.models.read_network` takes it; or the classifier that
            `kgan.explore.probe` gives, which is written as ONNX in float32 alone.
        directory: the export's NAME directory, such as "saved_models/photos".
        onnx: write `model.onnx`; for an autoencoder `encoder.onnx` and `decoder.onnx`.
        saved_model: write `saved_model.pb` and `variables/`.
        tflite: write `model.tflite`; for an autoencoder `encoder.tflite` and `decoder.tflite`.
        opset: ONNX operator set, 13 to 21.
        float_output: give float32 images in the model's range instead of uint8.
        optimize: rewrite the ONNX graph for speed; the numbers stay the same.
        precision: which ONNX files there are beside those in float32, `model.onnx`: "float16"
            (of the weights alone) adds `model.float16.onnx`, "int8" `model.int8.onnx`, a list both.
        value_range: (low, high) of the images of a network that is no kgan model; None to read
            it off its last activation, tanh or sigmoid.
        latents: what such a network was trained on, "normal" or "uniform"; None for "normal",
            which the manifest then says to be assumed.
        num_classes: how many labels such a network knows; None to read it off its Embedding.
        plain: such a network gives no images: latents to "outputs", both of any shape, in
            float32.
        training: what is known about the model's training, for the manifest and the card.
        evaluation: figures of its images and how they were measured, likewise: what the
            `to_json` of a `kgan.metrics.Evaluation` gives.
        licence: what the images may be used for, an SPDX name or a sentence, likewise.
        directions: named directions of its latents, for the manifest; a page has them as sliders.
        encoder: of a GAN, a network from its images to its latents, such as
            `kgan.explore.train_encoder` gives: `encoder.onnx` beside `model.onnx`, with the
            input and output of an autoencoder's.

    Returns:
        An `Export`.

    Raises:
        InputError: a model that cannot be exported, an export already, a directory whose newest
            version is of another kind, no form asked for, an option that cannot have its value, a
            network that TFLite cannot run or `kgan.runtime` would refuse, a precision that is too
            far from float32, or a directory that cannot be written.
        ParityError: a form that does not give what Keras gives; nothing is left behind.
    """
    if not (onnx or saved_model or tflite):
        raise InputError(
            "An export needs at least one of ONNX, SavedModel and TFLite. Received: none"
        )
    options = ExportOptions(
        onnx=onnx,
        saved_model=saved_model,
        tflite=tflite,
        opset=opset,
        float_output=float_output,
        optimize=optimize,
        precision=precision,
        licence=licence,
        value_range=value_range,
        latents=latents,
        num_classes=num_classes,
        plain=plain,
    )
    smaller = options.precisions[1:]
    if smaller and not onnx:
        raise InputError(
            f"precision applies to ONNX, which is not asked for. Received: {', '.join(smaller)}"
        )
    if "int8" in smaller and not optimize:
        raise InputError("int8 needs the optimized graph. Received: optimize=False (--no-optimize)")
    if isinstance(model, (str, os.PathLike)):
        model = _open(model)
    network = check_model(
        model,
        value_range=options.value_range,
        latents=latents,
        num_classes=num_classes,
        plain=plain,
    )
    if network.kind == "network" and float_output:
        raise InputError("plain outputs are float32 already. Received: float_output=True")
    directory = Path(directory)
    if isinstance(network, Probe):
        if saved_model or tflite or float_output or smaller:
            raise InputError(
                "A probe is exported as ONNX in float32 alone: saved_model=False. Received: "
                f"saved_model={saved_model}, tflite={tflite}, float_output={float_output}, "
                f"precision={','.join(options.precisions)}"
            )
        shelf.check_place(directory, network.kind)
    with writing("Cannot write an export there", directory):
        shelf.check_kind(directory, "generator" if network.kind == "gan" else network.kind)
    # Model servers that watch the directory take numbers alone, not its hidden name.
    with (
        writing("Cannot write an export there", directory),
        staging_directory(directory) as staging,
    ):
        # On the CPU, in full float32, as applications run it; a GPU may round to TF32.
        with tf.device("CPU"):
            forms = Forms(parts_of(network, encoder), staging, float_output)
            if saved_model:
                forms.make_saved_model()
            if onnx:
                forms.make_onnx(opset, optimize, smaller)
            if tflite:
                forms.make_tflite()
        known: dict[str, Any] = {}
        if evaluation is not None:
            known["evaluation"] = dict(evaluation)
        if directions:
            known["directions"] = named_directions.as_json(directions)
        if encoder is not None:
            half = manifests.encoder_half(encoder.input_shape[1:], encoder.output_shape[1:])
            known["encoder"] = half | {"training": getattr(encoder, "training", None)}
        return _publish(forms, directory, network, training or {}, known, options.licence)


def to_onnx(
    model: Exported | str | os.PathLike[str],
    directory: str | os.PathLike[str],
    *,
    opset: int = ExportOptions.opset,
    float_output: bool = ExportOptions.float_output,
    optimize: bool = ExportOptions.optimize,
    precision: Precisions = ExportOptions.precision,
    value_range: tuple[float, float] | None = ExportOptions.value_range,
    latents: Distribution | None = ExportOptions.latents,
    num_classes: int | None = ExportOptions.num_classes,
    plain: bool = ExportOptions.plain,
) -> Export:
    """Exports to ONNX alone; see `export`."""
    return export(
        model,
        directory,
        saved_model=False,
        opset=opset,
        float_output=float_output,
        optimize=optimize,
        precision=precision,
        value_range=value_range,
        latents=latents,
        num_classes=num_classes,
        plain=plain,
    )


def to_saved_model(
    model: keras.Model | OwnGenerator | str | os.PathLike[str],
    directory: str | os.PathLike[str],
    *,
    float_output: bool = ExportOptions.float_output,
    value_range: tuple[float, float] | None = ExportOptions.value_range,
    latents: Distribution | None = ExportOptions.latents,
    num_classes: int | None = ExportOptions.num_classes,
    plain: bool = ExportOptions.plain,
) -> Export:
    """Exports to a SavedModel alone; see `export`."""
    return export(
        model,
        directory,
        onnx=False,
        float_output=float_output,
        value_range=value_range,
        latents=latents,
        num_classes=num_classes,
        plain=plain,
    )


def _open(path: str | os.PathLike[str]) -> keras.Model:
    """The network at a path, which is not an export already."""
    described = shelf.describe(path)
    if described is not None:
        raise InputError(f"{described} Received: {path}")
    return read_network(path)


def _publish(
    forms: Forms,
    directory: Path,
    model: Exported,
    training: Mapping[str, Any],
    known: Mapping[str, Any],
    licence: str | None,
) -> Export:
    """Adds manifest, samples and card, and moves the whole into the next free version."""
    staging, samples = forms.staging, forms.samples()
    if samples is not None:
        images.save_png(staging / "samples.png", images.grid(samples), drawn=True)
    while True:
        version = export_places.next_version(directory)
        name = name_of(directory.absolute().name)
        manifest = whole_description(model, name, version, forms.float_output, training)
        manifest |= {} if licence is None else {"licence": readable(licence)}
        manifest |= {"parity": forms.parity} | forms.facts | dict(known)
        for file, onnx_model in forms.onnx_models.items():
            onnx_export.write(onnx_model, manifest | forms.own_facts(file), staging / file)
        text = front_matter(manifest) + card(manifest)
        (staging / manifests.CARD_FILE).write_text(text, encoding="utf-8")
        manifest["files"] = manifests.list_files(staging)
        text = json.dumps(manifest, indent=2) + "\n"
        (staging / manifests.MANIFEST_FILE).write_text(text, encoding="utf-8")
        try:
            os.rename(staging, directory / str(version))
        except OSError:
            if not (directory / str(version)).exists():
                raise
            continue  # another export took the number meanwhile
        assumed = model.assumed if isinstance(model, OwnGenerator) else ()
        return Export(directory / str(version), forms.parity, forms.smaller, assumed)
