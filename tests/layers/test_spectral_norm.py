"""Spectral normalisation against PyTorch's, NumPy's SVD and tensorflow-addons' recorded outputs."""

from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from keras import layers

import kgan
from kgan.errors import InputError
from kgan.layers import SpectralNormalization
from tests.oracle import needs_torch, torch

RNG = np.random.default_rng(3)
GOLDENS = np.load(Path(__file__).parents[1] / "goldens" / "tfa.npz")


def to_torch(images):
    return torch.tensor(np.moveaxis(images, -1, 1).copy())


class Case:
    """One kind of layer in both frameworks: how kernels, inputs and outputs go over."""

    def __init__(self, ours, theirs, inputs, kernel_axes, channels_first):
        self.ours, self.theirs, self.inputs = ours, theirs, inputs
        self.kernel_axes = kernel_axes  # our kernel's axes in the order of PyTorch's
        self.channels_first = channels_first

    def pair(self):
        """Our layer and PyTorch's, with the same kernel, bias and first vectors."""
        ours = SpectralNormalization(self.ours(), seed=1)
        ours(self.inputs)
        theirs = self.theirs()
        weights = [w.numpy() for w in ours.layer.weights]
        with torch.no_grad():
            theirs.weight.copy_(torch.tensor(weights[0].transpose(self.kernel_axes).copy()))
            if len(weights) > 1:
                theirs.bias.copy_(torch.tensor(weights[1]))
        theirs = torch.nn.utils.parametrizations.spectral_norm(theirs)
        vectors = theirs.parametrizations.weight[0]
        vectors._u.copy_(torch.tensor(ours.u.numpy()))
        # Our matrix has the kernel's other axes in our order, PyTorch's in its own.
        row = ours.rows_axis % len(self.kernel_axes)
        others = [axis for axis in range(len(self.kernel_axes)) if axis != row]
        v = ours.v.numpy().reshape([weights[0].shape[axis] for axis in others])
        order = [others.index(axis) for axis in self.kernel_axes if axis != row]
        vectors._v.copy_(torch.tensor(v.transpose(order).ravel()))
        return ours, theirs, vectors

    def to_theirs(self, inputs):
        return to_torch(inputs) if self.channels_first else torch.tensor(inputs)

    def to_ours(self, outputs):
        outputs = outputs.detach().numpy()
        return np.moveaxis(outputs, 1, -1) if self.channels_first else outputs


