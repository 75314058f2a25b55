"""An export on disk: `NAME/VERSION/` with all its files, whole or not at all."""

import dataclasses
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from kgan import images, latents
from kgan import manifest as manifests
from kgan.errors import InputError
from kgan.export import onnx as onnx_export
from kgan.export import precision as precisions
from kgan.export import saved_model
from kgan.export.card import card
from kgan.export.graph import optimize as optimize_graph
from kgan.export.parts import parts_of
from kgan.export.verify import parity

SAMPLES = 64


@dataclasses.dataclass(frozen=True)
class Export:
    """What an export wrote.

    Attributes:
        path: its `NAME/VERSION` directory.
        parity: largest differences from Keras, by form: "onnx" and
            "saved_model", for an autoencoder "onnx encode" and so on.
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
    opset=onnx_export.DEFAULT_OPSET,
    float_output=False,
    optimize=True,
    precision="float32",
    training=None,
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
        opset: ONNX operator set, 13 to 18.
        float_output: give float32 images in the model's range instead of uint8.
        optimize: rewrite the ONNX graph for speed; the numbers stay the same.
        precision: of the ONNX files "float32", "float16" (weights alone) or "int8".
        training: what is known of how the model was made, for manifest and card.

    Returns:
        An `Export`.

    Raises:
        InputError: neither form asked for, an opset that cannot be written, a
            directory that cannot, or a precision that is too far from float32.
        ParityError: a form that does not give what Keras gives; nothing is left behind.
    """
    if not (onnx or saved_model):
        raise InputError("An export needs at least one of ONNX and SavedModel. Received: neither")
    onnx_export.check_opset(opset)
    if precisions.check_form(precision) != "float32" and not onnx:
        raise InputError(f"precision is for ONNX, which is not asked for. Received: {precision}")
    if precision == "int8" and not optimize:
        raise InputError("int8 needs the optimized graph. Received: optimize=False (--no-optimize)")
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
            parts = parts_of(model)
            made = {"parity": {}, "runs": {}}
            if saved_model:
                _write_saved_model(parts, staging, float_output, made)
            if onnx:
                _make_onnx(parts, opset, float_output, optimize, precision, made)
            made["samples"] = _samples(parts, made["runs"])
        return _publish(staging, directory, made, model, float_output, training or {})
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for path in missing:
            if any(path.iterdir()):
                break
            path.rmdir()


def _write_saved_model(parts, staging, float_output, made):
    """Writes the SavedModel, compared; adds to `made` what is to be said of it."""
    # Both are written to be compared; the other one goes.
    floats, levels = staging, staging / "other"
    if not float_output:
        floats, levels = levels, floats
    saved_model.write(parts, False, floats)
    saved_model.write(parts, True, levels)
    runs = [saved_model.load_runners(parts, path) for path in (floats, levels)]
    for part in parts:
        made["parity"][_report_name("saved_model", parts, part)] = _compare(
            part, *(run[part.signature] for run in runs)
        )
    made["runs"] = runs[0] if float_output else runs[1]
    shutil.rmtree(staging / "other")


def _make_onnx(parts, opset, float_output, optimize, precision, made):
    """Makes the ONNX models, compared; adds them and what is to be said of them to `made`."""
    made |= {"onnx_models": {}, "opset": opset, "optimized": optimize, "form": precision}
    for part in parts:
        if part.onnx_file is None:
            continue
        name = _report_name("onnx", parts, part)
        model = onnx_export.convert(part, opset)
        if optimize:
            model = optimize_graph(model)
        models = _with_levels(part, model)
        made["parity"][name] = _compare(part, *map(_runner(part), models))
        if precision != "float32":
            model, figures = precisions.reduced(model, part, precision)
            made.setdefault("precision", {})[part.onnx_file] = figures
            models = _with_levels(part, model)
            # How far it is from Keras is told; how far it may be, the floor of its PSNR says.
            made["parity"][name] = _compare(part, *map(_runner(part), models), tolerant=True)
        made["onnx_models"][part.onnx_file] = models[0] if float_output else models[1]
        made["runs"][part.signature] = _runner(part)(made["onnx_models"][part.onnx_file])


def _report_name(form, parts, part):
    return form if len(parts) == 1 else f"{form} {part.signature}"


def _with_levels(part, model):
    """(the model with float output, the one that applications get unless they ask for floats)."""
    if part.output != "images":
        return model, model
    return model, onnx_export.with_uint8_output(model, part.value_range)


def _compare(part, run_float, run_uint8, tolerant=False):
    return parity(part, run_float, run_uint8 if part.output == "images" else None, tolerant)


def _runner(part):
    def runner(model):
        session = precisions.session(model)
        return lambda arrays: session.run([part.output], arrays)[0]

    return runner


def _samples(parts, runs):
    """uint8 pictures that the export itself made; None of an autoencoder, which needs pictures."""
    if len(parts) > 1:
        return None
    (part,) = parts
    made = runs[part.signature](part.draw(range(SAMPLES)))
    return made if made.dtype == np.uint8 else images.to_uint8(made, part.value_range)


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


def _publish(staging, directory, made, model, float_output, training):
    """Adds manifest, samples and card, and moves the whole into the next free version."""
    if made["samples"] is not None:
        images.save_png(staging / "samples.png", images.grid(made["samples"]))
    while True:
        version = max(manifests.versions_of(directory), default=0) + 1
        manifest = manifests.whole_manifest(
            directory.name, version, _promise(model, float_output), _facts(model) | training
        )
        manifest["parity"] = made["parity"]
        for key in ("opset", "optimized"):
            if key in made:
                manifest[key] = made[key]
        if "precision" in made:
            manifest["precision"] = {"form": made["form"], "files": made["precision"]}
        for file, onnx_model in made.get("onnx_models", {}).items():
            onnx_export.write(onnx_model, manifest, staging / file)
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
        return Export(directory / str(version), made["parity"], made.get("precision", {}))
