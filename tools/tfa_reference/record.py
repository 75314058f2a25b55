"""Writes tests/goldens/tfa.npz: fixed inputs, and what tensorflow-addons 0.23.0 makes of them.

Run by tools/tfa_reference/make. The same machine gives the same bytes. Inputs
come from numpy's default_rng with the seeds below and lie beside the outputs,
so that no test has to draw them again.
"""

import io
import os
import zipfile
from pathlib import Path

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # its sums depend on the processor
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

OUTPUT = Path(__file__).resolve().parents[2] / "tests" / "goldens" / "tfa.npz"
PICTURES_SEED = 1
ODD_PICTURES_SEED = 2
MOVING_AVERAGE_SEED = 3
SPECTRAL_NORM_SEEDS = {"dense": 4, "conv2d": 5, "conv2d_transpose": 6}
FILL = 0.25


def pictures(seed, height, width):
    """Waves and noise, float32 (4, height, width, 3) in [-1, 1]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    frequency = rng.uniform(-0.6, 0.6, (2, 4, 1, 1, 3))
    wave = np.sin(frequency[0] * y[None, :, :, None] + frequency[1] * x[None, :, :, None])
    noise = rng.uniform(-1.0, 1.0, wave.shape)
    return (0.7 * wave + 0.3 * noise).astype(np.float32)


def rotations(images):
    """Rotation about the middle; a positive angle turns counterclockwise."""
    yield "rotate/fill", np.float32(FILL)
    angles = {
        "quarters": np.float32([0.0, np.pi / 2, np.pi, -np.pi / 2]),
        "oblique": np.float32([0.2, -0.7, 1.1, 2.9]),
    }
    for name, radians in angles.items():
        yield f"rotate/{name}/radians", radians
        for interpolation in ("nearest", "bilinear"):
            rotated = tfa.image.rotate(images, radians, interpolation, "constant", fill_value=0.0)
            yield f"rotate/{name}/{interpolation}", rotated
    filled = tfa.image.rotate(images, angles["oblique"], "bilinear", "constant", fill_value=FILL)
    yield "rotate/oblique/bilinear_filled", filled


def translations(images):
    """Shifts as (right, down) in pixels: content moves that way."""
    shifts = {
        "whole": np.float32([[0, 0], [3, 0], [0, -2], [-4, 5]]),
        "fraction": np.float32([[0.5, 0.25], [-1.3, 0], [0, 2.6], [3.75, -0.4]]),
    }
    for name, right_down in shifts.items():
        yield f"translate/{name}/right_down", right_down
        for interpolation in ("nearest", "bilinear"):
            shifted = tfa.image.translate(images, right_down, interpolation, "constant")
            yield f"translate/{name}/{interpolation}", shifted


def shears(images):
    """TFA's own shears, and shears about the middle composed from TFA's parts.

    `shear_x` and `shear_y` take one picture of three channels at a time, sample
    the nearest pixel, keep row (or column) 0 in place and move content left (up)
    for a positive level: output (x, y) is input (x + level * y, y).
    """
    odd = pictures(ODD_PICTURES_SEED, 13, 9)  # the middle is a pixel
    levels = np.float32([1.0, -1.0, 0.5, -0.5])
    replace = np.float32([FILL] * 3)
    yield "shear/images", odd
    yield "shear/levels", levels
    yield "shear/replace", replace
    for name, shear in (("x", tfa.image.shear_x), ("y", tfa.image.shear_y)):
        sheared = [
            shear(image, float(level), replace) for image, level in zip(odd, levels, strict=True)
        ]
        yield f"shear/{name}", np.stack(sheared)

    right = np.float32([0.3, -0.45, 1.0, 0.1])
    down = np.float32([-0.2, 0.35, 0.6, -1.1])
    none = np.zeros(4, np.float32)
    yield "shear/middle/right", right
    yield "shear/middle/down", down
    for name, chosen in {
        "sheared_right": (right, none),
        "sheared_down": (none, down),
        "sheared_both": (right, down),
    }.items():
        yield f"shear/middle/{name}", shear_about_the_middle(images, *chosen)


def shear_about_the_middle(images, right, down):
    """Rows below the middle move right, then columns right of the middle move down; bilinear."""
    middle = np.float32([(images.shape[2] - 1) / 2, (images.shape[1] - 1) / 2])
    to_projective = tfa.image.translate_ops.translations_to_projective_transforms
    one, zero = np.ones_like(right), np.zeros_like(right)
    composed = tfa.image.transform_ops.compose_transforms(
        [
            to_projective(np.tile(-middle, (len(images), 1))),
            np.stack([one, -right, zero, zero, one, zero, zero, zero], 1),
            np.stack([one, zero, zero, -down, one, zero, zero, zero], 1),
            to_projective(np.tile(middle, (len(images), 1))),
        ]
    )
    return tfa.image.transform(images, composed, "bilinear", "constant", fill_value=FILL)


def cutouts(images):
    """Rectangles given by their middle; the sizes must be even. Two reach over the edge."""
    mask_size = np.int32([4, 6])
    centres = np.int32([[6, 5], [2, 3], [0, 9], [11, 0]])
    yield "cutout/mask_size", mask_size
    yield "cutout/centres", centres
    yield "cutout/fill", np.float32(FILL)
    yield "cutout/outputs", tfa.image.cutout(images, mask_size, centres, FILL)


def spectral_norms():
    """A training-mode call of the wrapper overwrites the kernel by kernel / sigma.

    With W the kernel as a matrix (everything else, last axis): v = unit(u W^T),
    u = unit(v W), sigma = v W u^T. v is not kept by TFA; it is worked out here.
    For Conv2DTranspose the last axis counts its inputs, not its outputs.
    """
    options = {"kernel_size": 3, "strides": 2, "padding": "same"}
    layers = {
        "dense": (lambda: tf.keras.layers.Dense(5), (3, 7), (7, 5)),
        "conv2d": (lambda: tf.keras.layers.Conv2D(5, **options), (2, 6, 5, 3), (3, 3, 3, 5)),
        "conv2d_transpose": (
            lambda: tf.keras.layers.Conv2DTranspose(5, **options),
            (2, 4, 3, 3),
            (3, 3, 5, 3),
        ),
    }
    for name, (make_layer, input_shape, kernel_shape) in layers.items():
        rng = np.random.default_rng(SPECTRAL_NORM_SEEDS[name])
        inputs = rng.normal(size=input_shape).astype(np.float32)
        kernel = rng.normal(scale=0.4, size=kernel_shape).astype(np.float32)
        bias = rng.normal(size=5).astype(np.float32)
        u = rng.normal(size=(1, kernel_shape[-1])).astype(np.float32)
        v = u @ kernel.reshape(-1, kernel_shape[-1]).T
        recorded = {"inputs": inputs, "kernel": kernel, "bias": bias, "u": u}
        recorded["v"] = v / np.linalg.norm(v)

        layer = spectrally_normalized(make_layer(), 1, inputs.shape, [kernel, bias], u)
        for suffix in ("", "_second"):
            recorded[f"outputs{suffix}"] = layer(inputs, training=True).numpy()
            recorded[f"normalized_kernel{suffix}"] = layer.layer.kernel.numpy()
            recorded[f"u_after{suffix}"] = layer.u.numpy()
        layer = spectrally_normalized(make_layer(), 200, inputs.shape, [kernel, bias], u)
        recorded["outputs_converged"] = layer(inputs, training=True).numpy()
        recorded["normalized_kernel_converged"] = layer.layer.kernel.numpy()
        for key, value in recorded.items():
            yield f"spectral_norm/{name}/{key}", value


def spectrally_normalized(layer, power_iterations, input_shape, weights, u):
    """TFA's wrapper around the layer, with these weights and this start of the iteration."""
    wrapper = tfa.layers.SpectralNormalization(layer, power_iterations)
    wrapper.build(input_shape)
    layer.set_weights(weights)
    wrapper.u.assign(u)
    return wrapper


