"""`Autoencoder`: an encoder and a decoder as one keras.Model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from kgan import images as image_law
from kgan.channels import MOST_CHANNELS
from kgan.errors import InputError
from kgan.images import check_range
from kgan.models.presets import AutoencoderPreset, adam, get_preset, make_networks
from kgan.models.rebuild import float32_copy
from kgan.training import batches, fused_operations, replicas
from kgan.training.guarded_update import Updates, ready_optimizer
from kgan.training.network_checks import computes_in_float16, input_shapes, run_network
from kgan.training.two_networks import TwoNetworks


@keras.saving.register_keras_serializable(package="kgan")
class Autoencoder(TwoNetworks):
    """Learns to reproduce the images it is shown through a narrow code.

    `fit` takes batches of images alone, as a GAN does; each is its own target.
    Called as a model it maps images to their reconstructions.

    Args:
        encoder: built Keras model, images (B, H, W, C) -> codes (B, ...).
        decoder: built Keras model, codes -> images.
        preset: name of the preset whose loss and optimizer `compile` takes when
            it is given none; None for mean squared error and Adam(1e-3).
        value_range: (low, high) of the images.

    Raises:
        InputError: networks that do not fit together, or an unknown preset.

    Reference:
        Hinton and Salakhutdinov 2006, https://doi.org/10.1126/science.1127647
    """

    kind = "autoencoder"
    roles: ClassVar = ("encoder", "decoder")
    role = "autoencoder"  # both are updated as one

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        *,
        preset: str | None = None,
        value_range: tuple[float, float] = (-1.0, 1.0),
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        taken, _ = input_shapes("encoder", encoder)
        codes = encoder.compute_output_shape(taken)
        if len(taken) != 4 or taken[-1] not in range(1, MOST_CHANNELS + 1):
            raise InputError(
                "The encoder must take images (batch, H, W, C) with C from 1 to "
                f"{MOST_CHANNELS}. It takes: {taken}"
            )
        expected, _ = input_shapes("decoder", decoder)
        decoded = decoder.compute_output_shape(expected)
        if (tuple(expected[1:]), tuple(decoded[1:])) != (tuple(codes[1:]), taken[1:]):
            raise InputError(
                f"The decoder must map the codes {codes} to what the encoder takes, {taken}. "
                f"It maps {expected} to {decoded}"
            )
        if preset is not None:
            get_preset(preset, AutoencoderPreset)
        self.encoder = encoder
        self.decoder = decoder
        self.preset = preset
        self.tell_what_is_not_saved()
        self.value_range = check_range("value_range", value_range)
        self.image_shape = taken[1:]
        self.code_shape = tuple(codes[1:])
        self.batches_seen = self.add_weight(
            shape=(), initializer="zeros", dtype="int64", trainable=False, name="batches_seen"
        )
        self.updates = Updates([self.role], always=["loss"], where_they_are=[])
        self.built = True

    @classmethod
    def from_preset(
        cls,
        preset: str,
        *,
        image_shape: Sequence[int] | None = None,
        latent_dim: int | None = None,
        filters: int | None = None,
    ) -> Autoencoder:
        """An autoencoder with a preset's networks; each argument left None takes its own.

        Args:
            preset: a name in `kgan.models.PRESETS`.
            image_shape: (H, W, C).
            latent_dim: length of a code, where a code is a vector.
            filters: width unit, where there is one.

        Raises:
            InputError: an unknown preset, or a size that the preset cannot make.
        """
        get_preset(preset, AutoencoderPreset)
        networks = make_networks(
            preset, image_shape=image_shape, latent_dim=latent_dim, filters=filters
        )
        return cls(**networks, preset=preset)

    def compile(self, optimizer: Any = None, loss: Any = None, **kwargs: Any) -> None:
        """As in keras.Model; an optimizer or a loss left None is the preset's.

        Args:
            optimizer: a Keras optimizer, its name or its config.
            loss: a Keras loss of (images, reconstructions), or its name.
            **kwargs: Keras's own.
        """
        preset = get_preset(self.preset, AutoencoderPreset) if self.preset else None
        if optimizer is None:
            optimizer = preset.optimizer if preset else adam(1e-3, 0.9)
        if loss is None:
            loss = preset.loss if preset else "mean_squared_error"
        # Keras itself looks at the policy of this outer model alone.
        scale = computes_in_float16(self.encoder, self.decoder)
        with self.distribute_strategy.scope():
            optimizer = ready_optimizer(optimizer, self, scale)
        super().compile(optimizer=optimizer, loss=loss, **kwargs | {"auto_scale_loss": False})

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.decoder(self.encoder(images, training=training), training=training)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        own = self.updates.metrics
        # Keras's mean of the losses would be added up over the replicas of a strategy.
        return own + [m for m in super().metrics if m not in own and m.name != "loss"]

    # Under a strategy Keras first calls these with the batch as it is, which has no targets.

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tf.Tensor:
        return super().compute_loss(x, x if y is None else y, y_pred, sample_weight, training)

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        return super().compute_metrics(x, x if y is None else y, y_pred, sample_weight)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        images, _ = batches.images_of(self, data)

        def objective() -> tuple:
            outputs = self(images, training=True)
            return self._loss(images, outputs), outputs, outputs

        # As in GAN: the end of a dataset of unknown length is not a step.
        with tf.control_dependencies([images]), fused_operations.batch_normalization(self):
            self.first_batch.note(images)
            self.batches_seen.assign_add(1)
            update = self.updates.apply(
                self.role, self, self.optimizer, objective, images, regularize=False
            )
            self.updates.record(update.taken, images=tf.shape(images)[0], loss=update.loss)
            self.compute_metrics(images, images, update.extra)
            return self.logs()

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        images, _ = batches.images_of(self, data)
        self.first_batch.note(images)
        outputs = self(images, training=False)
        loss = self._loss(images, outputs)
        self.updates.record(True, images=tf.shape(images)[0], loss=loss)
        self.compute_metrics(images, images, outputs)
        return {name: value for name, value in self.logs().items() if name != "skipped_updates"}

    def _loss(self, images: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """The mean over this replica's images, regularizers included, in float32."""
        # Keras divides by the number of replicas, for their sum to be the mean.
        loss = self.compute_loss(images, images, outputs) * replicas.count()
        return tf.cast(loss, tf.float32)

    def encode(self, images: np.ndarray, batch_size: int = 64) -> np.ndarray:
        """The codes of images.

        Args:
            images: uint8 array (N, H, W, C).
            batch_size: images at a time; it does not change them.

        Returns:
            float32 array (N, ...), the encoder's output.

        Raises:
            InputError: another type or shape.
        """
        images = image_law.check_levels(images, self.image_shape)
        images = image_law.from_uint8(images, self.value_range)
        return run_network(float32_copy(self.encoder), [images], batch_size)

    def decode(self, codes: np.ndarray, batch_size: int = 64) -> np.ndarray:
        """The images of codes.

        Args:
            codes: float array (N, ...), as `encode` gives them.
            batch_size: images at a time; it does not change them.

        Returns:
            uint8 array (N, H, W, C).

        Raises:
            InputError: another shape.
        """
        codes = np.asarray(codes, np.float32)
        if codes.shape[1:] != self.code_shape:
            raise InputError(
                f"Codes must be (N, {', '.join(map(str, self.code_shape))}). "
                f"Received: {codes.shape}"
            )
        images = run_network(float32_copy(self.decoder), [codes], batch_size)
        return image_law.to_uint8(images, self.value_range)

    def reconstruct(self, images: np.ndarray, batch_size: int = 64) -> np.ndarray:
        """Reconstructs images: `decode(encode(images))`, uint8 (N, H, W, C)."""
        return self.decode(self.encode(images, batch_size), batch_size)

    def prepare_inference(self) -> None:
        """Nothing: no statistic of an autoencoder is set apart from training."""

    def arguments(self) -> dict[str, Any]:
        return {"preset": self.preset, "value_range": self.value_range}
