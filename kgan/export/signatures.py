"""What a trained model delivers: its networks as functions of named arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from kgan import images as image_levels
from kgan import labels as label_law
from kgan import latents as seed_latents
from kgan import manifest
from kgan.attributes import Attributes
from kgan.errors import InputError
from kgan.export import numpy_draws
from kgan.export.own_generators import OwnGenerator, own_generator
from kgan.export.probes import Probe
from kgan.models.latent_encoder import check_encoder
from kgan.models.rebuild import float32_copy
from kgan.models.self_drawing import what_draws

Arrays = Mapping[str, np.ndarray]
Shape = tuple[int, ...]
# Runs an exported form: input arrays by name -> its output.
Runner = Callable[[Arrays], np.ndarray]
# What is exported: one of kgan's models, or what is known of another network.
Exported: TypeAlias = keras.Model | OwnGenerator | Probe


@dataclasses.dataclass(frozen=True)
class Part:
    """One network as an export runs it: inference mode, float32.

    Attributes:
        signature: its name in the SavedModel.
        onnx_file: its file's name; None to keep it to the SavedModel.
        network: the Keras model.
        inputs: name -> (dtype, shape without the batch); "images" are uint8
            levels and are brought to `value_range`.
        output: "images", "codes", "features" of a probe or, of a network that gives none of them,
            "outputs".
        value_range: (low, high) of the model's images; of no meaning where there are none.
        draw: seeds -> dict of input arrays, for comparisons and samples.
        draw_tensors: the same in TensorFlow, int64 tensor (N,) -> dict of
            tensors; None where inputs do not come from seeds.
        probe: whose scores and classes the ONNX file gives too; None for what has none.
    """

    signature: str
    onnx_file: str | None
    network: keras.Model
    inputs: Mapping[str, tuple[str, Shape]]
    output: Literal["images", "codes", "features", "outputs"]
    value_range: tuple[float, float]
    draw: Callable[[Sequence[int]], dict[str, np.ndarray]]
    draw_tensors: Callable[[tf.Tensor], dict[str, tf.Tensor]] | None = None
    probe: Probe | None = None
    batched: ClassVar[bool] = True  # its inputs have a batch dimension before their shape

    def expected(self, arrays: Arrays) -> np.ndarray:
        """Keras's output for input arrays: float32, images in the model's range."""
        values = [arrays[name] for name in self.inputs]
        if "images" in self.inputs:
            values = [image_levels.from_uint8(values[0], self.value_range)]
        return np.asarray(self.network(values if len(values) > 1 else values[0], training=False))


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeededPart(Part):
    """A generator that draws its inputs itself: `seed` and `n` -> images, image i of `seed + i`.

    Attributes:
        drawn: the `Part` whose inputs it draws.
    """

    drawn: Part
    batched: ClassVar[bool] = False

    def expected(self, arrays: Arrays) -> np.ndarray:
        """Keras's output for the latents that numpy draws."""
        first, n = int(arrays["seed"]), int(arrays["n"])
        return self.drawn.expected(self.drawn.draw(range(first, first + n)))


def seeded(part: Part) -> SeededPart:
    """The `SeededPart` of a part that has `draw_tensors`."""

    def draw(seeds: Sequence[int]) -> dict[str, np.ndarray]:
        return {"seed": np.asarray(seeds[0], np.int64), "n": np.asarray(len(seeds), np.int32)}

    return SeededPart(
        signature="sample",
        onnx_file=None,
        network=part.network,
        inputs={"seed": ("int64", ()), "n": ("int32", ())},
        output=part.output,
        value_range=part.value_range,
        draw=draw,
        draw_tensors=part.draw_tensors,
        drawn=part,
    )