CASES = {
    "Dense": Case(
        lambda: layers.Dense(5, bias_initializer="normal"),
        lambda: torch.nn.Linear(7, 5),
        RNG.normal(size=(4, 7)).astype(np.float32),
        (1, 0),
        False,
    ),
    "Conv2D": Case(
        lambda: layers.Conv2D(6, 3, padding="same", bias_initializer="normal"),
        lambda: torch.nn.Conv2d(3, 6, 3, padding=1),
        RNG.normal(size=(2, 5, 6, 3)).astype(np.float32),
        (3, 2, 0, 1),
        True,
    ),
    "Conv2DTranspose": Case(
        lambda: layers.Conv2DTranspose(6, 4, strides=2, padding="same", bias_initializer="normal"),
        lambda: torch.nn.ConvTranspose2d(3, 6, 4, 2, 1),
        RNG.normal(size=(2, 5, 6, 3)).astype(np.float32),
        (3, 2, 0, 1),
        True,
    ),
    "Embedding": Case(
        lambda: layers.Embedding(9, 4),
        lambda: torch.nn.Embedding(9, 4),
        np.array([0, 3, 8, 3]),
        (0, 1),
        False,
    ),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def matrix_of(layer):
    kernel = np.moveaxis(layer.kernel.numpy(), layer.rows_axis, 0)
    return kernel.reshape(len(kernel), -1)


@needs_torch
@pytest.mark.parametrize("calls", [1, 2, 5])
def test_outputs_gradients_and_u_equal_pytorchs(case, calls):
    ours, theirs, vectors = case.pair()
    start = ours.u.numpy()
    for _ in range(calls):
        expected = theirs(case.to_theirs(case.inputs))
        with tf.GradientTape() as tape:
            outputs = ours(case.inputs, training=True)
            loss = tf.reduce_sum(outputs**3)
    np.testing.assert_allclose(outputs, case.to_ours(expected), atol=1e-5)
    np.testing.assert_allclose(ours.u.numpy(), vectors._u.numpy(), atol=1e-5)
    assert np.abs(ours.u.numpy() - start).max() > 1e-5
    (expected**3).sum().backward()
    gradient = tf.convert_to_tensor(tape.gradient(loss, ours.kernel.value)).numpy()
    expected_gradient = theirs.parametrizations.weight.original.grad.numpy()
    received = gradient.transpose(case.kernel_axes)
    scale = np.abs(expected_gradient).max()
    np.testing.assert_allclose(received / scale, expected_gradient / scale, atol=1e-5)


@needs_torch
def test_inference_equals_pytorchs_and_moves_no_vector(case):
    ours, theirs, _ = case.pair()
    before = [ours.u.numpy(), ours.v.numpy()]
    outputs = ours(case.inputs, training=False)
    expected = case.to_ours(theirs.eval()(case.to_theirs(case.inputs)))
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    for vector, kept in zip((ours.u, ours.v), before, strict=True):
        np.testing.assert_array_equal(vector.numpy(), kept)


def test_the_largest_singular_value_becomes_one(case):
    layer = SpectralNormalization(case.ours(), power_iterations=200)
    layer(case.inputs, training=True)
    sigma = layer.u.numpy() @ matrix_of(layer) @ layer.v.numpy()
    assert sigma == pytest.approx(np.linalg.svd(matrix_of(layer))[1][0], rel=1e-5)


def test_the_first_vectors_follow_the_kernel(case):
    """Fifteen iterations at the start, as PyTorch does: sigma is right to a few percent at once."""
    layer = SpectralNormalization(case.ours(), seed=5)
    layer(case.inputs)
    sigma = layer.u.numpy() @ matrix_of(layer) @ layer.v.numpy()
    assert sigma == pytest.approx(np.linalg.svd(matrix_of(layer))[1][0], rel=0.05)


@pytest.mark.parametrize("name", ["dense", "conv2d"])
def test_inference_equals_tensorflow_addons(name):
    """TFA takes v from u, then u from v; from its vectors the same kernel follows.

    Its Conv2DTranspose is another matrix: TFA lays it out by the inputs.
    """
    golden = {key: GOLDENS[f"spectral_norm/{name}/{key}"] for key in ("inputs", "kernel", "bias")}
    made = {
        "dense": lambda: layers.Dense(5),
        "conv2d": lambda: layers.Conv2D(5, 3, strides=2, padding="same"),
    }[name]()
    layer = SpectralNormalization(made)
    layer(golden["inputs"])
    made.set_weights([golden["kernel"], golden["bias"]])
    layer.u.assign(GOLDENS[f"spectral_norm/{name}/u_after"][0])
    layer.v.assign(GOLDENS[f"spectral_norm/{name}/v"][0])
    expected = GOLDENS[f"spectral_norm/{name}/outputs"]
    np.testing.assert_allclose(layer(golden["inputs"]), expected, atol=1e-5)
    converged = SpectralNormalization(made, power_iterations=200)
    converged.build(golden["inputs"].shape)
    expected = GOLDENS[f"spectral_norm/{name}/outputs_converged"]
    np.testing.assert_allclose(converged(golden["inputs"], training=True), expected, atol=1e-5)


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "xla"])
def test_graph_and_xla_equal_eager(case, jit_compile):
    eager, graph = (SpectralNormalization(case.ours(), seed=2) for _ in range(2))
    eager(case.inputs)
    graph(case.inputs)
    graph.set_weights(eager.get_weights())

    @tf.function(jit_compile=jit_compile)
    def step(inputs):
        return graph(inputs, training=True)

    for _ in range(2):
        expected = eager(case.inputs, training=True)
        np.testing.assert_allclose(step(tf.constant(case.inputs)), expected, atol=1e-5)
    np.testing.assert_allclose(graph.u.numpy(), eager.u.numpy(), atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_keeps_the_variables_and_sigma_in_float32(case, policy):
    layer = SpectralNormalization(case.ours(), seed=2)
    layer(case.inputs)
    keras.config.set_dtype_policy(policy)
    half = SpectralNormalization(case.ours(), seed=2)
    half(case.inputs)
    half.set_weights(layer.get_weights())
    outputs = half(case.inputs, training=True)
    expected = layer(case.inputs, training=True)
    assert outputs.dtype == policy.removeprefix("mixed_")
    assert {w.dtype for w in half.weights} == {"float32"}
    # the vectors were worked out in float32: no rounding of the kernel is in them
    np.testing.assert_allclose(half.u.numpy(), layer.u.numpy(), atol=1e-6)
    np.testing.assert_allclose(np.float32(outputs), expected, atol=0.05)


def test_replicas_agree_under_mirrored_strategy(case, two_replicas):
    inputs = case.inputs
    alone = SpectralNormalization(case.ours(), seed=2)
    alone(inputs)
    with two_replicas.scope():
        layer = SpectralNormalization(case.ours(), seed=2)
        layer.build(inputs.shape)
        layer.set_weights(alone.get_weights())

    @tf.function
    def step():
        return two_replicas.run(lambda: layer(inputs, training=True))

    for _ in range(2):
        outputs = two_replicas.experimental_local_results(step())
        expected = alone(inputs, training=True)
    assert len(outputs) == 2
    for output in outputs:
        np.testing.assert_allclose(output, expected, atol=1e-5)
    for copy in two_replicas.experimental_local_results(layer.u.value):
        np.testing.assert_allclose(copy.numpy(), alone.u.numpy(), atol=1e-6)


def test_two_calls_in_one_step_use_one_kernel_and_leave_it_alone():
    """What keras.layers.SpectralNormalization does not: D(real) + D(fake), then one update."""
    layer = SpectralNormalization(layers.Dense(3, use_bias=False))
    real, fake = RNG.normal(size=(2, 4, 6)).astype(np.float32)
    layer(real)
    layer.layer.kernel.assign(7.0 * layer.layer.kernel)
    before = layer.layer.kernel.numpy()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(real, training=True)) - tf.reduce_sum(layer(fake, training=True))
    np.testing.assert_array_equal(layer.layer.kernel.numpy(), before)
    assert tape.gradient(loss, layer.layer.kernel.value) is not None


