"""Own pictures in a model's latent space: the latents whose images come nearest to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from kgan.directions import REACH, Direction
from kgan.errors import InputError
from kgan.explore.activation_maximisation import Adam
from kgan.explore.inner_layers import outputs_caught, stages_of
from kgan.explore.picture import Finding, captioned, enlarged, stacked
from kgan.explore.projection_starts import CANDIDATES, Drawn, encoded_by
from kgan.explore.subject import Subject, as_subject
from kgan.files import printable
from kgan.images import check_levels, from_uint8, grid, pairs
from kgan.models.networks import check_positive
from kgan.models.rebuild import float32_copy

Loss = Literal["pixels", "features"]
STEPS = 500
STARTS = 8
RATE = 0.1  # of a latent's numbers, the first step; it falls to 0 along half a cosine
COLUMNS = 12  # pictures on a row of the sheet
STRENGTHS = 7  # of a direction
SAME = 99.0  # dB, of what is the same to the level


def project(
    model: Any,
    pictures: npt.ArrayLike,
    *,
    loss: Loss = "pixels",
    starts: int = STARTS,
    steps: int = STEPS,
    labels: npt.ArrayLike | None = None,
    directions: Sequence[Direction] = (),
    encoder: keras.Model | None = None,
    seed: int = 0,
) -> Finding:
    """Seeks for each picture the latent whose image comes nearest to it.

    Gradient descent (Adam) from several latents: those of 256 drawn whose images are nearest, and
    in the place of the last of them what an encoder makes of the picture, where there is one. The
    one that ends with the smallest loss is kept. Uniform latents stay within -1 and 1.

    Args:
        model: a `Subject` or a `kgan.GAN`.
        pictures: uint8 array (N, H, W, C) of the model's image shape.
        loss: "pixels", the mean squared difference; "features", that of the discriminator's
            activations after all its convolutions, each by its own size.
        starts: latents that the descent begins with, for each picture.
        steps: gradient steps; with an encoder 0 too, for what it gives by itself.
        labels: of a conditional model, one class for all or one for each, of attributes rows of
            numbers; None where they are not known: each start keeps its own.
        directions: named ones along which what was found is edited too.
        encoder: images in the model's range to latents, as `train_encoder` gives it.
        seed: int >= 0, of the first latent drawn.

    Returns:
        A `Finding` with each picture above its reconstruction, and a row of edits for each
        direction; `figures["pictures"]` has for each
        the latent, the label of a conditional model, the PSNR in dB and the loss of each start;
        with an encoder "encoder" too: its latent, its PSNR, and whether its start was the best.

    Raises:
        InputError: no GAN at hand, or pictures, labels or an encoder that do not fit.

    Reference:
        Zhu et al. 2016, section 3.1, equation 4, https://arxiv.org/abs/1609.03552
    """
    if loss not in get_args(Loss):
        raise InputError(f"loss must be one of {', '.join(get_args(Loss))}. Received: {loss!r}")
    check_positive(starts=starts)
    if encoder is None or steps != 0:
        check_positive(steps=steps)
    if starts > CANDIDATES:
        raise InputError(f"starts must be at most {CANDIDATES}. Received: {starts}")
    subject = as_subject(model)
    if subject.is_autoencoder:
        raise InputError(
            "An autoencoder has an encoder: kgan generate MODEL --pictures DATA reconstructs. "
            f"Received: {printable(subject.name)}"
        )
    gan = subject.require_gan()
    levels = check_levels(pictures, gan.image_shape)
    if not len(levels):
        raise InputError("There must be pictures. Received: none")
    encoded = encoded_by(encoder, gan, levels) if encoder is not None else None
    each = None if labels is None else subject.labels_of(range(len(levels)), labels)
    drawn = Drawn(Subject(gan), seed)
    descent = _Descent(subject, loss, starts)
    latents, found, begun = [], [], []
    for place, picture in enumerate(levels):
        label = None if each is None else each[place]
        start, classes = drawn.nearest(picture, starts, label)
        if encoded is not None:  # in the place of the furthest
            begun.append(drawn.put_last(encoded[place], start, classes, picture, label))
        ends, losses = descent.run(picture, start, classes, steps)
        best = int(np.argmin(losses))
        latents.append(ends[best])
        found.append(
            {"loss": losses[best], "losses": losses, "latent": latents[-1]}
            | ({} if classes is None else {"label": classes[best]})
        )
    labels_of_best = None
    if subject.condition is not None:
        labels_of_best = np.stack([each["label"] for each in found])
    back = drawn.subject.draw(np.stack(latents), labels_of_best)
    for picture, image, figure in zip(levels, back, found, strict=True):
        figure["psnr_db"] = psnr(picture, image)
    ratios = [figure["psnr_db"] for figure in found]
    figures: dict[str, Any] = {
        "experiment": "project",
        "by": loss,
        "starts": starts,
        "steps": steps,
        "median_psnr_db": float(np.median(ratios)),
        "pictures": found,
    }
    told = [f"{len(levels)} pictures, {starts} starts each: {_in_words(ratios)}"]
    if encoded is not None:
        told.append(_of_encoder(figures, levels, encoded, begun))
        figures["encoder"]["training"] = getattr(encoder, "training", None)
    edits = _edits(drawn.subject, np.stack(latents), labels_of_best, directions)
    return Finding(_sheet(levels, back, edits, begun), figures, tuple(told))


def _of_encoder(
    figures: dict[str, Any], levels: np.ndarray, encoded: np.ndarray, begun: Sequence[np.ndarray]
) -> str:
    """Adds what an encoder gave to the figures, of each picture and of all; a line of it."""
    alone = []
    for figure, picture, latent, image in zip(
        figures["pictures"], levels, encoded, begun, strict=True
    ):
        alone.append(psnr(picture, image))
        best = int(np.argmin(figure["losses"])) == figures["starts"] - 1
        figure["encoder"] = {"latent": latent, "psnr_db": alone[-1], "best": best}
    best = sum(figure["encoder"]["best"] for figure in figures["pictures"])
    figures["encoder"] = {"median_psnr_db": float(np.median(alone)), "best": best}
    return (
        f"the encoder by itself: {_in_words(alone)}; it was the best start of {best} in "
        f"{figures['steps']} steps"
    )


def _in_words(ratios: Sequence[float]) -> str:
    return f"PSNR {min(ratios):.1f} to {max(ratios):.1f} dB, median {np.median(ratios):.1f}"


def psnr(one: npt.ArrayLike, two: npt.ArrayLike) -> float:
    """The peak signal-to-noise ratio of two uint8 images, in dB; 99 of equal ones."""
    error = float(np.mean((np.asarray(one, float) - np.asarray(two, float)) ** 2))
    return SAME if error == 0 else min(SAME, 10 * float(np.log10(255.0**2 / error)))


class _Descent:
    """Gradient descent from some starts, traced once for all pictures."""

    def __init__(self, subject: Subject, loss: Loss, starts: int) -> None:
        gan = subject.require_gan()
        self.uniform, self.value_range = gan.latent_distribution == "uniform", gan.value_range
        self.latents = tf.Variable(tf.zeros((starts, gan.latent_dim)))
        self.target = tf.Variable(tf.zeros((1, *gan.image_shape)))
        labels = subject.generator_inputs(range(starts))[1:]
        self.labels = tf.Variable(labels[0]) if labels else None
        self.network = float32_copy(gan.inference_generator)
        self.measure = _measure(gan, loss)
        self.gradient = tf.function(self._gradient)

    def run(
        self, picture: np.ndarray, start: np.ndarray, classes: np.ndarray | None, steps: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """(latents (S, latent_dim), the loss of each) that it comes to."""
        self.latents.assign(start)
        self.target.assign(from_uint8(picture[None], self.value_range))
        if self.labels is not None:
            self.labels.assign(tf.cast(classes, self.labels.dtype))
        adam = Adam()
        for step in range(steps):
            rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
            moved = self.latents - rate * adam.direction(self.gradient())
            self.latents.assign(tf.clip_by_value(moved, -1.0, 1.0) if self.uniform else moved)
        return self.latents.numpy(), self._losses().numpy().astype(float)

    def _losses(self) -> tf.Tensor:
        latents = tf.convert_to_tensor(self.latents)
        labels = None if self.labels is None else tf.convert_to_tensor(self.labels)
        images = self.network(latents if labels is None else [latents, labels], training=False)
        return self.measure(images, tf.convert_to_tensor(self.target), labels)

    def _gradient(self) -> tf.Tensor:
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(self._losses())
        return tape.gradient(value, self.latents)


def _measure(gan: Any, loss: Loss) -> Callable[[tf.Tensor, tf.Tensor, Any], tf.Tensor]:
    """A function of images (S, H, W, C), their target (1, H, W, C) and labels: the losses (S,)."""
    if loss == "pixels":
        return lambda images, target, labels: tf.reduce_mean((images - target) ** 2, (1, 2, 3))
    network: keras.Model = float32_copy(gan.discriminator)
    layers = [stage.output for stage in stages_of(network)]
    if not layers:
        raise InputError(
            "The loss by features needs a discriminator with convolutions: take pixels. "
            f"Received: {network.name}"
        )

    def features(images: tf.Tensor, labels: Any) -> list[tf.Tensor]:
        with outputs_caught(layers) as caught:
            network(images if labels is None else [images, labels], training=False)
            return [caught[layer.name] for layer in layers]

    def measure(images: tf.Tensor, target: tf.Tensor, labels: Any) -> tf.Tensor:
        wanted = features(target, None if labels is None else labels[:1])
        total = tf.zeros(tf.shape(images)[:1])
        for ours, theirs in zip(features(images, labels), wanted, strict=True):
            size = tf.reduce_mean(theirs**2) + 1e-8
            total += tf.reduce_mean((ours - theirs) ** 2, (1, 2, 3)) / size
        return total / len(layers)

    return measure


def _sheet(
    pictures: np.ndarray,
    back: np.ndarray,
    edits: Sequence[tuple[str, np.ndarray]],
    begun: Sequence[np.ndarray],
) -> np.ndarray:
    """Pictures above reconstructions; then, for each direction, a row of edits for each.

    Before them pictures above what an encoder makes of them, where there is one.
    """
    columns = min(COLUMNS, len(pictures))
    below = {"the nearest that the model draws": back}
    if len(begun):
        below = {"what the encoder makes of them": np.stack(begun)} | below
    sheets = [
        captioned(f"pictures, above {words}", pairs(enlarged(pictures), enlarged(images), columns))
        for words, images in below.items()
    ]
    for name, rows in edits:
        shown = enlarged(rows.reshape(-1, *rows.shape[2:]))
        sheets.append(captioned(name, grid(shown, columns=rows.shape[1])))
    return stacked(sheets)


def _edits(
    subject: Subject, latents: np.ndarray, labels: Any, directions: Sequence[Direction]
) -> list[tuple[str, np.ndarray]]:
    """(name, uint8 images (N, strengths, H, W, C)) of each direction."""
    strengths = np.linspace(-REACH, REACH, STRENGTHS).astype(np.float32)
    repeated = None if labels is None else np.repeat(labels, STRENGTHS, axis=0)
    edits = []
    for direction in directions:
        moved = latents[:, None] + strengths[:, None] * direction.vector
        images = subject.draw(moved.reshape(-1, moved.shape[-1]), repeated)
        edits.append((direction.name, images.reshape(len(latents), -1, *images.shape[1:])))
    return edits
