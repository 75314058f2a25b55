"""DCGAN's networks (Radford, Metz and Chintala 2015) at sizes from 16 to 128 a side."""

import keras
from keras import layers

from kgan.models.networks import (
    check_image_shape,
    check_positive,
    halving_sizes,
    network_dtype,
)


def weight_initializer():
    """N(0, 0.02), section 4 of the paper; a new one a layer, so that no two layers start equal."""
    return keras.initializers.RandomNormal(mean=0.0, stddev=0.02)


def batch_normalization(dtype, name):
    """BatchNormalization whose moving statistics follow within some ten steps.

    Keras's default momentum of 0.99 lags behind a generator that changes every
    step, and a picture made in inference mode is then not what training showed.
    """
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype, name=name)


@keras.saving.register_keras_serializable(package="kgan")
class DCGANGenerator(keras.Model):
    """Latents to images: project, then stride-2 transposed convolutions with halving widths.

    The projection makes a base of 4x4 (its shorter side up to 6 where the
    picture's is not 4 times a power of two) with `8 * filters` channels; every
    following layer doubles the sides and halves the channels. BatchNormalization
    and ReLU after every layer but the last, which ends in tanh.

    Args:
        image_shape: (H, W, C); H and W multiples of 4 from 16 to 128, C 1 or 3.
        latent_dim: length of a latent vector.
        filters: width unit; the base has 8 times as many channels.
        dtype: dtype policy of the layers; Keras's global one when None. The
            output is float32 under any policy.

    Input: float32 (B, latent_dim). Output: float32 (B, H, W, C) in [-1, 1].

    Raises:
        InputError: a shape, `latent_dim` or `filters` it cannot make.

    Reference:
        Radford et al. 2015, section 3 and figure 1, https://arxiv.org/abs/1511.06434
    """

    def __init__(self, image_shape=(64, 64, 3), latent_dim=100, filters=64, dtype=None, name=None):
        image_shape = check_image_shape(image_shape)
        check_positive(latent_dim=latent_dim, filters=filters)
        sizes = halving_sizes(image_shape)
        policy = network_dtype(dtype)

        # === Functional graph ===
        latents = keras.Input((latent_dim,), dtype="float32", name="latents")
        base_height, base_width = sizes[-1]
        width = 8 * filters
        x = layers.Dense(
            base_height * base_width * width,
            use_bias=False,  # the normalisation after it would take it away again
            kernel_initializer=weight_initializer(),
            dtype=policy,
            name="project",
        )(latents)
        x = layers.Reshape((base_height, base_width, width), dtype=policy, name="base")(x)
        x = batch_normalization(policy, "project_norm")(x)
        x = layers.ReLU(dtype=policy, name="project_relu")(x)
        for index in range(len(sizes) - 2, -1, -1):
            target, source = sizes[index], sizes[index + 1]
            last = index == 0
            width = image_shape[2] if last else max(1, width // 2)
            stage = f"{target[0]}x{target[1]}"
            x = layers.Conv2DTranspose(
                width,
                5,
                strides=2,
                padding="same",
                # 1 makes twice the source, 0 the odd side one below it.
                output_padding=(target[0] - 2 * source[0] + 1, target[1] - 2 * source[1] + 1),
                use_bias=last,
                kernel_initializer=weight_initializer(),
                dtype=policy,
                name="to_image" if last else f"up_{stage}",
            )(x)
            if not last:
                x = batch_normalization(policy, f"norm_{stage}")(x)
                x = layers.ReLU(dtype=policy, name=f"relu_{stage}")(x)
        images = layers.Activation("tanh", dtype="float32", name="images")(x)
        super().__init__(inputs=latents, outputs=images, name=name)

        # === Config ===
        self.image_shape = image_shape
        self.latent_dim = latent_dim
        self.filters = filters
        self.policy_name = policy.name

    def get_config(self):
        return {
            "image_shape": self.image_shape,
            "latent_dim": self.latent_dim,
            "filters": self.filters,
            "dtype": self.policy_name,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable(package="kgan")
class DCGANDiscriminator(keras.Model):
    """Images to logits: stride-2 convolutions with doubling widths, LeakyReLU 0.2, one unit.

    The mirror of `DCGANGenerator`: the last convolution has `8 * filters`
    channels at the generator's base size. BatchNormalization everywhere but on
    the first layer; no hidden Dense and no pooling.

    Args:
        image_shape: (H, W, C); H and W multiples of 4 from 16 to 128, C 1 or 3.
        filters: width unit; the last convolution has 8 times as many channels.
        dtype: dtype policy of the layers; Keras's global one when None. The
            logits are float32 under any policy.

    Input: float32 (B, H, W, C). Output: float32 (B, 1), logits.

    Raises:
        InputError: a shape or `filters` it cannot make.

    Reference:
        Radford et al. 2015, section 3, https://arxiv.org/abs/1511.06434
    """

    def __init__(self, image_shape=(64, 64, 3), filters=64, dtype=None, name=None):
        image_shape = check_image_shape(image_shape)
        check_positive(filters=filters)
        stages = halving_sizes(image_shape)[1:]
        policy = network_dtype(dtype)

        # === Functional graph ===
        images = keras.Input(image_shape, dtype="float32", name="images")
        x = images
        for index, (height, width) in enumerate(stages):
            stage = f"{height}x{width}"
            x = layers.Conv2D(
                max(1, 8 * filters // 2 ** (len(stages) - 1 - index)),
                5,
                strides=2,
                padding="same",
                use_bias=index == 0,
                kernel_initializer=weight_initializer(),
                dtype=policy,
                name=f"down_{stage}",
            )(x)
            if index:
                x = batch_normalization(policy, f"norm_{stage}")(x)
            x = layers.LeakyReLU(0.2, dtype=policy, name=f"leaky_relu_{stage}")(x)
        x = layers.Flatten(dtype=policy, name="features")(x)
        logits = layers.Dense(
            1, kernel_initializer=weight_initializer(), dtype="float32", name="logits"
        )(x)
        super().__init__(inputs=images, outputs=logits, name=name)

        # === Config ===
        self.image_shape = image_shape
        self.filters = filters
        self.policy_name = policy.name

    def get_config(self):
        return {
            "image_shape": self.image_shape,
            "filters": self.filters,
            "dtype": self.policy_name,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)
