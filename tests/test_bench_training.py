"""The benchmark of training compares the same work: the same networks, losses and updates."""

import dataclasses
import math
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.oracle import needs_torch, torch

TOOLS = Path(__file__).parents[1] / "tools"
STEPS = 2

# Each row of the benchmark at a small size, and the maps that its Dense layers make and take.
SMALL = {
    "dcgan-64": ({"image_shape": (16, 16, 3), "filters": 2}, [(4, 4, 16)]),
    "tutorial-28": (
        {"image_shape": (8, 8, 1), "filters": 4, "dropout": 0.0},
        [(2, 2, 16), (2, 2, 8)],
    ),
    "sagan-64": ({"image_shape": (16, 16, 3), "filters": 4}, []),
    "r3gan-32": ({"image_shape": (8, 8, 3), "filters": 8}, []),
}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["dcgan"], "no such row: dcgan (there are dcgan-64, "),
        (["--variants", "jax"], "no such variant: jax (there are torch, "),
        (["--rounds", "0"], "argument --rounds: invalid positive value: '0'"),
    ],
)
def test_what_it_cannot_run_is_told(arguments, told):
    command = [sys.executable, str(TOOLS / "bench_training.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert told in done.stderr.splitlines()[-1]


def turned(values):
    """(..., H, W, C) as (..., C, H, W), turned round."""
    return np.moveaxis(values[..., ::-1, ::-1, :], -1, -3).copy()


def reordered(values, axis, maps):
    """An axis over maps (H, W, C) in PyTorch's order; another as it is."""
    for shape in maps:
        if values.shape[axis] == math.prod(shape):
            return values.take(turned(np.arange(math.prod(shape)).reshape(shape)).ravel(), axis)
    return values


def as_torch_has_it(value, shape, maps):
    """A weight of Keras's as PyTorch's of that shape."""
    if value.ndim == 4:
        kernels = turned(value.transpose(3, 0, 1, 2))
        return kernels if kernels.shape == shape else turned(value.transpose(2, 0, 1, 3))
    if value.ndim == 3:
        return turned(value)
    if value.ndim == 2:
        return reordered(reordered(value, 1, maps), 0, maps).T
    return reordered(value, 0, maps).reshape(shape) if value.ndim else value


def weights_in_order(module):
    """PyTorch's trainable weights in the order of Keras's."""
    for part in module.modules():
        if hasattr(part, "parametrizations"):
            yield part.parametrizations.weight.original
        if type(part).__name__ != "ParametrizationList":
            yield from part.parameters(recurse=False)


def copy_weights(network, module, maps):
    """Gives the PyTorch network Keras's weights and singular vectors."""
    pairs = zip(network.trainable_variables, weights_in_order(module), strict=True)
    for variable, weight in pairs:
        value = as_torch_has_it(variable.numpy(), tuple(weight.shape), maps)
        assert value.shape == tuple(weight.shape), variable.path
        weight.data = torch.tensor(np.ascontiguousarray(value))
    places = {variable.path: place for place, variable in enumerate(network.trainable_variables)}
    spectral = [one for one in network._flatten_layers() if hasattr(one, "follow")]
    spectral.sort(key=lambda one: places[one.kernel.path])
    theirs = [part for part in module.modules() if type(part).__name__ == "_SpectralNorm"]
    for one, part in zip(spectral, theirs, strict=True):
        kernel = np.moveaxis(one.kernel.numpy(), one.rows_axis, 0)
        part._u.data = torch.tensor(one.u.numpy())
        part._v.data = torch.tensor(turned(one.v.numpy().reshape(kernel.shape[1:])).reshape(-1))


def shake(network):
    """Takes zeros away: what starts at zero would hide what it is multiplied with."""
    random = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign_add(random.normal(0, 0.05, variable.shape))
    for one in network._flatten_layers():
        for _ in range(200 if hasattr(one, "follow") else 0):
            one.follow()


@needs_torch
@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_all_do_the_same_work(name, monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    from training_speed import keras_side, torch_side
    from training_speed.rows import ROWS, VARIANTS

    small, maps = SMALL[name]
    row = dataclasses.replace(ROWS[name], batch=4, latent_dim=5, **small)
    random = np.random.default_rng(1)
    images = random.uniform(-1, 1, (STEPS, row.batch, *row.image_shape)).astype("float32")
    latents = random.normal(size=(STEPS, 2, row.batch, row.latent_dim)).astype("float32")

    ours = keras_side.Kgan(row, VARIANTS["kgan"])
    for network in (ours.generator, ours.discriminator):
        shake(network)
    theirs = keras_side.KerasIO(row, VARIANTS["keras-io"])
    tutorial = keras_side.Tutorial(row, VARIANTS["tutorial"])
    twin = torch_side.Torch(row, VARIANTS["torch"])
    assert ours.parameters == theirs.parameters == tutorial.parameters == twin.parameters
    for role in ("generator", "discriminator"):
        for other in (theirs, tutorial):
            getattr(other, role).set_weights(getattr(ours, role).get_weights())
        network = getattr(ours, role)
        copy_weights(network, getattr(twin, role), maps)

    drawn = iter(())
    ours.model.draw_latents = lambda _: tf.constant(next(drawn))
    monkeypatch.setattr(keras.random, "normal", lambda *_, **__: tf.constant(next(drawn)))
    monkeypatch.setattr(tf.random, "normal", lambda *_: tf.constant(latents[0, 0]))
    first = tutorial.train_step(tf.constant(images[0]))
    for step in range(STEPS):
        losses = []
        for model in (ours.model, theirs.model):
            model.reset_metrics()
            drawn = iter(latents[step])
            logs = model.train_step(tf.constant(images[step]))
            d_loss = logs["d_loss"] + logs.get("penalty", 0.0)  # apart in kgan's figures
            losses.append([float(d_loss), float(logs["g_loss"])])
        real = torch.tensor(turned(images[step]))
        losses.append([float(loss) for loss in twin.step(real, *map(torch.tensor, latents[step]))])
        # Adam's first steps are as long for a gradient of rounding errors as for any other.
        np.testing.assert_allclose(losses[1:], losses[:1] * 2, atol=1e-4 * 10**step)
        if step == 0:
            np.testing.assert_allclose(float(first[0]), losses[0][0], atol=1e-4)
