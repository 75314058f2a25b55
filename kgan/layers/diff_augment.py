"""Differentiable augmentation inside the train step, of real and fake pictures alike."""

import keras
import tensorflow as tf

from kgan.errors import InputError
from kgan.layers import draws

SHIFT_SHARE = 1 / 8
CUTOUT_SHARE = 1 / 2


def jitter_colour(images, brightness, saturation, contrast):
    """Changes brightness, then saturation, then contrast of each picture.

    Args:
        images: float tensor (B, H, W, C) in [-1, 1].
        brightness: tensor (B,), added.
        saturation: tensor (B,), factor of each pixel's distance from its grey.
        contrast: tensor (B,), factor of the distance from the picture's mean.

    Returns:
        Tensor of the same shape; it may leave [-1, 1].

    Reference:
        Zhao et al. 2020, section 3.2, https://arxiv.org/abs/2006.10738
    """
    images += _each(brightness, images)
    grey = tf.reduce_mean(images, axis=3, keepdims=True)
    images = grey + _each(saturation, images) * (images - grey)
    mean = tf.reduce_mean(images, axis=(1, 2, 3), keepdims=True)
    return mean + _each(contrast, images) * (images - mean)


def shift(images, down, right):
    """Moves each picture by whole pixels; what is uncovered is 0, mid grey.

    Args:
        images: float tensor (B, H, W, C) in [-1, 1].
        down, right: int tensors (B,); below 0 moves up and to the left.

    Returns:
        Tensor of the same shape.

    Reference:
        Zhao et al. 2020, section 3.2, https://arxiv.org/abs/2006.10738
    """
    rows = _moving(down, tf.shape(images)[1], images.dtype)
    columns = _moving(right, tf.shape(images)[2], images.dtype)
    # As products with 0/1 matrices: they compile and differentiate everywhere, any number of times.
    return tf.einsum("bij,bjkc,blk->bilc", rows, images, columns)


def _moving(steps, size, dtype):
    """0/1 matrices (B, size, size) that move a line by so many steps."""
    places = tf.range(size)
    source = places[None, :, None] - tf.cast(steps, tf.int32)[:, None, None]
    return tf.cast(source == places[None, None, :], dtype)


