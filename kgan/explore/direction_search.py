"""Directions in latents: of an attribute that pictures have, or the model's own main ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from kgan import memory
from kgan.directions import Direction, direction_along
from kgan.errors import InputError
from kgan.explore.subject import Subject, as_subject

METHODS = ("ganspace", "sefa")
SAMPLES = 2000  # latents that GANSpace looks at
ACTIVATIONS = ("ReLU", "LeakyReLU", "PReLU", "ELU", "Activation", "GatedLinearUnit")

Method = Literal["ganspace", "sefa"]


def attribute_direction(model: Any, name: str, attribute: Mapping[int, float]) -> Direction:
    """The direction in which an attribute grows, from the values that some seeds' pictures have.

    It is the covariance of latent and attribute: with two values, such as 0 and 1, the mean of
    the one group less the mean of the other, as the "turn" vector of DCGAN.

    Args:
        model: a `Subject`, or a model that one can be made of.
        name: what the attribute is called.
        attribute: seed -> value.

    Raises:
        InputError: fewer than two different values, or one that is not finite.

    Reference:
        Radford et al. 2015, section 6.3.2, https://arxiv.org/abs/1511.06434
    """
    subject = as_subject(model)
    values = np.array([float(value) for value in attribute.values()])
    if not np.isfinite(values).all() or len(set(values.tolist())) < 2:
        raise InputError(
            "A direction needs seeds with different finite values of its attribute. "
            f"Received: {len(values)} seeds, values {sorted(set(values.tolist()))[:5]}"
        )
    latents = subject.latents(attribute).astype(np.float64)
    along = (values - values.mean()) @ latents
    return _made(subject, name, along, f"covariance with an attribute of {len(values)} seeds")


def two_sides(from_seeds: Sequence[int], to_seeds: Sequence[int]) -> dict[int, float]:
    """The attribute of seeds without it, 0, and of seeds with it, 1.

    Raises:
        InputError: a seed is on both sides, or one side is empty.
    """
    both = sorted(set(from_seeds) & set(to_seeds))
    if both or not from_seeds or not to_seeds:
        raise InputError(
            "A direction leads from some seeds to others. "
            + (f"Received on both sides: {both}" if both else "Received: none on one side")
        )
    return dict.fromkeys(from_seeds, 0.0) | dict.fromkeys(to_seeds, 1.0)


def main_directions(
    model: Any, method: Method = "ganspace", n: int = 5, layer: str | None = None
) -> list[Direction]:
    """The directions in which a generator's images change most, found without any label.

    `ganspace`: the principal components of an early layer's activations over `SAMPLES` latents,
    and for each the latents' regression on it. `sefa`: the eigenvectors of W^T W, W the matrix of
    the first layer, in closed form.

    Args:
        model: a `Subject`, or a model that one can be made of; the generator is needed itself.
        method: "ganspace" or "sefa".
        n: how many, the strongest first.
        layer: for `ganspace`, the layer; None for the first activation after the first kernel.

    Raises:
        InputError: an unknown method, no Keras generator at hand, a number out of range, or a
            network that the method cannot look into.

    Reference:
        Härkönen et al. 2020, section 2.1, https://arxiv.org/abs/2004.02546;
        Shen and Zhou 2020, equation 6, https://arxiv.org/abs/2007.06600
    """
    subject = as_subject(model)
    if method not in METHODS:
        raise InputError(f"A method is one of {', '.join(METHODS)}. Received: {method!r}")
    gan = subject.require_gan()
    if not 1 <= n <= gan.latent_dim:
        raise InputError(
            f"A model of {gan.latent_dim} latents has 1 to {gan.latent_dim} directions. "
            f"Received: n={n}"
        )
    if method == "sefa":
        if layer is not None:
            raise InputError(f"sefa looks at the first layer alone. Received: {layer!r}")
        found, shares, where = _closed_form(subject, gan)
    else:
        found, shares, where = _principal(subject, gan, n, layer)
    return [
        _made(subject, f"{method} {i + 1}", found[i], f"{where}, {shares[i]:.1%} of the variance")
        for i in range(n)
    ]


def _made(subject: Subject, name: str, along: np.ndarray, how: str) -> Direction:
    assert subject.latent_distribution is not None
    return direction_along(name, along, subject.latent_distribution, how)


def _closed_form(subject: Subject, gan: Any) -> tuple[np.ndarray, np.ndarray, str]:
    """(eigenvectors as rows, the largest first; their shares; where they are from)."""
    from kgan.explore.network_parts import first_with_kernel, up_to
    from kgan.models.rebuild import float32_copy
    from kgan.training.network_checks import run_network

    generator = float32_copy(gan.inference_generator)
    layer = first_with_kernel(generator)
    network = up_to(generator, layer.name)

    def outputs(latents: np.ndarray) -> np.ndarray:
        rows = run_network(network, _inputs(subject, latents.astype(np.float32)), 64)
        return rows.reshape(len(rows), -1).astype(np.float64)

    dim = gan.latent_dim
    unit = np.eye(dim)
    zero = outputs(np.zeros((1, dim)))
    matrix = outputs(unit) - zero  # W^T: row i is what value i of the latent adds
    twice = outputs(2 * unit) - zero
    if not np.allclose(twice, 2 * matrix, atol=1e-4 * max(1e-12, float(np.abs(matrix).max()))):
        raise InputError(
            "sefa needs a first layer without an activation; ganspace takes any network. "
            f"Received: {layer.name}"
        )
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    order = np.argsort(-values)
    found = np.array([_upright(vectors[:, i]) for i in order])
    return found, values[order] / values.sum(), f"SeFa of {layer.name}"


def _principal(
    subject: Subject, gan: Any, n: int, layer: str | None
) -> tuple[np.ndarray, np.ndarray, str]:
    """As `_closed_form`, the first n by GANSpace."""
    from kgan.explore.network_parts import up_to
    from kgan.models.rebuild import float32_copy
    from kgan.training.network_checks import run_network

    generator = float32_copy(gan.inference_generator)
    name = layer or _first_activation(generator)
    network = up_to(generator, name)
    width = int(np.prod(network.output_shape[1:]))
    memory.check(f"The activations of {name}", 3 * 4 * SAMPLES * width, "an earlier layer", name)
    seeds = range(SAMPLES)
    latents = subject.latents(seeds)
    rows = run_network(network, subject.generator_inputs(seeds), 64).reshape(SAMPLES, -1)
    along, shares = _components(rows - rows.mean(axis=0), n)
    # Coordinates have no covariance with each other: a regression on each is a product.
    found = along.T @ latents.astype(np.float64)
    return np.array(list(map(_upright, found))), shares, f"GANSpace of {name}"


def _components(rows: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(coordinates of rows (N, D) along their first n components, (N, n); shares of variance)."""
    # The smaller of the two matrices of products: their eigenvalues above 0 are the same.
    by_width = rows.shape[1] <= len(rows)
    products = rows.T @ rows if by_width else rows @ rows.T
    values, vectors = np.linalg.eigh(products.astype(np.float64))
    first = vectors[:, ::-1][:, :n]
    return rows @ first if by_width else first, values[::-1] / values.sum()


def _first_activation(generator: Any) -> str:
    from kgan.explore.network_parts import first_with_kernel

    first = first_with_kernel(generator)
    places = [layer.name for layer in generator.layers]
    for layer in generator.layers[places.index(first.name) :]:
        if type(layer).__name__ in ACTIVATIONS:
            return layer.name
    return first.name


def _inputs(subject: Subject, latents: np.ndarray) -> list[np.ndarray]:
    """What a generator takes for latents, all with the labels of seed 0."""
    return [latents, *(np.repeat(x, len(latents), 0) for x in subject.generator_inputs([0])[1:])]


def _upright(vector: np.ndarray) -> np.ndarray:
    """The vector or its negative: the largest value is above 0, so that a search repeats itself."""
    return vector * np.sign(vector[np.argmax(np.abs(vector))])
