"""The same global batch on one, two and four replicas: the same losses, logs and weights."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import kgan
from kgan.training import fused_operations

pytestmark = pytest.mark.slow

SHAPE = (8, 8, 1)
ONE = tf.distribute.get_strategy()
REAL = np.random.default_rng(0).uniform(-1, 1, (32, *SHAPE)).astype(np.float32)
LABELS = (np.arange(32) % 3).astype(np.int32)


def own_networks(classes=None, synchronized=True):
    """Small convolutional networks with batch normalisation, or with labels in place of that."""
    latents = keras.Input((4,))
    images = keras.Input(SHAPE)
    x = keras.layers.Dense(4 * 4 * 4)(latents)
    y = keras.layers.Conv2D(4, 3, strides=2)(images)
    if classes:
        labels = keras.Input((), dtype="int32")
        x += keras.layers.Embedding(classes, 4 * 4 * 4)(labels)
        y += keras.layers.Reshape((1, 1, 4))(keras.layers.Embedding(classes, 4)(labels))
        latents, images = [latents, labels], [images, labels]
    else:
        x, y = (keras.layers.BatchNormalization(synchronized=synchronized)(t) for t in (x, y))
    x = keras.layers.Reshape((4, 4, 4))(keras.layers.LeakyReLU()(x))
    made = keras.layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh")(x)
    logits = keras.layers.Dense(1, dtype="float32")(keras.layers.Flatten()(keras.layers.ELU()(y)))
    return keras.Model(latents, made), keras.Model(images, logits)


def sgd():
    return {
        f"{role}_optimizer": keras.optimizers.SGD(0.005, momentum=0.5, nesterov=True)
        for role in ("g", "d")
    }


def train(strategy, gan=None, compiled=lambda: {}, data=REAL, labels=None, epochs=2):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = gan() if gan else kgan.GAN(*own_networks(), seed=0)
        model.compile(**sgd() | compiled())
    pictures = (data, labels) if labels is not None else data
    batches = tf.data.Dataset.from_tensor_slices(pictures).batch(8, drop_remainder=True)
    history = model.fit(batches, epochs=epochs, shuffle=False, verbose=0).history
    return model, history


def assert_same(one, other, tolerance=1e-5):
    (model, history), (twin, twin_history) = one, other
    assert history.keys() == twin_history.keys()
    for name in history:
        np.testing.assert_allclose(
            history[name], twin_history[name], rtol=tolerance, atol=tolerance, err_msg=name
        )
    for first, second in zip(model.variables, twin.variables, strict=True):
        if not first.path.startswith("evaluation"):
            np.testing.assert_allclose(
                first.numpy(), second.numpy(), rtol=0, atol=tolerance, err_msg=first.path
            )


def assert_replicas_agree(model):
    strategy = model.distribute_strategy
    for variable in model.variables:
        first, *others = strategy.experimental_local_results(variable.value)
        for other in others:
            np.testing.assert_array_equal(first.numpy(), other.numpy(), err_msg=variable.path)


@pytest.mark.slow
def test_a_dcgan_on_one_two_and_four_replicas(real_images, two_replicas, four_replicas):
    def gan():
        return kgan.GAN.from_preset(
            "dcgan",
            image_shape=(16, 20, 1),
            latent_dim=8,
            filters=2,
            ema_half_life_images=50,
            seed=0,
        )

    one = train(ONE, gan, data=real_images[:24], epochs=1)
    for strategy in (two_replicas, four_replicas):
        several = train(strategy, gan, data=real_images[:24], epochs=1)
        assert_same(one, several)
        assert_replicas_agree(several[0])
    # what is made of it: pictures, and a file that goes on on one device
    made = one[0].generate(4, seed=3).astype(int)
    assert np.abs(several[0].generate(4, seed=3).astype(int) - made).max() <= 1


CASES = {
    "joint": {},
    "penalty, d_steps": {
        "compiled": lambda: {"loss": kgan.losses.Wasserstein(gradient_penalty=1.0), "d_steps": 2}
    },
    "sequential, adaptive augmentation, LeCam": {
        "compiled": lambda: {
            "d_update": "sequential",
            "loss": kgan.losses.BCE(lecam=0.3),
            "diff_augment": kgan.layers.DiffAugment(target=0.6, adapt_images=100),
        }
    },
    "labels, relativistic, average": {
        "gan": lambda: kgan.GAN(
            *own_networks(classes=3), num_classes=3, ema_half_life_images=50, seed=0
        ),
        "compiled": lambda: {"loss": kgan.losses.Relativistic(r1_gamma=1.0, r2_gamma=1.0)},
        "labels": LABELS,
    },
    "fakes judged again": {"compiled": lambda: {"redraw_latents": False}},
    "fakes judged again, d_steps": {"compiled": lambda: {"redraw_latents": False, "d_steps": 2}},
    "blocks recomputed": {"compiled": lambda: {"remat": True}},
    "steps_per_execution": {"compiled": lambda: {"steps_per_execution": 2}},
    "Adam": {
        "compiled": lambda: {
            f"{role}_optimizer": keras.optimizers.Adam(1e-3, 0.5, epsilon=1e-3)
            for role in ("g", "d")
        }
    },
}


@pytest.mark.parametrize("case", CASES)
def test_two_replicas_train_as_one_device(case, two_replicas):
    one = train(ONE, **CASES[case])
    two = train(two_replicas, **CASES[case])
    assert_same(one, two)
    assert_replicas_agree(two[0])
    data = (REAL, LABELS) if "labels" in CASES[case] else REAL
    held_out = tf.data.Dataset.from_tensor_slices(data).batch(16)
    figures = [model.evaluate(held_out, verbose=0, return_dict=True) for model, _ in (one, two)]
    assert "d_loss" in figures[0]
    for name, value in figures[0].items():
        assert figures[1][name] == pytest.approx(value, rel=1e-4, abs=1e-5), name


def test_a_last_batch_that_does_not_go_round_is_evaluated_as_on_one_device(two_replicas):
    """Of nine pictures by four the last comes alone, and one replica has none."""
    figures = []
    for strategy in (ONE, two_replicas):
        model, _ = train(strategy, lambda: kgan.GAN(*own_networks(synchronized=False), seed=0))
        for network in (model.generator, model.discriminator):
            network.set_weights([np.full_like(w, 0.01) for w in network.get_weights()])
        data = tf.data.Dataset.from_tensor_slices(REAL[:9]).batch(4)
        figures.append(model.evaluate(data, verbose=0, return_dict=True))
    assert np.isfinite(list(figures[1].values())).all()
    assert figures[1]["real_logits"] == pytest.approx(figures[0]["real_logits"], rel=1e-5)


def test_steps_an_execution_that_do_not_divide_the_epoch(two_replicas):
    def compiled(n):
        return lambda: {"steps_per_execution": n}

    one, three = (train(two_replicas, compiled=compiled(n), epochs=1) for n in (1, 3))
    assert_same(one, three)  # four steps, one of them alone
    few = tf.data.Dataset.from_tensor_slices(REAL[:16]).batch(8)
    history = three[0].fit(few, shuffle=False, verbose=0).history
    assert np.isfinite(history["d_loss"]).all()
    assert three[0].batches_seen.numpy() == 6


@pytest.mark.parametrize("redraw", [True, False], ids=["redrawn", "judged again"])
def test_xla_compiles_each_replicas_arithmetic_to_the_same_numbers(two_replicas, redraw):
    def gan():
        return kgan.GAN(*own_networks(classes=3), num_classes=3, seed=0)

    def compiled_by(xla):
        return lambda: {"jit_compile": xla, "redraw_latents": redraw}

    plain = train(ONE, gan, compiled_by(False), labels=LABELS)
    compiled = train(two_replicas, gan, compiled_by(True), labels=LABELS)
    assert compiled[0].updates.compile_alone
    assert_same(plain, compiled)
    held_out = tf.data.Dataset.from_tensor_slices((REAL, LABELS)).batch(16)
    losses = [model.evaluate(held_out, verbose=0)[0] for model, _ in (plain, compiled)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_xla_over_several_replicas_refuses_synchronized_normalisation(two_replicas):
    with pytest.raises(kgan.InputError, match="leave jit_compile at 'auto'"):
        train(two_replicas, compiled=lambda: {"jit_compile": True})


def test_float16_scales_alike_on_two_replicas(two_replicas):
    keras.config.set_dtype_policy("mixed_float16")
    one = train(ONE)
    two = train(two_replicas)
    assert one[1]["skipped_updates"] == two[1]["skipped_updates"]
    for role in ("g", "d"):
        scales = [getattr(m, f"{role}_optimizer").dynamic_scale for m, _ in (one, two)]
        assert scales[0].numpy() == scales[1].numpy() > 1
    assert_same(one, two, tolerance=2e-2)  # sums of halves are rounded apart
    assert_replicas_agree(two[0])


def test_one_replica_with_a_bad_picture_makes_all_skip(two_replicas):
    poisoned = REAL[:8].copy()
    poisoned[6, 2, 2] = np.nan  # the second replica's part
    model, history = train(two_replicas, data=np.concatenate([REAL[:8], poisoned]), epochs=1)
    assert history["skipped_updates"] == [1.0]
    assert np.isfinite(np.concatenate([w.ravel() for w in model.get_weights()])).all()
    assert_replicas_agree(model)
    assert model.d_optimizer.iterations.numpy() == 1
    assert model.updates.suspect.numpy() == 0  # the pictures
    assert model.updates.streaks["discriminator"].numpy() == 1
    assert model.updates.streaks["generator"].numpy() == 0


def test_replicas_agree_though_normalisation_is_not_synchronized(
    two_replicas,
):
    def gan():
        return kgan.GAN(*own_networks(synchronized=False), seed=0)

    one = train(ONE, gan)
    model, history = train(two_replicas, gan)
    assert abs(history["d_loss"][-1] - one[1]["d_loss"][-1]) > 1e-4
    assert_replicas_agree(model)


def sums_over_replicas(strategy):
    """How many times the replicas wait for each other in a step of a dcgan."""
    with strategy.scope():
        model = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 1), filters=1, latent_dim=2)
        model.compile(jit_compile=False)
    images = tf.zeros((4, 16, 16, 1))
    step = tf.function(lambda: strategy.run(model.train_step, args=(images,)))
    graph = step.get_concrete_function().graph.as_graph_def()
    nodes = [*graph.node, *(node for part in graph.library.function for node in part.node_def)]
    return sum(node.op.startswith("CollectiveReduce") for node in nodes)


def test_a_normalisation_sums_over_the_replicas_at_once(two_replicas, monkeypatch):
    """Sum, sum of squares and count in one: what comes out is compared in the other tests."""
    at_once = sums_over_replicas(two_replicas)
    monkeypatch.setattr(
        fused_operations, "_sums_at_once", lambda networks: contextlib.nullcontext()
    )
    in_turn = sums_over_replicas(two_replicas)
    # Forward one for three: 4 normalisations of the generator twice, 3 of the discriminator
    # three times; backward one for two in each whose gradient is taken.
    assert in_turn - at_once >= 2 * (4 * 2 + 3 * 3)
    assert at_once < 0.6 * in_turn


def test_an_autoencoder_on_two_replicas(two_replicas):
    def autoencoder():
        return kgan.Autoencoder.from_preset("autoencoder", image_shape=SHAPE, latent_dim=4)

    results = []
    for strategy in (ONE, two_replicas):
        keras.utils.set_random_seed(0)
        with strategy.scope():
            model = autoencoder()
            model.compile(metrics=["mean_absolute_error"])
        data = tf.data.Dataset.from_tensor_slices(REAL).batch(8)
        results.append((model, model.fit(data, epochs=2, shuffle=False, verbose=0).history))
    for _, history in results:
        del history["mean_absolute_error"]  # Keras's own, which it adds up in its own way
    assert_same(*results)
    losses = [model.evaluate(data, verbose=0, return_dict=True)["loss"] for model, _ in results]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_saved_under_a_strategy_goes_on_on_one_device_and_back(tmp_path, two_replicas):
    model, _ = train(two_replicas)
    model.save(tmp_path / "model.keras")
    one = kgan.load_gan(tmp_path / "model.keras")
    with two_replicas.scope():
        two = kgan.load_gan(tmp_path / "model.keras")
    batches = tf.data.Dataset.from_tensor_slices(REAL).batch(8)
    histories = [m.fit(batches, shuffle=False, verbose=0).history for m in (one, two)]
    assert_same((one, histories[0]), (two, histories[1]))
    assert two.batches_seen.numpy() == 12


def test_fit_within_the_scope(two_replicas, tmp_path):
    pictures = np.random.default_rng(1).integers(0, 256, (20, *SHAPE), np.uint8)
    with two_replicas.scope():
        model = kgan.GAN(*own_networks(), seed=0)
        model.compile(diff_augment="color,cutout", **sgd())
        callbacks = [
            kgan.callbacks.RunDoctor(pictures, every_steps=2),
            kgan.callbacks.SampleGrid(tmp_path, every_steps=2, n=4),
        ]
        model.fit(REAL, batch_size=8, callbacks=callbacks, verbose=0)
    assert model.batches_seen.numpy() == 4
    names = [f"step-{step:06d}.png" for step in (0, 2, 4)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest.png", *names]


def test_an_optimizer_from_outside_the_scope_is_named(two_replicas):
    with two_replicas.scope():
        model = kgan.GAN(*own_networks(), seed=0)
    with pytest.raises(kgan.InputError, match="must be made in the scope of the strategy"):
        model.compile(**sgd())
    model.compile(g_optimizer="sgd", d_optimizer="adam")  # names are made there
    assert len(two_replicas.experimental_local_results(model.d_optimizer.iterations.value)) == 2