def cut_out(images, middle_row, middle_column):
    """Sets a rectangle of half the sides to 0, mid grey; what reaches over the edge is cut off.

    Args:
        images: float tensor (B, H, W, C) in [-1, 1].
        middle_row, middle_column: int tensors (B,), the rectangle's middle.

    Returns:
        Tensor of the same shape.

    Reference:
        Zhao et al. 2020, section 3.2, https://arxiv.org/abs/2006.10738
    """

    def covered(middle, size):
        length = tf.cast(tf.round(CUTOUT_SHARE * tf.cast(size, tf.float32)), tf.int32)
        first = (tf.cast(middle, tf.int32) - length // 2)[:, None]
        places = tf.range(size)[None]
        return (places >= first) & (places < first + length)

    rows = covered(middle_row, tf.shape(images)[1])
    columns = covered(middle_column, tf.shape(images)[2])
    kept = ~(rows[:, :, None] & columns[:, None, :])
    return images * tf.cast(kept, images.dtype)[..., None]


def _colour(images, draw):
    return jitter_colour(images, draw(-0.5, 0.5), draw(0.0, 2.0), draw(0.5, 1.5))


def _translation(images, draw):
    def steps(axis):
        most = tf.cast(tf.shape(images)[axis], tf.float32) * SHIFT_SHARE
        return tf.cast(tf.round(draw(-1.0, 1.0) * most), tf.int32)

    return shift(images, steps(1), steps(2))


def _cutout(images, draw):
    def middle(axis):
        return tf.cast(draw(0.0, 1.0) * tf.cast(tf.shape(images)[axis], tf.float32), tf.int32)

    return cut_out(images, middle(1), middle(2))


def _each(numbers, images):
    return tf.cast(numbers, images.dtype)[:, None, None, None]


KINDS = {"color": _colour, "translation": _translation, "cutout": _cutout}


@keras.saving.register_keras_serializable(package="kgan")
class DiffAugment(keras.layers.Layer):
    """Changes every picture that the discriminator sees, real or fake, by amounts of its own.

    Gradients flow through it to the generator, which therefore does not learn
    to draw what it does. With `target` its strength adapts: `probability`, the
    share of pictures that each change is applied to, starts at 0, rises while
    the discriminator is surer of real pictures than the target and falls while
    it is less sure, by at most 1 in `adapt_images` real images.

    Args:
        policy: comma-separated changes, of "color", "translation" and "cutout".
        target: None to change every picture always; else the mean sign of the
            logits on real pictures to hold, 0.6 in the paper.
        adapt_images: real images in which `probability` can go from 0 to 1.
        value_range: (low, high) of the images.

    Called as `layer(images, seed)` with float images (B, H, W, C) and an int
    tensor (2,); the same seed changes them in the same way, however the batch
    is spread over the replicas of a strategy.

    Raises:
        InputError: an unknown change, a target outside -1 to 1, or
            `adapt_images` below 1.

    Reference:
        Zhao et al. 2020, https://arxiv.org/abs/2006.10738; the adaptive
        strength: Karras et al. 2020, section 3, https://arxiv.org/abs/2006.06676
    """

    EVERYTHING = "color,translation,cutout"

    def __init__(
        self,
        policy=EVERYTHING,
        target=None,
        adapt_images=500_000,
        value_range=(-1.0, 1.0),
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        names = policy.split(",")
        unknown = [name for name in names if name not in KINDS]
        if unknown:
            raise InputError(
                f"A DiffAugment policy is made of {', '.join(KINDS)}. Received: {policy!r}"
            )
        if target is not None and not -1.0 < target < 1.0:
            raise InputError(f"target must be between -1 and 1. Received: {target!r}")
        if not adapt_images >= 1:
            raise InputError(f"adapt_images must be at least 1. Received: {adapt_images!r}")
        self.policy = policy
        self.target = target
        self.adapt_images = adapt_images
        self.value_range = tuple(value_range)
        self.probability = self.add_weight(
            name="probability",
            shape=(),
            initializer="ones" if target is None else "zeros",
            trainable=False,
            dtype="float32",
            autocast=False,  # it is compared with float32 draws under a mixed policy too
        )
        self.built = True

    def call(self, images, seed):
        low, high = self.value_range
        images = (images - low) * (2.0 / (high - low)) - 1.0
        count = tf.shape(images)[0]
        places = iter(range(100))

        def draw(least, most):
            own = draws.fold_in(seed, next(places))
            return draws.of_this_replica(lambda n: draws.uniform(own, [n], least, most), count)

        for name in self.policy.split(","):
            changed = KINDS[name](images, draw)
            if self.target is None:
                images = changed
            else:
                chosen = draw(0.0, 1.0) < self.probability
                images = tf.where(chosen[:, None, None, None], changed, images)
        return (images + 1.0) * ((high - low) / 2.0) + low

    def adapt(self, sure, images):
        """Moves the probability towards the target by one batch.

        Args:
            sure: scalar float tensor, the mean sign of the logits on its real pictures.
            images: how many these are.
        """
        if self.target is None:
            return
        surer = tf.sign(sure - self.target)
        surer = tf.where(tf.math.is_finite(surer), surer, 0.0)  # a step that will be skipped
        step = tf.cast(images, tf.float32) / self.adapt_images
        self.probability.assign(tf.clip_by_value(self.probability + surer * step, 0.0, 1.0))

    def get_config(self):
        return super().get_config() | {
            "policy": self.policy,
            "target": self.target,
            "adapt_images": self.adapt_images,
            "value_range": self.value_range,
        }
