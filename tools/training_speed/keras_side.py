"""TensorFlow's trainings of a row: kgan's, keras.io's and the TensorFlow tutorial's."""

import math
import time

import keras
import numpy as np
import tensorflow as tf

import kgan
from kgan.losses import LOSSES, AdversarialLoss
from training_speed.keras_networks import networks
from training_speed.machine import Window
from training_speed.rows import BATCHES, UNTIMED, Row, Variant

PEAK_SIDE = {"CPU": 2048, "GPU": 8192}

for gpu in tf.config.list_physical_devices("GPU"):
    tf.config.experimental.set_memory_growth(gpu, True)
DEVICE = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"

synchronize = tf.test.experimental.sync_devices


def device_name() -> str:
    """The GPU's name, or "CPU"."""
    for gpu in tf.config.list_physical_devices("GPU"):
        return tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
    return "CPU"


def adam(numbers: tuple[float, float, float]) -> keras.optimizers.Adam:
    """Of a row's learning rate and betas."""
    return keras.optimizers.Adam(*numbers)


def loss_of(row: Row) -> AdversarialLoss:
    """With the row's penalties."""
    return LOSSES[row.loss](r1_gamma=row.gamma, r2_gamma=row.gamma)


def judged(
    discriminator: keras.Model, images: tf.Tensor, gamma: float
) -> tuple[tf.Tensor, tf.Tensor | float]:
    """Logits and, where gamma is above 0, the penalty at the images."""
    if not gamma:
        return discriminator(images, training=True), 0.0
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = discriminator(images, training=True)
    steepness = tape.gradient(logits, images)
    squares = tf.reduce_sum(tf.square(steepness), axis=[1, 2, 3])
    return logits, 0.5 * gamma * tf.reduce_mean(squares)


class Stopwatch(keras.callbacks.Callback):
    """Times a fit from the end of its first steps to the end of its last one."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.first, self.last = UNTIMED - 1, UNTIMED + steps - 1
        self.window, self.timed = Window(), None

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if batch == self.first:
            synchronize()
            self.window.open()
        elif batch == self.last:
            synchronize()
            self.timed = self.window.close()


class Trainer:
    """What the trainings have in common: two networks, and pictures in memory.

    Args:
        row, variant: what is trained, and how.
        pictures: float32 (N, H, W, C), shown in random order; None for noise, which need not be.
        seed: of weights, latents and order.
    """

    def __init__(
        self, row: Row, variant: Variant, pictures: np.ndarray | None = None, seed: int = 0
    ) -> None:
        keras.utils.set_random_seed(seed)
        if variant.precision == "bfloat16":
            keras.config.set_dtype_policy("mixed_bfloat16")
        self.row, self.variant, self.device = row, variant, device_name()
        self.generator, self.discriminator = networks(row)
        if pictures is None:
            noise = tf.random.uniform((BATCHES * row.batch, *row.image_shape), -1.0, 1.0)
            dataset = tf.data.Dataset.from_tensor_slices(noise)
        else:
            dataset = tf.data.Dataset.from_tensor_slices(pictures).shuffle(len(pictures))
        self.pictures = dataset.batch(row.batch, drop_remainder=True).repeat().prefetch(2)

    @property
    def parameters(self) -> tuple[int, int]:
        """Trainable numbers of the generator and of the discriminator."""
        return tuple(
            sum(math.prod(variable.shape) for variable in network.trainable_variables)
            for network in (self.generator, self.discriminator)
        )

    def peak(self) -> float:
        """Floating-point operations a second of the best of some matrix products."""
        side = PEAK_SIDE[DEVICE]
        matrix = tf.cast(tf.random.uniform((side, side)), self.variant.precision)
        taken = []
        for _ in range(4):
            synchronize()
            begun = time.perf_counter()
            tf.matmul(matrix, matrix)
            synchronize()
            taken.append(time.perf_counter() - begun)
        return 2 * side**3 / min(taken)

    def device_memory(self) -> int | None:
        """The most bytes taken on the GPU."""
        return tf.config.experimental.get_memory_info("GPU:0")["peak"] if DEVICE == "GPU" else None


class Fitted(Trainer):
    """A training by `fit`."""

    model: keras.Model

    def run(self, steps: int) -> dict[str, float]:
        """Trains; what `Window` says of it."""
        watch = Stopwatch(steps)
        history = self.model.fit(
            self.pictures, steps_per_epoch=UNTIMED + steps, callbacks=[watch], verbose=0
        )
        losses = [history.history[name][-1] for name in ("d_loss", "g_loss")]
        assert all(map(math.isfinite, losses)), "the losses are not finite"
        return watch.timed


class Kgan(Fitted):
    """`kgan.GAN`."""

    def __init__(self, row: Row, variant: Variant) -> None:
        super().__init__(row, variant)
        self.model = kgan.GAN(self.generator, self.discriminator, value_range=(-1.0, 1.0))
        self.model.compile(
            loss_of(row),
            adam(row.g_adam),
            adam(row.d_adam),
            remat=variant.remat,
            jit_compile=variant.compiled,
        )

    def save(self, path: str) -> None:
        """Networks and optimizers."""
        self.model.save(f"{path}.keras")


class TwoTapes(keras.Model):
    """A GAN as https://keras.io/examples/generative/dcgan_overriding_train_step/ has it.

    It does kgan's work: real and fake images go through the discriminator separately, and the
    generator's half draws its own latents.
    """

    def __init__(self, generator: keras.Model, discriminator: keras.Model, row: Row) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.batch, self.latent_dim, self.gamma = row.batch, row.latent_dim, row.gamma
        self.seed_generator = keras.random.SeedGenerator(0)
        self.built = True

    def compile(
        self, loss: AdversarialLoss, g_optimizer: keras.Optimizer, d_optimizer: keras.Optimizer
    ) -> None:
        super().compile(jit_compile=False)
        self.adversarial_loss = loss
        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer
        self.means = {name: keras.metrics.Mean(name) for name in ("d_loss", "g_loss")}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.means.values())

    def train_step(self, real_images: tf.Tensor) -> dict[str, tf.Tensor]:
        shape = (self.batch, self.latent_dim)
        loss = self.adversarial_loss
        latents = keras.random.normal(shape, seed=self.seed_generator)
        fake_images = self.generator(latents, training=True)
        with tf.GradientTape() as tape:
            real_logits, real_penalty = judged(self.discriminator, real_images, self.gamma)
            fake_logits, fake_penalty = judged(self.discriminator, fake_images, self.gamma)
            d_loss = loss.discriminator_loss(real_logits, fake_logits)
            d_loss += real_penalty + fake_penalty
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights, strict=True))

        latents = keras.random.normal(shape, seed=self.seed_generator)
        real_logits = None
        if loss.pairs_real:
            real_logits = self.discriminator(real_images, training=True)
        with tf.GradientTape() as tape:
            fake_logits = self.discriminator(self.generator(latents, training=True), training=True)
            g_loss = loss.generator_loss(fake_logits, real_logits)
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))

        self.means["d_loss"].update_state(d_loss)
        self.means["g_loss"].update_state(g_loss)
        return {name: mean.result() for name, mean in self.means.items()}


class KerasIO(Fitted):
    """keras.io's `train_step`."""

    def __init__(self, row: Row, variant: Variant) -> None:
        super().__init__(row, variant)
        self.model = TwoTapes(self.generator, self.discriminator, row)
        self.model.compile(loss_of(row), adam(row.g_adam), adam(row.d_adam))

    def save(self, path: str) -> None:
        """Networks and optimizers."""
        self.model.save_weights(f"{path}.weights.h5")