def moving_average():
    """averaged = decay * averaged + (1 - decay) * weights after each step, from the start."""
    rng = np.random.default_rng(MOVING_AVERAGE_SEED)
    start = rng.normal(size=(3, 4)).astype(np.float32)
    gradients = rng.normal(size=(5, 3, 4)).astype(np.float32)
    learning_rate, decay = 0.1, 0.9
    optimizer = tfa.optimizers.MovingAverage(
        tf.keras.optimizers.legacy.SGD(learning_rate), average_decay=decay
    )
    variable = tf.Variable(start)
    weights, averaged = [], []
    for gradient in gradients:
        optimizer.apply_gradients([(tf.constant(gradient), variable)])
        weights.append(variable.numpy())
        averaged.append(optimizer.get_slot(variable, "average").numpy())
    yield "moving_average/start", start
    yield "moving_average/gradients", gradients
    yield "moving_average/learning_rate", np.float32(learning_rate)
    yield "moving_average/decay", np.float32(decay)
    yield "moving_average/weights", np.stack(weights)
    yield "moving_average/averaged", np.stack(averaged)


def main():
    """Writes the goldens."""
    images = pictures(PICTURES_SEED, 12, 10)
    arrays = {
        "versions/tensorflow": np.str_(tf.__version__),
        "versions/tensorflow_addons": np.str_(tfa.__version__),
        "images": images,
    }
    for part in (rotations, translations, shears, cutouts):
        arrays.update(part(images))
    arrays.update(spectral_norms())
    arrays.update(moving_average())
    OUTPUT.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(OUTPUT, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(array), allow_pickle=False)
            # numpy.savez stamps the time of day into the archive; this date is the format's zero.
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, content.getvalue(), zipfile.ZIP_DEFLATED, 9)
    print(f"{len(arrays)} arrays, {OUTPUT.stat().st_size} bytes: tests/goldens/tfa.npz")


if __name__ == "__main__":
    main()
