"""`EMA`: begins an averaged generator in a fit."""

import keras

from kgan.errors import InputError
from kgan.training.averaging import check_half_life


class EMA(keras.callbacks.Callback):
    """Averages a `GAN`'s generator from the beginning of `fit`, as `ema_half_life_images` does.

    For a model that was made without; one with the same average goes on with it.

    Args:
        half_life_images: half-life of the exponential moving average, in real images seen.

    Raises:
        InputError: no number above 0; out of `fit`, another half-life than the model's.
    """

    def __init__(self, half_life_images):
        super().__init__()
        if not check_half_life(half_life_images):
            raise InputError(f"An average has a half-life above 0. Received: {half_life_images!r}")
        self.half_life_images = half_life_images

    def on_train_begin(self, logs=None):
        self.model.start_average(self.half_life_images)