def check_model(model: Any, **said: Any) -> Exported:
    """Returns what can be exported: a kgan model as it is, any other network looked at.

    Args:
        model: a `kgan.GAN`, a `kgan.Autoencoder`, another Keras model, an `OwnGenerator` or a
            `Probe`.
        said: what is said of a network that is no kgan model; see `own_generator`.

    Raises:
        InputError: something that cannot be exported, or that is said of a kgan model, which
            knows it itself.
    """
    said = {name: value for name, value in said.items() if value not in (None, False)}
    if getattr(model, "kind", None) not in PARTS:
        return own_generator(model, **said)
    if not isinstance(model, (OwnGenerator, Probe)) and not model.makes_pictures:
        if said != {"plain": True}:
            raise InputError(
                "An export promises images (H, W, C) with 1 to 8 channels; --plain (plain=True) "
                f"delivers latents to outputs. Received: a {type(model).__name__} that makes "
                f"{model.image_shape}"
            )
        model.prepare_inference()
        if model.attributes is not None:
            raise InputError(
                "What makes no pictures is exported without attributes. Received: a "
                f"{type(model).__name__} of {', '.join(model.attributes.names)}"
            )
        facts = {"latents": model.latent_distribution, "num_classes": model.num_classes}
        return own_generator(model.inference_generator, plain=True, **facts)
    for name, value in said.items():
        raise InputError(
            f"{name} is for a network that is no kgan model; a {type(model).__name__} knows its "
            f"own. Received: {name}={value!r}"
        )
    return model


def parts_of(model: Exported, encoder: keras.Model | None = None) -> list[Part]:
    """The parts of what `check_model` returned.

    Args:
        model: what is exported.
        encoder: of a GAN, from its images to its latents.

    Raises:
        InputError: one of its networks draws random numbers by itself, or the encoder does not
            fit the model.
    """
    if not isinstance(model, (OwnGenerator, Probe)):
        model.prepare_inference()
    parts = PARTS[model.kind](model)
    return parts if encoder is None else [*parts, _encoder_part(model, parts[0], encoder)]


def _encoder_part(model: Any, generator: Part, encoder: keras.Model) -> Part:
    """The encoder of a GAN: images as its generator draws them to the latents they are of."""
    if model.kind != "gan":
        raise InputError(f"An encoder is delivered with a GAN. Received one with a {model.kind}")
    check_encoder(encoder, model.image_shape, model.latent_dim)

    def draw_images(seeds: Sequence[int]) -> dict[str, np.ndarray]:
        drawn = generator.expected(generator.draw(seeds))
        return {"images": image_levels.to_uint8(drawn, model.value_range)}

    return Part(
        signature="encode",
        onnx_file="encoder.onnx",
        network=_exact(encoder, "encoder", "images"),
        inputs={"images": ("uint8", tuple(model.image_shape))},
        output="codes",
        value_range=model.value_range,
        draw=draw_images,
    )


def _gan_parts(model: keras.Model) -> list[Part]:
    return [_drawn_part(model, model.inference_generator, (model.latent_dim,), model.value_range)]


def _own_parts(model: OwnGenerator) -> list[Part]:
    output: Literal["images", "outputs"] = "images" if model.value_range else "outputs"
    shape, value_range = model.latent_shape, model.value_range or (0.0, 1.0)
    return [_drawn_part(model, model.network, shape, value_range, output)]


def _drawn_part(
    model: keras.Model | OwnGenerator,
    network: keras.Model,
    latent_shape: Shape,
    value_range: tuple[float, float],
    output: Literal["images", "outputs"] = "images",
) -> Part:
    """The part of a network whose latents, and labels, come from seeds."""
    inputs: dict[str, tuple[str, Shape]] = {"latents": ("float32", latent_shape)}
    condition = model.condition
    if isinstance(condition, Attributes):
        inputs["labels"] = ("float32", (len(condition.names),))
    elif condition is not None:
        inputs["labels"] = ("int64", ())
    latent_dim, distribution = model.latent_dim, model.latent_distribution

    def draw(seeds: Sequence[int]) -> dict[str, np.ndarray]:
        latents = seed_latents.from_seeds(seeds, latent_dim, distribution)
        arrays = {"latents": latents.reshape(-1, *latent_shape)}
        if condition is not None:
            arrays["labels"] = label_law.from_seeds(seeds, condition)
        return arrays

    def draw_tensors(seeds: tf.Tensor) -> dict[str, tf.Tensor]:
        latents = numpy_draws.latents(seeds, latent_dim, distribution)
        tensors = {"latents": tf.reshape(latents, [-1, *latent_shape])}
        if isinstance(condition, Attributes):
            places = tf.math.floormod(seeds, len(condition.rows))
            tensors["labels"] = tf.gather(tf.constant(condition.rows), places)
        elif condition is not None:
            tensors["labels"] = tf.math.floormod(seeds, condition)
        return tensors

    return Part(
        signature="serving_default",
        onnx_file=manifest.ONNX_FILE,
        network=_exact(network, "generator", "latents"),
        inputs=inputs,
        output=output,
        value_range=value_range,
        draw=draw,
        draw_tensors=draw_tensors,
    )


