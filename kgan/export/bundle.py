"""An export on disk: `NAME/VERSION/` with all its files, whole or not at all."""

import dataclasses
import json
import os
import shutil
import tempfile
from pathlib import Path

import onnxruntime
import tensorflow as tf

from kgan import images, latents
from kgan import manifest as manifests
from kgan.errors import InputError
from kgan.export import onnx as onnx_export
from kgan.export import saved_model
from kgan.export.card import card
from kgan.export.verify import parity
from kgan.models.copies import float32_copy

SAMPLES = 64


@dataclasses.dataclass(frozen=True)
class Export:
    """What an export wrote.

    Attributes:
        path: its `NAME/VERSION` directory.
        parity: largest differences from Keras, by form ("onnx", "saved_model").
    """

    path: Path
    parity: dict


def export(
    gan,
    directory,
    *,
    onnx=True,
    saved_model=True,
    opset=onnx_export.DEFAULT_OPSET,
    float_output=False,
    training=None,
):
    """Exports a trained generator into the next free version of `directory`.

    Every form is compared with Keras before anything is put in place, on
    batches of 1, 3 and 8 and seeds of its own.

    Args:
        gan: a `kgan.GAN`.
        directory: the export's NAME directory, such as "saved_models/photos".
        onnx: write `model.onnx`.
        saved_model: write `saved_model.pb` and `variables/`.
        opset: ONNX operator set, 13 to 18.
        float_output: give float32 images in the model's range instead of uint8.
        training: what is known of how the model was made, for manifest and card.

    Returns:
        An `Export`.

    Raises:
        InputError: neither form asked for, an opset that cannot be written, or
            a directory that cannot.
        ParityError: a form that does not give what Keras gives; nothing is left behind.
    """
    if not (onnx or saved_model):
        raise InputError("An export needs at least one of ONNX and SavedModel. Received: neither")
    onnx_export.check_opset(opset)
    directory = Path(directory)
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # A dot name: model servers that watch the directory only take numbers.
        staging = Path(tempfile.mkdtemp(prefix=".export-", dir=directory))
    except OSError as error:
        raise InputError(f"Cannot write an export there ({error.strerror}): {directory}") from None
    try:
        # On the CPU, in full float32, as applications run it; a GPU may round to TF32.
        with tf.device("CPU"):
            made = _write_forms(gan, staging, onnx, saved_model, opset, float_output)
        return _publish(staging, directory, made, gan, float_output, training or {})
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for path in missing:
            if any(path.iterdir()):
                break
            path.rmdir()


def _write_forms(gan, staging, onnx, with_saved_model, opset, float_output):
    """Writes the models and compares them; returns what is to be said of them."""
    generator = float32_copy(gan.generator)
    law = {
        "latent_dim": gan.latent_dim,
        "distribution": gan.latent_distribution,
        "value_range": gan.value_range,
    }
    made = {"parity": {}}
    if with_saved_model:
        # Both are written to be compared; the other one goes.
        floats, levels = staging, staging / "other"
        if not float_output:
            floats, levels = levels, floats
        saved_model.write(generator, gan.latent_dim, None, floats)
        saved_model.write(generator, gan.latent_dim, gan.value_range, levels)
        runs = [saved_model.load_runner(path) for path in (floats, levels)]
        made["parity"]["saved_model"] = parity(generator, *runs, **law)
        made["run"] = runs[0] if float_output else runs[1]
        shutil.rmtree(staging / "other")
    if onnx:
        float_model = onnx_export.convert(generator, gan.latent_dim, opset)
        uint8_model = onnx_export.with_uint8_output(float_model, gan.value_range)
        made["parity"]["onnx"] = parity(
            generator, _session_runner(float_model), _session_runner(uint8_model), **law
        )
        made["opset"] = opset
        made["onnx_model"] = float_model if float_output else uint8_model
        made["run"] = _session_runner(made["onnx_model"])
    return made


def _session_runner(model):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return lambda z: session.run(["images"], {"latents": z})[0]


def _publish(staging, directory, made, gan, float_output, training):
    """Adds manifest, samples and card, and moves the whole into the next free version."""
    samples = made["run"](
        latents.from_seeds(range(SAMPLES), gan.latent_dim, gan.latent_distribution)
    )
    if float_output:
        samples = images.to_uint8(samples, gan.value_range)
    images.save_png(staging / "samples.png", images.grid(samples))
    while True:
        version = max(manifests.versions_of(directory), default=0) + 1
        manifest = manifests.generator_manifest(
            name=directory.name,
            version=version,
            image_shape=gan.image_shape,
            latent_dim=gan.latent_dim,
            latent_distribution=gan.latent_distribution,
            latent_law=latents.law(gan.latent_dim, gan.latent_distribution),
            value_range=gan.value_range,
            float_output=float_output,
            training={
                "preset": gan.preset,
                "batches_seen": int(gan.batches_seen),
                "parameters": gan.generator.count_params(),
                **training,
            },
        )
        manifest["parity"] = made["parity"]
        if "onnx_model" in made:
            manifest["opset"] = made["opset"]
            onnx_export.write(made["onnx_model"], manifest, staging / manifests.ONNX_FILE)
        (staging / "card.md").write_text(card(manifest))
        manifest["files"] = manifests.list_files(staging)
        (staging / manifests.MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n")
        staging.chmod(0o755)  # mkdtemp makes private directories; a model server is another user
        try:
            os.rename(staging, directory / str(version))
        except OSError:
            if not (directory / str(version)).exists():
                raise
            continue  # another export took the number meanwhile
        return Export(directory / str(version), made["parity"])
