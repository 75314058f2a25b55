"""Fused kernels give what Keras's own chains of operations give, and NumPy from the formulas."""

import contextlib
import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.training import fused_operations

L = keras.layers
RNG = np.random.default_rng(0)


def one_layer(layer, shape):
    inputs = keras.Input(shape)
    network = keras.Model(inputs, layer(inputs))
    for weight in layer.weights:
        weight.assign(RNG.uniform(0.5, 1.5, weight.shape))
    return network


def trained(network, inputs, aims):
    """(outputs, gradients by the weights and the inputs, statistics written, kinds of nodes)."""
    norm = network.layers[-1]

    @tf.function(autograph=False)
    def step(inputs):
        with tf.GradientTape() as tape, keras.StatelessScope() as scope:
            tape.watch(inputs)
            outputs = network(inputs, training=True)
            loss = tf.reduce_sum(tf.cast(outputs, tf.float32) * aims)
        gradients = tape.gradient(loss, [*(v.value for v in norm.trainable_variables), inputs])
        written = [scope.get_current_value(v) for v in (norm.moving_mean, norm.moving_variance)]
        return outputs, gradients, written

    inputs = tf.constant(inputs)
    nodes = step.get_concrete_function(inputs).graph.get_operations()
    return *tf.nest.map_structure(np.asarray, step(inputs)), {node.type for node in nodes}


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((5, 3, 4), {}),
        ((7,), {"scale": False}),
        ((6, 3), {"center": False, "momentum": 0.7}),
        ((5, 3, 4), {"scale": False, "center": False, "epsilon": 0.1}),
    ],
)
def test_normalisation_by_the_batch_equals_keras_and_numpy(shape, options):
    network = one_layer(L.BatchNormalization(**options), shape)
    norm = network.layers[-1]
    inputs = RNG.normal(2, 3, (8, *shape)).astype(np.float32)
    aims = RNG.normal(size=inputs.shape).astype(np.float32)
    theirs = trained(network, inputs, aims)
    with fused_operations.batch_normalization(network):
        ours = trained(network, inputs, aims)
    assert "FusedBatchNormV3" in ours[3] - theirs[3]
    assert trained(network, inputs, aims)[3] == theirs[3]  # as it was before
    for found, expected in zip(tf.nest.flatten(ours[:3]), tf.nest.flatten(theirs[:3]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    # Ioffe and Szegedy 2015, algorithm 1; the variance is that of the values, as in Keras.
    axes = tuple(range(len(shape)))
    mean, variance = inputs.mean(axes, np.float64), inputs.var(axes, dtype=np.float64)
    expected = (inputs - mean) / np.sqrt(variance + norm.epsilon)
    expected = expected * (np.asarray(norm.gamma) if norm.scale else 1.0)
    expected = expected + (np.asarray(norm.beta) if norm.center else 0.0)
    np.testing.assert_allclose(ours[0], expected, rtol=1e-5, atol=1e-5)
    for moving, now, found in zip(
        (norm.moving_mean, norm.moving_variance), (mean, variance), ours[2], strict=True
    ):
        expected = norm.momentum * np.asarray(moving) + (1 - norm.momentum) * now
        np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_half_precision_keeps_the_statistics_in_float32(half):
    network = one_layer(L.BatchNormalization(dtype=f"mixed_{half}"), (4, 4, 3))
    inputs = RNG.normal(2, 3, (8, 4, 4, 3)).astype(np.float32)
    aims = RNG.normal(size=inputs.shape).astype(np.float32)
    theirs = trained(network, inputs, aims)
    with fused_operations.batch_normalization(network):
        ours = trained(network, inputs, aims)
    assert ours[0].dtype == theirs[0].dtype
    step = 2.0 ** (-8 if half == "bfloat16" else -11)  # half a place of a number near 1
    for found, expected in zip(tf.nest.flatten(ours[:3]), tf.nest.flatten(theirs[:3]), strict=True):
        largest = np.abs(expected.astype(np.float64)).max()
        assert np.abs(found.astype(np.float64) - expected).max() < 4 * step * largest
    for found, expected in zip(ours[2], theirs[2], strict=True):
        np.testing.assert_allclose(found, expected, rtol=step)


class Own(L.BatchNormalization):
    def _moments(self, inputs, mask):
        mean, variance = super()._moments(inputs, mask)
        return mean, 2.0 * variance


@pytest.mark.parametrize(
    "layer",
    [
        L.BatchNormalization(axis=1),
        L.BatchNormalization(renorm=True),
        L.BatchNormalization(trainable=False),
        L.BatchNormalization(dtype="float64"),
        L.BatchNormalization(dtype="bfloat16"),
        Own(),
    ],
)
def test_other_normalisation_is_left_to_keras(layer):
    network = one_layer(layer, (4, 3))
    inputs = RNG.normal(2, 3, (8, 4, 3)).astype(np.float32)
    with fused_operations.batch_normalization(network):
        step = tf.function(lambda x: network(x, training=True), autograph=False)
        graph = step.get_concrete_function(tf.constant(inputs)).graph
        assert "FusedBatchNormV3" not in {node.type for node in graph.get_operations()}
        assert network(inputs, training=False).shape == inputs.shape


@pytest.mark.parametrize("kind", [keras.optimizers.Adam, keras.optimizers.AdamW])
def test_adam_equals_keras_and_the_papers_formula(kind):
    start = [RNG.normal(size=shape).astype(np.float32) for shape in ((3, 4), (5,))]
    steps = [[RNG.normal(size=w.shape).astype(np.float32) for w in start] for _ in range(4)]
    options = {"learning_rate": 0.01, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-5}
    ended = []
    for fused in (False, True):
        weights = [keras.Variable(w) for w in start]
        optimizer = kind(**options)
        optimizer.build(weights)

        @tf.function(autograph=False)
        def step(gradients):
            with fused_operations.adam(optimizer) if fused else contextlib.nullcontext():  # noqa: B023
                optimizer.apply(gradients, weights)  # noqa: B023

        for gradients in steps:
            step([tf.constant(g) for g in gradients])
        nodes = step.get_concrete_function([tf.constant(g) for g in steps[0]]).graph
        kinds = [node.type for node in nodes.get_operations()]
        assert kinds.count("ResourceApplyAdam") == fused * len(weights)
        assert "update_step" not in vars(optimizer)
        ended.append([np.asarray(v) for v in (*weights, *optimizer.variables)])
    for found, expected in zip(*ended, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    if kind is keras.optimizers.AdamW:
        return
    # Kingma and Ba 2015, algorithm 1 in the form of its section 2, epsilon after the root.
    for place, value in enumerate(start):
        w, m, v = value.astype(np.float64), 0.0, 0.0
        for t, gradients in enumerate(steps, 1):
            g = gradients[place].astype(np.float64)
            m, v = 0.5 * m + 0.5 * g, 0.9 * v + 0.1 * g**2
            w = w - 0.01 * np.sqrt(1 - 0.9**t) / (1 - 0.5**t) * m / (np.sqrt(v) + 1e-5)
        np.testing.assert_allclose(ended[1][place], w, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("fused", [True, False])
def test_a_beta_2_of_the_step_is_as_in_torch(fused):
    """PyTorch's Adam with another beta_2 each step, as R3GAN's trainer sets it; float64 there."""
    torch = pytest.importorskip("torch")
    start = RNG.normal(size=(3, 4)).astype(np.float32)
    twin = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    theirs = torch.optim.Adam([twin], lr=0.01, betas=(0.0, 0.9), eps=1e-12)
    weight = keras.Variable(start)
    ours = keras.optimizers.Adam(0.01, beta_1=0.0, beta_2=0.5, epsilon=1e-12)
    ours.build([weight])
    if not fused:  # a rule of one's own, which no kernel takes over
        ours.update_step = functools.partial(type(ours).update_step, ours)

    @tf.function(autograph=False)
    def step(gradient, beta_2):
        with fused_operations.adam(ours, beta_2):
            ours.apply([gradient], [weight])

    for beta_2 in (0.9, 0.93, 0.98, 0.99):
        gradient = RNG.normal(size=start.shape).astype(np.float32)
        theirs.param_groups[0]["betas"] = (0.0, beta_2)
        twin.grad = torch.tensor(gradient, dtype=torch.float64)
        theirs.step()
        step(tf.constant(gradient), tf.constant(beta_2))
        assert ours.beta_2 == 0.5
        np.testing.assert_allclose(weight, twin.detach(), rtol=1e-4, atol=1e-6)
    assert step.experimental_get_tracing_count() == 1


def test_other_optimizers_are_left_to_keras():
    for optimizer in (keras.optimizers.Adam(amsgrad=True), keras.optimizers.SGD()):
        with fused_operations.adam(optimizer):
            assert "update_step" not in vars(optimizer)


def test_a_rule_of_ones_own_stays():
    optimizer = keras.optimizers.Adam()
    optimizer.build([keras.Variable(np.ones(3, np.float32))])
    optimizer.update_step = mine = lambda gradient, variable, rate: None
    with fused_operations.adam(optimizer):
        assert optimizer.update_step is mine
    assert optimizer.update_step is mine


@pytest.mark.parametrize("policy", ["float64", "bfloat16"])
def test_weights_of_other_precisions_train_as_in_keras(policy, real_images):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 20, 1), filters=2, seed=0)
        gan.compile()
        old = gan.generator.get_weights()
        history = gan.fit(real_images[:16], batch_size=8, verbose=0).history
    finally:
        keras.config.set_dtype_policy(before)
    assert np.isfinite([history["d_loss"], history["g_loss"]]).all()
    assert history["skipped_updates"] == [0.0]
    assert any((a != b).any() for a, b in zip(old, gan.generator.get_weights(), strict=True))


def test_layers_of_both_networks_are_derived_twice_with_the_discriminator():
    shared = L.BatchNormalization()
    one, other = one_layer(shared, (3,)), one_layer(L.BatchNormalization(), (3,))
    both = keras.Model(one.inputs, other(one.outputs[0]))
    with fused_operations.batch_normalization(both, but=one):
        assert "call" not in vars(shared)
        assert "call" in vars(other.layers[-1])


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_step_uses_them_where_it_can(penalty):
    shape = (16, 16, 1)
    gan = kgan.GAN.from_preset("dcgan", image_shape=shape, filters=2, seed=0)
    gan.compile(kgan.losses.BCE(r1_gamma=penalty))
    step = tf.function(gan.train_step, autograph=False)
    graph = step.get_concrete_function(tf.TensorSpec((4, *shape))).graph
    nodes = [*graph.get_operations()]
    for function in graph.as_graph_def().library.function:
        nodes += function.node_def
    kinds = [getattr(node, "type", None) or node.op for node in nodes]
    norms = [
        sum(isinstance(layer, L.BatchNormalization) for layer in network.layers)
        for network in (gan.generator, gan.discriminator)
    ]
    assert kinds.count("FusedBatchNormV3") == 2 * norms[0] + (0 if penalty else 3 * norms[1])
    updated = len(gan.generator.trainable_variables) + len(gan.discriminator.trainable_variables)
    assert kinds.count("ResourceApplyAdam") == updated
    assert "call" not in vars(gan.generator.layers[-2])
