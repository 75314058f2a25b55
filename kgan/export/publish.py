"""An export on disk: `NAME/VERSION/` with all its files, whole or not at all."""

import dataclasses
import json
import os
from pathlib import Path

import tensorflow as tf

from kgan import images, latents
from kgan import manifest as manifests
from kgan.errors import InputError
from kgan.export import onnx as onnx_export
from kgan.export import precision as precisions
from kgan.export.card import card
from kgan.export.formats import Forms
from kgan.export.signatures import parts_of
from kgan.files import staging_directory


@dataclasses.dataclass(frozen=True)
class Export:
    """What an export wrote.

    Attributes:
        path: its `NAME/VERSION` directory.
        parity: largest differences from Keras, by form: "onnx", "saved_model",
            "saved_model sample" and "tflite", for an autoencoder "onnx encode" and so on.
        precision: of ONNX in float16 or int8, its figures by file; see `precision.reduced`.
    """

    path: Path
    parity: dict
    precision: dict


def export(
    model,
    directory,
    *,
    onnx=True,
    saved_model=True,
    tflite=False,
    opset=onnx_export.DEFAULT_OPSET,
    float_output=False,
    optimize=True,
    precision="float32",
    training=None,
    licence=None,
):
    """Exports a trained generator, or an autoencoder, into the next free version of `directory`.

    Every form is compared with Keras before anything is put in place, on
    batches of 1, 3 and 8 and seeds of its own. A generator with an average
    (EMA) is exported with the averaged weights.

    Args:
        model: a `kgan.GAN` or a `kgan.Autoencoder`.
        directory: the export's NAME directory, such as "saved_models/photos".
        onnx: write `model.onnx`; of an autoencoder `encoder.onnx` and `decoder.onnx`.
        saved_model: write `saved_model.pb` and `variables/`.
        tflite: write `model.tflite`; of an autoencoder `encoder.tflite` and `decoder.tflite`.
        opset: ONNX operator set, 13 to 18.
        float_output: give float32 images in the model's range instead of uint8.
        optimize: rewrite the ONNX graph for speed; the numbers stay the same.
        precision: of the ONNX files "float32", "float16" (weights alone) or "int8".
        training: what is known of how the model was made, for manifest and card.
        licence: what the pictures may be used for, an SPDX name or a sentence, likewise.

    Returns:
        An `Export`.

    Raises:
        InputError: no form asked for, an opset or a licence that cannot be written,
            a network that TFLite cannot run or `kgan.runtime` would refuse, a
            precision that is too far from float32, or a directory that cannot be
            written.
        ParityError: a form that does not give what Keras gives; nothing is left behind.
    """
    if not (onnx or saved_model or tflite):
        raise InputError("An export needs one of ONNX, SavedModel and TFLite. Received: none")
    onnx_export.check_opset(opset)
    if precisions.check_form(precision) != "float32" and not onnx:
        raise InputError(f"precision is for ONNX, which is not asked for. Received: {precision}")
    if precision == "int8" and not optimize:
        raise InputError("int8 needs the optimized graph. Received: optimize=False (--no-optimize)")
    about = {} if licence is None else {"licence": _check_licence(licence)}
    directory = Path(directory)
    try:
        # A dot name: model servers that watch the directory only take numbers.
        with staging_directory(directory, ".export-") as staging:
            # On the CPU, in full float32, as applications run it; a GPU may round to TF32.
            with tf.device("CPU"):
                forms = Forms(parts_of(model), staging, float_output)
                if saved_model:
                    forms.make_saved_model()
                if onnx:
                    forms.make_onnx(opset, optimize, precision)
                if tflite:
                    forms.make_tflite()
            return _publish(forms, directory, model, training or {}, about)
    except OSError as error:
        raise InputError(f"Cannot write an export there ({error.strerror}): {directory}") from None


def to_onnx(
    model,
    directory,
    *,
    opset=onnx_export.DEFAULT_OPSET,
    float_output=False,
    optimize=True,
    precision="float32",
):
    """Exports to ONNX alone; see `export`."""
    return export(
        model,
        directory,
        saved_model=False,
        opset=opset,
        float_output=float_output,
        optimize=optimize,
        precision=precision,
    )


def to_saved_model(model, directory, *, float_output=False):
    """Exports to a SavedModel alone; see `export`."""
    return export(model, directory, onnx=False, float_output=float_output)


def _check_licence(licence):
    if not isinstance(licence, str) or not licence.strip() or not licence.isprintable():
        raise InputError(f"A licence is one line of text, such as CC-BY-4.0. Received: {licence!r}")
    return licence.strip()


def _promise(model, float_output):
    common = {
        "image_shape": model.image_shape,
        "value_range": model.value_range,
        "float_output": float_output,
    }
    if hasattr(model, "encoder"):
        return manifests.autoencoder_manifest(code_shape=model.code_shape, **common)
    return manifests.generator_manifest(
        latent_dim=model.latent_dim,
        latent_distribution=model.latent_distribution,
        latent_law=latents.law(model.latent_dim, model.latent_distribution),
        num_classes=model.num_classes,
        class_names=model.class_names,
        **common,
    )


def _facts(model):
    facts = {"preset": model.preset, "batches_seen": int(model.batches_seen.numpy())}
    if hasattr(model, "encoder"):
        return facts | {"parameters": model.count_params()}
    facts["parameters"] = model.generator.count_params()
    return facts | {"ema_half_life_images": model.ema_half_life_images}


def _publish(forms, directory, model, training, about):
    """Adds manifest, samples and card, and moves the whole into the next free version."""
    staging, samples = forms.staging, forms.samples()
    if samples is not None:
        images.save_png(staging / "samples.png", images.grid(samples))
    promise = _promise(model, forms.float_output)
    while True:
        version = max(manifests.versions_of(directory), default=0) + 1
        name = directory.absolute().name
        manifest = manifests.whole_manifest(name, version, promise, _facts(model) | training)
        manifest |= about | {"parity": forms.parity} | forms.facts
        for file, onnx_model in forms.onnx_models.items():
            half = {} if file == manifests.ONNX_FILE else {"half": Path(file).stem}
            onnx_export.write(onnx_model, manifest | half, staging / file)
        (staging / "card.md").write_text(card(manifest))
        manifest["files"] = manifests.list_files(staging)
        (staging / manifests.MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n")
        try:
            os.rename(staging, directory / str(version))
        except OSError:
            if not (directory / str(version)).exists():
                raise
            continue  # another export took the number meanwhile
        return Export(directory / str(version), forms.parity, forms.precision)
