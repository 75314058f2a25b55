"""TensorFlow's and keras.io's DCGAN, each with its own loop."""

import time

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from training_speed.keras_side import Tutorial
from training_speed.rows import ROWS, VARIANTS, narrowed

CHUNK = 5  # steps between two looks at the clock
DRAWN = 100  # images at a time


class TutorialPeer:
    """https://www.tensorflow.org/tutorials/generative/dcgan, of 28x28x1 as it is.

    Args:
        divisor: what its widths are divided by.
        pictures: float32 (N, 28, 28, 1), from -1 to 1.
        seed: of weights, latents and order.
    """

    def __init__(self, divisor: int, pictures: np.ndarray, seed: int) -> None:
        self.row = narrowed(ROWS["tutorial-28"], divisor)
        self.trainer = Tutorial(self.row, VARIANTS["tutorial"], pictures, seed)

    def train(self, seconds: float) -> int:
        """Trains for so many seconds of the processor's; the steps."""
        begun, before = time.process_time(), int(self.trainer.g_optimizer.iterations)
        while time.process_time() - begun < seconds:
            self.trainer.run(CHUNK)
        return int(self.trainer.g_optimizer.iterations) - before

    def draw(self, n: int) -> np.ndarray:
        """Images, uint8 (n, 28, 28, 1)."""
        return drawn(self.trainer.generator, self.row.latent_dim, n, 127.5, 127.5)


class KerasExample(keras.Model):
    """https://keras.io/examples/generative/dcgan_overriding_train_step/ for 28x28x1.

    That is of 64x64x3, with three steps of resolution: here it has the first two of the
    generator's and the first two of the discriminator's. Both halves of the discriminator's
    batch go through it together, with noise on their labels.

    Args:
        divisor, pictures, seed: as for `TutorialPeer`.
    """

    LATENTS, BATCH, RATE = 128, 32, 1e-4

    def __init__(self, divisor: int, pictures: np.ndarray, seed: int) -> None:
        super().__init__()
        keras.utils.set_random_seed(seed)
        narrow, wide = 128 // divisor, 256 // divisor
        self.discriminator = keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                layers.Conv2D(narrow // 2, 4, 2, "same"),
                layers.LeakyReLU(0.2),
                layers.Conv2D(narrow, 4, 2, "same"),
                layers.LeakyReLU(0.2),
                layers.Flatten(),
                layers.Dropout(0.2),
                layers.Dense(1, activation="sigmoid"),
            ]
        )
        self.generator = keras.Sequential(
            [
                keras.Input((self.LATENTS,)),
                layers.Dense(7 * 7 * narrow),
                layers.Reshape((7, 7, narrow)),
                layers.Conv2DTranspose(narrow, 4, 2, "same"),
                layers.LeakyReLU(0.2),
                layers.Conv2DTranspose(wide, 4, 2, "same"),
                layers.LeakyReLU(0.2),
                layers.Conv2D(1, 5, padding="same", activation="sigmoid"),
            ]
        )
        self.built = True
        self.g_optimizer, self.d_optimizer = (keras.optimizers.Adam(self.RATE) for _ in "gd")
        self.loss_fn = keras.losses.BinaryCrossentropy()
        self.seeds = keras.random.SeedGenerator(seed)
        data = tf.data.Dataset.from_tensor_slices((pictures + 1.0) / 2.0).shuffle(len(pictures))
        self.pictures = data.batch(self.BATCH, drop_remainder=True).repeat().prefetch(2)
        self.compile()

    def train_step(self, real_images):
        """One step, as published."""
        count = tf.shape(real_images)[0]
        made = self.generator(keras.random.normal((count, self.LATENTS), seed=self.seeds))
        labels = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], axis=0)
        labels += 0.05 * tf.random.uniform(tf.shape(labels))
        with tf.GradientTape() as tape:
            judged = self.discriminator(tf.concat([made, real_images], axis=0), training=True)
            d_loss = self.loss_fn(labels, judged)
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights, strict=True))
        latents = keras.random.normal((count, self.LATENTS), seed=self.seeds)
        with tf.GradientTape() as tape:
            judged = self.discriminator(self.generator(latents, training=True), training=True)
            g_loss = self.loss_fn(tf.zeros((count, 1)), judged)
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))
        return {"d_loss": d_loss, "g_loss": g_loss}

    def train(self, seconds: float) -> int:
        """As `TutorialPeer.train`, by one `fit`."""
        before, endless = int(self.g_optimizer.iterations), 10**9
        stop = StopAt(time.process_time() + seconds)
        self.fit(self.pictures, steps_per_epoch=endless, callbacks=[stop], verbose=0)
        return int(self.g_optimizer.iterations) - before

    def draw(self, n: int) -> np.ndarray:
        """As `TutorialPeer.draw`."""
        return drawn(self.generator, self.LATENTS, n, 255.0, 0.0)


class StopAt(keras.callbacks.Callback):
    """Ends a fit at a time of the processor's."""

    def __init__(self, end: float) -> None:
        super().__init__()
        self.end = end

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.model.stop_training = time.process_time() >= self.end


def drawn(generator: keras.Model, dim: int, n: int, scale: float, zero: float) -> np.ndarray:
    """Images in inference mode, as both publications draw them."""
    parts = [
        generator(tf.random.normal((min(DRAWN, n - done), dim)), training=False).numpy()
        for done in range(0, n, DRAWN)
    ]
    return np.clip(np.rint(np.concatenate(parts) * scale + zero), 0, 255).astype(np.uint8)


PEERS = {"tutorial": TutorialPeer, "keras.io": KerasExample}