def test_it_is_saved_and_exported_as_a_plain_convolution(tmp_path):
    """sigma is folded into the kernels: nothing but convolutions is left in the file."""
    generator = keras.Sequential(
        [
            keras.Input((6,)),
            SpectralNormalization(layers.Dense(4 * 4 * 3)),
            layers.Reshape((4, 4, 3)),
            SpectralNormalization(layers.Conv2DTranspose(5, 4, strides=2, padding="same")),
            SpectralNormalization(layers.Conv2D(1, 3, padding="same", activation="tanh")),
        ]
    )
    generator.save(tmp_path / "generator.keras")
    again = keras.models.load_model(tmp_path / "generator.keras")
    latents = kgan.latents.from_seeds(range(3), 6)
    np.testing.assert_array_equal(again(latents), generator(latents))
    assert [w.shape for w in again.weights] == [w.shape for w in generator.weights]
    judge = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1)])
    path = kgan.export.to_onnx(kgan.GAN(generator, judge), tmp_path / "export").path
    model = onnx.load(path / "model.onnx")
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("Conv") + kinds.count("ConvTranspose") == 2
    assert not {"Div", "Sqrt", "ReduceSum", "ReduceL2"} & set(kinds)
    assert kinds.count("MatMul") + kinds.count("Gemm") == 1
    largest = max(np.prod(tensor.dims) for tensor in model.graph.initializer)
    assert largest == 6 * 48  # no kernel beside its normalised self


def test_a_kernel_of_zeros_and_one_set_by_hand_stay_finite():
    zeros = layers.Dense(3, use_bias=False, kernel_initializer="zeros")
    layer = SpectralNormalization(zeros)
    inputs = RNG.normal(size=(2, 4)).astype(np.float32)
    np.testing.assert_array_equal(layer(inputs, training=True), 0.0)
    zeros.kernel.assign(RNG.normal(size=(4, 3)))  # as an optimizer's first step would
    for _ in range(60):
        layer(inputs, training=True)
    sigma = layer.u.numpy() @ matrix_of(layer) @ layer.v.numpy()
    assert sigma == pytest.approx(np.linalg.svd(matrix_of(layer))[1][0], rel=1e-3)
    expected = layer(inputs)
    zeros.kernel.assign(-zeros.kernel)  # u and v left as they were: sigma is below 0
    np.testing.assert_allclose(layer(inputs), expected, atol=1e-5)


def test_activity_regularizers_of_the_wrapped_layer_are_kept():
    layer = SpectralNormalization(layers.Dense(3, activity_regularizer="l2"))
    outputs = layer(np.ones((2, 4), np.float32))
    (loss,) = layer.losses
    expected = 0.01 * float(tf.reduce_sum(outputs**2)) / 2  # Keras takes the mean over a batch
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_mistakes_are_named():
    with pytest.raises(InputError, match="takes Dense, Conv2D, Conv2DTranspose, Embedding"):
        SpectralNormalization(layers.LSTM(3))
    with pytest.raises(InputError, match=r"at least 1\. Received: 0"):
        SpectralNormalization(layers.Dense(3), power_iterations=0)
