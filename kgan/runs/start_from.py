"""A new run from another's weights: fine-tuning."""

from __future__ import annotations

import os
from typing import Any

import keras

from kgan.errors import InputError
from kgan.models import Preset, get_preset
from kgan.runs.load import load_model
from kgan.runs.options import RunOptions
from kgan.training import GAN, Autoencoder


def options_like(path: str | os.PathLike[str], **changes: Any) -> RunOptions:
    """Options of a run that starts from a trained model.

    Args:
        path: a run's directory or a .keras file.
        **changes: options; what is left out of preset, size, width, latents and classes
            is the model's.

    Raises:
        InputError: it cannot be loaded, or was not made from a preset; an option that cannot be.
    """
    model = load_model(path, compile=False)
    if model.preset is None:
        raise InputError(
            "--from takes a model that was made from a preset; this one has networks of its "
            f"own. Received: {path}"
        )
    own: dict[str, Any] = {"preset": model.preset, "size": model.image_shape}
    network = getattr(model, model.roles[0])
    for name in ("filters", "latent_dim"):
        own[name] = getattr(network, name, None)
    if isinstance(model, GAN):
        own |= {
            "latents": model.latent_distribution,
            "conditional": model.condition is not None,
            "minibatch_stddev": getattr(model.discriminator, "minibatch_stddev", False),
        }
        # What is the preset's own stays open to a schedule.
        half_life = model.ema_half_life_images
        follows = "ema_half_life_images" in (changes.get("schedule") or "")
        if not follows and half_life != get_preset(model.preset, Preset).ema_half_life_images:
            own["ema_half_life_images"] = half_life or 0
    return RunOptions(**(own | changes | {"start_from": str(path)}))


def take_weights(model: GAN | Autoencoder, path: str | os.PathLike[str]) -> None:
    """Gives a new model the weights of a trained one; optimizers and counts start at zero.

    Args:
        model: the new model.
        path: a run's directory or a .keras file.

    Raises:
        InputError: it cannot be loaded, or its networks have other shapes.
    """
    trained = load_model(path, compile=False)
    if trained.kind != model.kind:
        raise InputError(
            f"A run of {_named(model)} starts from {_named(model)}. "
            f"Received: {_named(trained)} in {path}"
        )
    trained.prepare_inference()
    for role in model.roles:
        _copy(getattr(trained, role), getattr(model, role), role, path)
    if isinstance(model, GAN) and model.average is not None:
        average = trained.inference_generator
        _copy(average, model.average.network, "averaged generator", path)


def _copy(
    trained: keras.Model, network: keras.Model, role: str, path: str | os.PathLike[str]
) -> None:
    shapes, own = ([tuple(w.shape) for w in n.weights] for n in (trained, network))
    if shapes != own:
        pairs = zip(trained.weights, network.weights, strict=False)
        others = (f"{a.path} {a.shape}" for a, b in pairs if a.shape != b.shape)
        first = next(others, "the number of weights")
        raise InputError(
            "A run can only start from a model of the same preset, size, width, latents and "
            f"number of classes; the {role}s differ in {first}. Received: {path}"
        )
    network.set_weights(trained.get_weights())


def _named(model: GAN | Autoencoder) -> str:
    return "a GAN" if model.kind == "gan" else "an Autoencoder"
