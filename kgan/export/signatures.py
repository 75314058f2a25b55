"""What a trained model delivers: its networks as functions of named arrays."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from kgan import images as pictures
from kgan import labels as label_law
from kgan import latents as latent_law
from kgan import manifest
from kgan.export import numpy_draws
from kgan.models.rebuild import float32_copy


@dataclasses.dataclass(frozen=True)
class Part:
    """One network as an export runs it: inference mode, float32.

    Attributes:
        signature: its name in the SavedModel.
        onnx_file: its file's name; None to keep it to the SavedModel.
        network: the Keras model.
        inputs: name -> (dtype, shape without the batch); "images" are uint8
            levels and are brought to `value_range`.
        output: "images" or "codes".
        value_range: (low, high) of the model's images.
        draw: seeds -> dict of input arrays, to compare and to show it with.
        draw_tensors: the same in TensorFlow, int64 tensor (N,) -> dict of
            tensors; None where inputs do not come from seeds.
    """

    signature: str
    onnx_file: str | None
    network: keras.Model
    inputs: dict
    output: str
    value_range: tuple
    draw: Callable
    draw_tensors: Callable | None = None
    batched = True  # its inputs have a batch dimension before their shape

    def expected(self, arrays):
        """What Keras makes of input arrays: float32, images in the model's range."""
        values = [arrays[name] for name in self.inputs]
        if "images" in self.inputs:
            values = [pictures.from_uint8(values[0], self.value_range)]
        return np.asarray(self.network(values if len(values) > 1 else values[0], training=False))


@dataclasses.dataclass(frozen=True, kw_only=True)
class SeededPart(Part):
    """A generator that draws its inputs itself: `seed` and `n` -> images, picture i of `seed + i`.

    Attributes:
        drawn: the `Part` whose inputs it draws.
    """

    drawn: Part
    batched = False

    def expected(self, arrays):
        """What Keras makes of the latents that numpy draws."""
        first, n = int(arrays["seed"]), int(arrays["n"])
        return self.drawn.expected(self.drawn.draw(range(first, first + n)))


def seeded(part):
    """The `SeededPart` of a part that has `draw_tensors`."""

    def draw(seeds):
        return {"seed": np.int64(seeds[0]), "n": np.int32(len(seeds))}

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


def parts_of(model):
    """The parts of a `kgan.GAN` or a `kgan.Autoencoder`."""
    if hasattr(model, "encoder"):
        return _autoencoder_parts(model)
    model.calibrate()
    inputs = {"latents": ("float32", (model.latent_dim,))}
    if model.num_classes is not None:
        inputs["labels"] = ("int64", ())

    def draw(seeds):
        law = {"latents": latent_law.from_seeds(seeds, model.latent_dim, model.latent_distribution)}
        if model.num_classes is not None:
            law["labels"] = label_law.from_seeds(seeds, model.num_classes)
        return law

    def draw_tensors(seeds):
        law = {"latents": numpy_draws.latents(seeds, model.latent_dim, model.latent_distribution)}
        if model.num_classes is not None:
            law["labels"] = tf.math.floormod(seeds, model.num_classes)
        return law

    return [
        Part(
            signature="serving_default",
            onnx_file=manifest.ONNX_FILE,
            network=float32_copy(model.inference_generator),
            inputs=inputs,
            output="images",
            value_range=model.value_range,
            draw=draw,
            draw_tensors=draw_tensors,
        )
    ]


def _autoencoder_parts(model):
    encoder, decoder = float32_copy(model.encoder), float32_copy(model.decoder)
    whole = keras.Sequential([keras.Input(model.image_shape), encoder, decoder])

    def draw_images(seeds):
        return {"images": np.stack([_picture(seed, model.image_shape) for seed in seeds])}

    def draw_codes(seeds):
        images = pictures.from_uint8(draw_images(seeds)["images"], model.value_range)
        return {"codes": np.asarray(encoder(images, training=False))}

    images = {"images": ("uint8", model.image_shape)}
    codes = {"codes": ("float32", model.code_shape)}
    common = {"value_range": model.value_range}
    return [
        Part("encode", "encoder.onnx", encoder, images, "codes", draw=draw_images, **common),
        Part("decode", "decoder.onnx", decoder, codes, "images", draw=draw_codes, **common),
        Part("serving_default", None, whole, images, "images", draw=draw_images, **common),
    ]


def _picture(seed, image_shape):
    """A picture to compare with that was in no training set: noise, or blocks of 2 to 16 pixels.

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