def _autoencoder_parts(model: keras.Model) -> list[Part]:
    encoder = _exact(model.encoder, "encoder", "images")
    decoder = _exact(model.decoder, "decoder", "codes")
    whole = keras.Sequential([keras.Input(model.image_shape), encoder, decoder])
    value_range = model.value_range

    def draw_images(seeds: Iterable[int]) -> dict[str, np.ndarray]:
        return {"images": np.stack([_unseen_image(seed, model.image_shape) for seed in seeds])}

    def draw_codes(seeds: Iterable[int]) -> dict[str, np.ndarray]:
        images = image_levels.from_uint8(draw_images(seeds)["images"], value_range)
        return {"codes": np.asarray(encoder(images, training=False))}

    images: dict[str, tuple[str, Shape]] = {"images": ("uint8", model.image_shape)}
    codes: dict[str, tuple[str, Shape]] = {"codes": ("float32", model.code_shape)}
    return [
        Part("encode", "encoder.onnx", encoder, images, "codes", value_range, draw_images),
        Part("decode", "decoder.onnx", decoder, codes, "images", value_range, draw_codes),
        Part("serving_default", None, whole, images, "images", value_range, draw_images),
    ]


def _probe_parts(model: Probe) -> list[Part]:
    examples, shape = model.examples, model.image_shape

    def draw_images(seeds: Iterable[int]) -> dict[str, np.ndarray]:
        """Images of which it has seen the like, and in turn such as nobody has."""
        images = [
            examples[seed // 2 % len(examples)] if seed % 2 else _unseen_image(seed, shape)
            for seed in seeds
        ]
        return {"images": np.stack(images)}

    network = _exact(model.network, "probe", "images")
    return [
        Part(
            signature="serving_default",
            onnx_file=manifest.ONNX_FILE,
            network=network,
            inputs={"images": ("uint8", shape)},
            output="features",
            value_range=model.value_range,
            draw=draw_images,
            probe=model,
        )
    ]


# Kind of a model -> what makes its parts.
PARTS: dict[str, Callable[[Any], list[Part]]] = {
    "gan": _gan_parts,
    "autoencoder": _autoencoder_parts,
    "generator": _own_parts,
    "network": _own_parts,
    "probe": _probe_parts,
}


def _exact(network: keras.Model, role: str, inputs: str) -> keras.Model:
    """The network in float32, which gives the same for the same inputs.

    Raises:
        InputError: it draws random numbers by itself.
    """
    drawing = what_draws(network)
    if drawing:
        raise InputError(
            f"An exported {role} is a function of its {inputs}, and this one draws random numbers "
            "by itself in inference: call such layers with training=False, or take their noise "
            f"from the {inputs}. Received: {', '.join(drawing)}"
        )
    return float32_copy(network)


def _unseen_image(seed: int, image_shape: Shape) -> np.ndarray:
    """An image that was in no training set, to compare with: noise, or blocks of 2 to 16 pixels.

    Large plain areas drive a network further than noise does, most of all in black and white.
    """
    generator = np.random.Generator(np.random.Philox(seed))
    block = (1, 2, 4, 8, 16)[seed % 5]
    height, width, channels = image_shape
    coarse = (-(-height // block), -(-width // block), channels)
    levels = generator.integers(0, 256, coarse, np.uint8)
    if seed // 5 % 2:
        levels = np.where(levels < 128, 0, 255).astype(np.uint8)
    return levels.repeat(block, 0).repeat(block, 1)[:height, :width]
