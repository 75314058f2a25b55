"""`EMA`: begins an averaged generator in a fit."""

from __future__ import annotations

import keras

from kgan.callbacks.periodic import Logs
from kgan.errors import InputError
from kgan.training.averaging import check_half_life


class EMA(keras.callbacks.Callback):
    """Averages a `GAN`'s generator from the beginning of `fit`, as `ema_half_life_images` does.

    For a model that was made without an average; one that has the same average continues it.

    Args:
        half_life_images: half-life of the exponential moving average, in real images seen.

    Raises:
        InputError: not a number above 0; in `fit`, a half-life that differs from the model's.
    """

    def __init__(self, half_life_images: float) -> None:
        super().__init__()
        if not check_half_life(half_life_images):
            raise InputError(
                f"The half-life of an average must be above 0. Received: {half_life_images!r}"
            )
        self.half_life_images = half_life_images

    def on_train_begin(self, logs: Logs = None) -> None:
        self.model.start_average(self.half_life_images)
