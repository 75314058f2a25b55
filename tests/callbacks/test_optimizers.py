"""What Keras's callbacks and `use_ema` do to a GAN's two optimizers."""

import inspect

import keras
import numpy as np
import pytest

import kgan


def rates(gan):
    return [float(each.learning_rate) for each in (gan.g_optimizer, gan.d_optimizer)]


def test_a_schedule_acts_on_both_rates(traced_gan, real_images):
    traced_gan.g_optimizer.learning_rate = 1e-3
    traced_gan.d_optimizer.learning_rate = 4e-3
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    history = traced_gan.fit(
        real_images, batch_size=32, epochs=2, verbose=0, callbacks=[schedule]
    ).history
    np.testing.assert_allclose(rates(traced_gan), [2.5e-4, 1e-3], rtol=1e-6)
    if "learning_rate" not in history:  # Keras before 3.15 knows but one
        np.testing.assert_allclose(history["learning_rate_g_optimizer"], [5e-4, 2.5e-4], rtol=1e-6)
        np.testing.assert_allclose(history["learning_rate_d_optimizer"], [2e-3, 1e-3], rtol=1e-6)


def test_a_plateau_lowers_both_rates(traced_gan, real_images):
    traced_gan.g_optimizer.learning_rate = 1e-3
    traced_gan.d_optimizer.learning_rate = 4e-3
    plateau = keras.callbacks.ReduceLROnPlateau("never_better", factor=0.1, patience=1, mode="min")

    class Same(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["never_better"] = 1.0

    traced_gan.fit(real_images, batch_size=32, epochs=2, verbose=0, callbacks=[Same(), plateau])
    np.testing.assert_allclose(rates(traced_gan), [1e-4, 4e-4], rtol=1e-6)


def test_one_rate_for_both_keeps_their_ratio_through_zero(small_gan):
    # As Keras before 3.15 sets it.
    small_gan.g_optimizer.learning_rate = 1e-3
    small_gan.d_optimizer.learning_rate = 4e-3
    for rate in (5e-4, 0.0, 2e-3):
        small_gan.optimizer.learning_rate = rate
        np.testing.assert_allclose(rates(small_gan), [rate, 4 * rate], rtol=1e-6)


def own_gan(**compilation):
    generator = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(16, "tanh"), keras.layers.Reshape((4, 4, 1))]
    )
    discriminator = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    gan = kgan.GAN(generator, discriminator, seed=0)
    gan.compile(**compilation)
    return gan


REAL = np.random.default_rng(0).uniform(-1, 1, (32, 4, 4, 1)).astype(np.float32)


@pytest.mark.parametrize("scaled", [False, True])
def test_use_ema_leaves_the_average_in_the_network(scaled):
    sgd = keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.7)
    if scaled:
        sgd = keras.optimizers.LossScaleOptimizer(sgd, initial_scale=8.0)
    gan = own_gan(g_optimizer=sgd)
    kernel = gan.generator.trainable_variables[0]
    steps = []

    class Note(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps.append(kernel.numpy())

        def on_train_end(self, logs=None):
            self.at_the_end = kernel.numpy()

    note = Note()
    gan.fit(REAL, batch_size=8, epochs=2, verbose=0, callbacks=[note])
    average = steps[0]  # Keras starts it with the weights of the first step
    for step in steps[1:]:
        average = 0.7 * average + 0.3 * step
    np.testing.assert_allclose(kernel.numpy(), average, atol=1e-6)
    np.testing.assert_array_equal(note.at_the_end, kernel.numpy())
    assert np.abs(kernel.numpy() - steps[-1]).max() > 1e-3


def test_swapped_averages_are_what_an_epoch_ends_with():
    gan = own_gan(
        g_optimizer=keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.7),
        d_optimizer=keras.optimizers.SGD(0.1),
    )
    kernel, others = gan.generator.trainable_variables[0], gan.discriminator.trainable_variables[0]
    steps, ends = [], []

    class Note(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps.append((kernel.numpy(), others.numpy()))

        def on_epoch_end(self, epoch, logs=None):
            ends.append((kernel.numpy(), others.numpy()))

    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    gan.fit(REAL, batch_size=8, epochs=2, verbose=0, callbacks=[swap, Note()])
    average = steps[0][0]
    for index, (step, _) in enumerate(steps[1:], 1):
        average = 0.7 * average + 0.3 * step
        if index in (3, 7):
            np.testing.assert_allclose(ends[index // 4][0], average, atol=1e-6)
    np.testing.assert_array_equal(ends[1][1], steps[-1][1])  # the other has no average
    np.testing.assert_allclose(kernel.numpy(), average, atol=1e-6)


def test_one_of_several_averages_as_keras_before_3_15_reads_them():
    gan = own_gan(d_optimizer=keras.optimizers.SGD(0.5, use_ema=True))
    both = gan.optimizer
    assert both.use_ema
    assert both._trainable_variables == gan.discriminator.trainable_variables
    assert both._model_variables_moving_average == gan.d_optimizer._model_variables_moving_average
    assert not hasattr(own_gan().optimizer, "_model_variables_moving_average")


def test_tensorboard_writes_both_rates(tmp_path, traced_gan, real_images):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = keras.callbacks.TensorBoard(tmp_path, update_freq="epoch")
    traced_gan.fit(real_images, batch_size=32, verbose=0, callbacks=[board])
    events = EventAccumulator(str(tmp_path / "train"))
    events.Reload()
    assert "epoch_d_loss" in events.Tags()["tensors"]


def test_what_keras_offers_and_a_gan_has_otherwise_is_named(small_gan, tmp_path):
    for name in ("optimizer", "metrics"):
        with pytest.raises(kgan.InputError, match=f"takes no {name}: use"):
            small_gan.compile(**{name: "adam"})
        small_gan.compile(**{name: None})
    with pytest.raises(TypeError, match="learning_rat"):
        small_gan.compile(learning_rat=1e-3)
    with pytest.raises(kgan.InputError, match=r"kgan\.export\.to_saved_model"):
        small_gan.export(tmp_path / "export")
    for path in (tmp_path / "gan.h5", str(tmp_path / "gan.hdf5")):
        with pytest.raises(kgan.InputError, match=r"saved whole as \.keras"):
            small_gan.save(path)
    assert list(tmp_path.iterdir()) == []
    for name in ("save", "export"):
        ours, kerass = getattr(kgan.GAN, name), getattr(keras.Model, name)
        assert inspect.signature(ours) == inspect.signature(kerass)
