"""Images from a trained GAN, one seed each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kgan import labels as label_law
from kgan import latents as latent_law
from kgan import memory
from kgan.errors import InputError
from kgan.images import to_uint8
from kgan.models.networks import check_positive
from kgan.models.rebuild import float32_copy
from kgan.models.self_drawing import run_by_seeds, what_draws
from kgan.training.network_checks import run_network

if TYPE_CHECKING:
    from kgan.training.gan import GAN

LOGIT_BYTES = 4  # of each candidate
PLACE_BYTES = 8  # in the order of all, where that is asked for


def sample(
    gan: GAN,
    n: int,
    seed: int = 0,
    labels: Any = None,
    nice: int = 1,
    batch_size: int = 64,
    truncation: float = 1.0,
) -> tuple[np.ndarray, list[int]]:
    """`GAN.generate`, with the seeds of the images.

    Args:
        gan, n, seed, labels, nice, batch_size, truncation: as for `GAN.generate`.

    Returns:
        (uint8 array (n, H, W, C), list of the n seeds that make them again with
        the same labels).

    Raises:
        InputError: as for `GAN.generate`.
    """
    check_positive(n=n, nice=nice)
    first = latent_law.check_seed(seed)
    seeds = range(first, first + n * nice)
    drawn = parts(gan, n, seeds, labels, nice, batch_size, truncation)
    memory.check_array(n, math.prod(gan.image_shape), "n")
    images = np.empty((n, *gan.image_shape), np.uint8)
    chosen: list[int] = []
    for part, own in drawn:
        images[len(chosen) : len(chosen) + len(part)] = part
        chosen += own
    return images, chosen


def parts(
    gan: GAN,
    n: int,
    seeds: Sequence[int],
    labels: Any = None,
    nice: int = 1,
    batch_size: int = 64,
    truncation: float = 1.0,
) -> Iterator[tuple[np.ndarray, list[int]]]:
    """As `sample`, a batch at a time, in memory that does not grow with n.

    With `nice` each candidate takes a few bytes; the best ones are then drawn again.

    Args:
        gan: a `GAN`.
        n: number of images.
        seeds: whole numbers, `nice * n` of them.
        labels, nice, batch_size, truncation: as for `GAN.generate`.

    Yields:
        (uint8 array (B, H, W, C), list of their seeds).

    Raises:
        InputError: as for `GAN.generate`; at once, before the first batch is drawn.
    """
    check_positive(n=n, nice=nice, batch_size=batch_size)
    _check_pictures(gan)
    latent_law.check_truncation(truncation)
    drawing = _Drawing(gan, seeds, n, labels, batch_size, truncation)
    if nice > 1:
        each = n * (LOGIT_BYTES + (PLACE_BYTES if gan.condition is None else 0))
        memory.check(
            f"A choice among {n * nice:,} pictures",
            each * nice,
            f"nice={max(1, memory.free() // each)}",
            f"nice={nice}",
        )
    gan.calibrate()
    return drawing.of_best(nice) if nice > 1 else drawing.of(range(n))


class _Drawing:
    """Images by their numbers: number i has the seed `seeds[i]`, and the label of i modulo n."""

    def __init__(
        self,
        gan: GAN,
        seeds: Sequence[int],
        n: int,
        labels: Any,
        batch_size: int,
        truncation: float,
    ) -> None:
        self.gan, self.n, self.seeds, self.batch_size = gan, n, seeds, batch_size
        self.law = (gan.latent_dim, gan.latent_distribution, truncation)
        self.named: dict[int, np.ndarray] = {}  # what is asked of some attributes
        self.labels: np.ndarray | None = None
        if isinstance(labels, Mapping) and gan.attributes is not None:
            self.named = gan.attributes.named(labels, n)
        elif labels is not None:
            self.labels = label_law.check_labels(labels, n, gan.condition)

    def of(self, places: Sequence[int]) -> Iterator[tuple[np.ndarray, list[int]]]:
        """(uint8 images, their seeds), a batch at a time."""
        for images, _, seeds in self._batches(places):
            yield to_uint8(images, self.gan.value_range), seeds

    def of_best(self, nice: int) -> Iterator[tuple[np.ndarray, list[int]]]:
        """As `of`, those n of `nice` times as many that the discriminator finds most real."""
        n, discriminator = self.n, self.gan.discriminator
        logits = np.empty(n * nice, np.float32)
        done = 0
        for images, inputs, seeds in self._batches(range(n * nice)):
            judged = run_network(discriminator, [images, *inputs], self.batch_size)
            logits[done : done + len(seeds)] = judged.mean(axis=1)
            done += len(seeds)
        if self.gan.condition is None:
            np.negative(logits, out=logits)
            best = np.argsort(logits, kind="stable")[:n]
        else:  # the best of each image's own label, or one class might crowd out the others
            best = np.argmax(logits.reshape(nice, n), axis=0) * n + np.arange(n)
        yield from self.of(best.tolist())

    def _batches(
        self, places: Sequence[int]
    ) -> Iterator[tuple[np.ndarray, list[np.ndarray], list[int]]]:
        """(images in the model's range, labels where there are any, seeds)."""
        gan, begin = self.gan, 0
        images_of = _maker(gan, self.batch_size)
        while batch := [int(place) for place in places[begin : begin + self.batch_size]]:
            begin += self.batch_size
            seeds = [self.seeds[place] for place in batch]
            latents = latent_law.from_seeds(seeds, *self.law)
            labels = [] if gan.condition is None else [self._labels([i % self.n for i in batch])]
            yield images_of([latents, *labels], seeds), labels, seeds

    def _labels(self, places: list[int]) -> np.ndarray:
        condition, seeds = self.gan.condition, [self.seeds[place] for place in places]
        assert condition is not None
        if self.labels is not None:
            return self.labels[np.array(places)]
        labels = label_law.from_seeds(seeds, condition)
        for attribute, values in self.named.items():
            labels[:, attribute] = values[places] if values.ndim else values
        return labels


def draw(gan: GAN, latents: np.ndarray, labels: Any = None, batch_size: int = 64) -> np.ndarray:
    """The images of latents, by the weights that users see.

    Args:
        gan: a `GAN`.
        latents: float array (N, latent_dim); all get the same noise where the generator
            draws some by itself.
        labels: of a conditional GAN, one class for all or N of them; of attributes as for
            `GAN.generate`, with every attribute.
        batch_size: images made at a time; it does not change them.

    Returns:
        uint8 array (N, H, W, C).

    Raises:
        InputError: labels that do not fit.
    """
    _check_pictures(gan)
    inputs = [latents]
    if labels is not None or gan.condition is not None:
        inputs.append(label_law.check_labels(labels, len(latents), gan.condition))
    gan.calibrate()
    images = _maker(gan, batch_size)(inputs, [0] * len(latents))
    return to_uint8(images, gan.value_range)


def _check_pictures(gan: GAN) -> None:
    if not gan.makes_pictures:
        raise InputError(
            "This GAN makes no pictures; predict(kgan.latents.from_seeds(seeds, latent_dim)) gives "
            f"its own numbers. Received one that makes {gan.image_shape}"
        )


def _maker(gan: GAN, batch_size: int) -> Callable[[list[Any], Sequence[int]], np.ndarray]:
    """A function of inputs and seeds that gives images in the model's range.

    What a generator draws by itself comes from the seeds too.
    """
    network = float32_copy(gan.inference_generator)
    if what_draws(network):
        return lambda inputs, seeds: run_by_seeds(network, inputs, seeds)
    return lambda inputs, seeds: run_network(network, inputs, batch_size)