class Tutorial(Trainer):
    """The loop of https://www.tensorflow.org/tutorials/generative/dcgan.

    Two tapes over one pass: the generator's half judges the discriminator's half's fakes again,
    with the discriminator as it was. With the row's networks, losses and penalties.
    """

    def __init__(
        self, row: Row, variant: Variant, pictures: np.ndarray | None = None, seed: int = 0
    ) -> None:
        super().__init__(row, variant, pictures, seed)
        loss = loss_of(row)
        self.g_optimizer, self.d_optimizer = adam(row.g_adam), adam(row.d_adam)
        self.batches = iter(self.pictures)

        @tf.function
        def train_step(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            noise = tf.random.normal([row.batch, row.latent_dim])
            with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
                made = self.generator(noise, training=True)
                real, real_penalty = judged(self.discriminator, images, row.gamma)
                fake, fake_penalty = judged(self.discriminator, made, row.gamma)
                g_loss = loss.generator_loss(fake, real)
                d_loss = loss.discriminator_loss(real, fake) + real_penalty + fake_penalty
            for network, optimizer, tape, total in (
                (self.generator, self.g_optimizer, g_tape, g_loss),
                (self.discriminator, self.d_optimizer, d_tape, d_loss),
            ):
                weights = network.trainable_variables
                gradients = tape.gradient(total, weights)
                optimizer.apply_gradients(zip(gradients, weights, strict=True))
            return d_loss, g_loss

        self.train_step = train_step

    def run(self, steps: int) -> dict[str, float]:
        """Trains; what `Window` says of it."""
        for _ in range(UNTIMED):
            self.train_step(next(self.batches))
        window = Window()
        synchronize()
        window.open()
        for _ in range(steps):
            losses = self.train_step(next(self.batches))
        synchronize()
        timed = window.close()
        assert all(math.isfinite(loss) for loss in losses), "the losses are not finite"
        return timed

    def save(self, path: str) -> None:
        """Networks and optimizers."""
        tf.train.Checkpoint(
            generator=self.generator,
            discriminator=self.discriminator,
            g_optimizer=self.g_optimizer,
            d_optimizer=self.d_optimizer,
        ).save(path)
