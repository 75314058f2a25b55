"""What is said of a model in its export's manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from kgan import latents
from kgan import manifest as manifests
from kgan.export.own_generators import OwnGenerator
from kgan.export.probes import Probe
from kgan.export.signatures import Exported
from kgan.models.saved_function import count_parameters


def _latents(model: keras.Model | OwnGenerator) -> dict[str, Any]:
    law = latents.law(model.latent_dim, model.latent_distribution)
    own = isinstance(model, OwnGenerator)
    if own and len(model.latent_shape) > 1:
        law += f".reshape({model.latent_shape})"
    return {
        "latent_distribution": model.latent_distribution,
        "latent_law": law,
        "latents_assumed": own and bool(model.assumed),
        "condition": model.condition,
    }


def _generator_promise(
    model: Any, float_output: bool, image_shape: Sequence[int]
) -> dict[str, Any]:
    return manifests.generator_manifest(
        image_shape=image_shape,
        latent_dim=model.latent_dim,
        value_range=model.value_range,
        float_output=float_output,
        class_names=model.class_names,
        **_latents(model),
    )


def _gan(model: keras.Model, float_output: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    facts = {
        "batches_seen": int(model.batches_seen.numpy()),
        "parameters": model.generator.count_params(),
        "ema_half_life_images": model.ema_half_life_images,
    }
    judge = getattr(model.discriminator, "features_sha256", None)
    if judge is not None:  # figures by these features would flatter it
        facts["discriminator_features"] = judge
    return _generator_promise(model, float_output, model.image_shape), facts


def _autoencoder(model: keras.Model, float_output: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    promise = manifests.autoencoder_manifest(
        image_shape=model.image_shape,
        code_shape=model.code_shape,
        value_range=model.value_range,
        float_output=float_output,
    )
    facts = {
        "batches_seen": int(model.batches_seen.numpy()),
        "parameters": model.count_params(),
    }
    return promise, facts


def _own(model: OwnGenerator, float_output: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    if model.kind == "generator":
        promise = _generator_promise(model, float_output, model.output_shape)
    else:
        promise = manifests.network_manifest(
            latent_shape=model.latent_shape, output_shape=model.output_shape, **_latents(model)
        )
    return promise, {"parameters": count_parameters(model.network)}


def _probe(model: Probe, float_output: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    promise = manifests.probe_manifest(
        image_shape=model.image_shape,
        features=len(model.weights),
        features_law=model.features_law,
        layers=model.layers,
        class_names=model.class_names,
    )
    return promise, dict(model.facts)


# Kind of a model -> (what its manifest promises, what else is known of it), given float_output.
DESCRIPTIONS: dict[str, Callable[[Any, bool], tuple[dict[str, Any], dict[str, Any]]]] = {
    "gan": _gan,
    "autoencoder": _autoencoder,
    "generator": _own,
    "network": _own,
    "probe": _probe,
}


def whole_description(
    model: Exported,
    name: str,
    version: int,
    float_output: bool,
    training: Mapping[str, Any],
) -> dict[str, Any]:
    """The manifest of an export before parity and files are known.

    Args:
        model: what `check_model` returned.
        name, version: the export is `NAME/VERSION`.
        float_output: its images are float32 in the model's range.
        training: what is known about the model's training beside what the model itself says.
    """
    promise, facts = DESCRIPTIONS[model.kind](model, float_output)
    return manifests.whole_manifest(
        name, version, promise, {"preset": model.preset} | facts | dict(training)
    )
