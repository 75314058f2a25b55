"""kgan's latents of seeds in TensorFlow operations: numpy's Philox and its normal floats.

`kgan.latents.from_seeds` defines them; these are its TensorFlow twins, for a SavedModel, so that
the same seed gives the same image there too. All of it is integer arithmetic on the CPU, except
for the few normal floats that the ziggurat does not accept at once.

Nothing here needs AutoGraph: loops over tensors are `tf.while_loop`, choices `tf.where`. The graph
is kept small (each operation works on several words at a time), because every export traces it,
and every server loads it.

Reference:
    Philox: Salmon et al. 2011, table 2, https://doi.org/10.1145/2063384.2063405
    the key of a seed: O'Neill 2015, https://www.pcg-random.org/posts/developing-a-seed_seq-alternative.html
    ziggurat: Marsaglia and Tsang 2000, https://doi.org/10.18637/jss.v005.i08
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import tensorflow as tf

MASK_32 = 0xFFFFFFFF
ROUNDS = 10
MULTIPLIERS = np.array([0xD2E7470EE14C6C93, 0xCA5A826395121157], np.uint64).reshape(2, 1, 1)
KEY_STEPS = np.array([0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B], np.uint64).reshape(2, 1, 1)
# The ziggurat's 256 layers of equal area, and where its tail begins.
TAIL = 3.6541528853610088
LAYERS = 256


def latents(
    seeds: tf.Tensor, latent_dim: int, distribution: Literal["normal", "uniform"]
) -> tf.Tensor:
    """The latents that `kgan.latents.from_seeds` gives.

    Args:
        seeds: int64 tensor (N,), each at least 0.
        latent_dim: length of a latent vector.
        distribution: "normal" or "uniform".

    Returns:
        float32 tensor (N, latent_dim).
    """
    with tf.device("CPU"):
        if distribution == "uniform":
            bits = _shifted_right(philox(seeds, latent_dim), 11)
            return tf.cast(tf.cast(bits, tf.float64) * 2.0**-52 - 1.0, tf.float32)
        # A float takes 1.02 words; more than these are needed with a probability below 1e-40.
        words = philox(seeds, (latent_dim + latent_dim // 4 + 64) // 2)
        halves = tf.stack([_low(words), _high(words)], axis=-1)
        return _normal(tf.reshape(halves, (tf.shape(seeds)[0], 2 * words.shape[1])), latent_dim)


def philox(seeds: tf.Tensor, count: int) -> tf.Tensor:
    """The first words of numpy.random.Philox(seed) for each seed.

    Args:
        seeds: int64 tensor (N,), each at least 0.
        count: words per seed.

    Returns:
        uint64 tensor (N, count).
    """
    blocks = math.ceil(count / 4)
    zeros = tf.zeros((2, tf.shape(seeds)[0], blocks), tf.uint64)
    # A round multiplies the first and the third of a block's four words, and mixes in the others.
    counters = np.zeros((2, 1, blocks), np.uint64)
    counters[0] = np.arange(1, blocks + 1)

    def philox_round(
        number: tf.Tensor, multiplied: tf.Tensor, mixed: tf.Tensor, keys: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        high, low = _multiply(MULTIPLIERS, multiplied)
        multiplied = _xor(tf.reverse(high, [0]), mixed, keys)
        return number + 1, multiplied, tf.reverse(low, [0]), keys + KEY_STEPS

    _, multiplied, mixed, _ = tf.while_loop(
        lambda number, *_: number < ROUNDS,
        philox_round,
        (0, zeros + counters, zeros, _keys(tf.cast(seeds, tf.uint64))),
    )
    words = tf.stack([multiplied, mixed], axis=-1)  # (pair, seed, block, word of the pair)
    return tf.reshape(tf.transpose(words, (1, 2, 0, 3)), (-1, 4 * blocks))[:, :count]


def _keys(seeds: tf.Tensor) -> tf.Tensor:
    """What numpy.random.SeedSequence(seed).generate_state(2, uint64) gives.

    Args:
        seeds: uint64 tensor (N,).

    Returns:
        uint64 tensor (2, N, 1): the first key of every seed, then the second.
    """
    constants = _hash_constants(0x43B0D7E5, 0x931E8875, 16)
    zeros = tf.zeros_like(seeds)
    pool = _hashed(tf.stack([_low(seeds), _high(seeds), zeros, zeros]), constants[:5])
    for source in range(4):
        # Its word is hashed for each of the three other places, with new constants every time.
        first = 4 + 3 * source
        hashed = _hashed(pool[source], constants[first : first + 4])
        others = tf.gather(pool, [place for place in range(4) if place != source])
        # A difference modulo 2**64 is right modulo 2**32 too.
        mixed = _low(others * np.uint64(0xCA01F9DD) - hashed * np.uint64(0x4973F715))
        mixed = _xor(mixed, _shifted_right(mixed, 16))
        pool = tf.concat([mixed[:source], pool[source : source + 1], mixed[source:]], axis=0)
    words = _hashed(pool, _hash_constants(0x8B51F9DD, 0x58F38DED, 4))
    return (words[0::2] + words[1::2] * np.uint64(1 << 32))[..., None]


def _hash_constants(first: int, multiplier: int, count: int) -> np.ndarray:
    """The constants of `count` hashes in a row, uint64 (count + 1, 1); each hash takes two."""
    constants = [first]
    for _ in range(count):
        constants.append(constants[-1] * multiplier & MASK_32)
    return np.array(constants, np.uint64)[:, None]


def _hashed(words: tf.Tensor, constants: np.ndarray) -> tf.Tensor:
    """SeedSequence's hash of 32-bit words, row i with constants i and i + 1."""
    words = _low(_xor(words, constants[:-1]) * constants[1:])
    return _xor(words, _shifted_right(words, 16))


def _normal(words: tf.Tensor, count: int) -> tf.Tensor:
    """The first `count` normal floats of each row of 32-bit words, uint64 (N, W).

    A draw begins at a word. Most give a float at once. Those in a layer's wedge ask the next word
    whether they lie below the curve. Those beyond the layers are drawn from the tail, two words at
    a time until they are accepted. What each word would give, and which word would come next, is
    computed for all words at once; then a row's path is followed from its first word.

    A path's steps are numbers below 3 W: word w begins a draw (w), a try for the tail's right end
    (W + w), or one for its left end (2 W + w).
    """
    ratios, widths, heights = (tf.constant(table) for table in _tables())
    length = words.shape[1]
    here = tf.range(length)
    layers = tf.cast(tf.bitwise.bitwise_and(words, np.uint64(LAYERS - 1)), tf.int32)
    negative = tf.equal(_bit(words, 8), 1)
    lengths = tf.cast(_shifted_right(words, 9), tf.int32)
    shares = tf.cast(_shifted_right(words, 8), tf.float32) * np.float32(2.0**-24)
    next_shares = tf.roll(shares, -1, axis=1)

    magnitudes = tf.cast(lengths, tf.float32) * tf.gather(widths, layers)
    inside = lengths < tf.gather(ratios, layers)
    in_tail = ~inside & tf.equal(layers, 0)
    upper = tf.gather(heights, tf.maximum(layers - 1, 0))
    lower = tf.gather(heights, layers)
    density = tf.exp(-0.5 * tf.square(tf.cast(magnitudes, tf.float64)))
    below = tf.cast((upper - lower) * next_shares + lower, tf.float64) < density
    tail_tries = length + here + 1 + tf.cast(_bit(words, 17), tf.int32) * length

    exponentials = tf.cast(-tf.math.log1p(-tf.cast(shares, tf.float64)), tf.float32)
    beyond = exponentials * np.float32(1 / TAIL)
    accepted = 2 * tf.roll(exponentials, -1, axis=1) > tf.square(beyond)
    ends = beyond + np.float32(TAIL)

    values = tf.concat([tf.where(negative, -magnitudes, magnitudes), ends, -ends], axis=1)
    kept = tf.concat([inside | (below & ~in_tail), accepted, accepted], axis=1)
    following = tf.concat(
        [
            tf.where(in_tail, tail_tries, tf.where(inside, here + 1, here + 2)),
            tf.where(accepted, here + 2, length + here + 2),
            tf.where(accepted, here + 2, 2 * length + here + 2),
        ],
        axis=1,
    )

    def step(
        number: tf.Tensor, at: tf.Tensor, floats: tf.Tensor, path: tf.TensorArray
    ) -> tuple[Any, ...]:
        floats += tf.cast(tf.gather(kept, at, batch_dims=1), tf.int32)
        return number + 1, tf.gather(following, at, batch_dims=1), floats, path.write(number, at)

    zeros = tf.zeros_like(words[:, 0], tf.int32)
    path = tf.TensorArray(tf.int32, size=0, dynamic_size=True, element_shape=(None,))
    _, _, _, path = tf.while_loop(
        lambda number, at, floats, path: tf.reduce_any(floats < count),
        step,
        (0, zeros, zeros, path),
    )
    steps = tf.transpose(path.stack())
    is_float = tf.gather(kept, steps, batch_dims=1)
    first = tf.argsort(tf.cast(~is_float, tf.int32), axis=1, stable=True)[:, :count]
    return tf.gather(values, tf.gather(steps, first, batch_dims=1), batch_dims=1)


def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ziggurat's tables as numpy has them: ratios of widths, widths, heights of the layers."""
    density = np.exp(-0.5 * TAIL**2)
    area = TAIL * density + math.sqrt(math.pi / 2) * math.erfc(TAIL / math.sqrt(2))
    edges = np.zeros(LAYERS)
    edges[-1] = TAIL
    for layer in range(LAYERS - 1, 1, -1):
        height = area / edges[layer] + math.exp(-0.5 * edges[layer] ** 2)
        edges[layer - 1] = math.sqrt(-2 * math.log(height))
    widths = np.concatenate([[area / density], edges[1:]])
    ratios = np.concatenate([[TAIL], edges[:-1]]) / widths
    return (
        np.rint(ratios * 2**23).astype(np.int32),
        (widths / 2**23).astype(np.float32),
        np.exp(-0.5 * edges**2).astype(np.float32),
    )


def _shifted_right(words: tf.Tensor, places: int) -> tf.Tensor:
    return tf.bitwise.right_shift(words, np.uint64(places))


def _low(words: tf.Tensor) -> tf.Tensor:
    return tf.bitwise.bitwise_and(words, np.uint64(MASK_32))


def _high(words: tf.Tensor) -> tf.Tensor:
    return _shifted_right(words, 32)


def _bit(words: tf.Tensor, place: int) -> tf.Tensor:
    return tf.bitwise.bitwise_and(_shifted_right(words, place), np.uint64(1))


def _xor(first: tf.Tensor, *others: tf.Tensor | np.ndarray) -> tf.Tensor:
    for other in others:
        first = tf.bitwise.bitwise_xor(first, other)
    return first


def _multiply(factors: np.ndarray, words: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The upper and the lower 64 bits of a product, by halves: there are no 128-bit tensors."""
    low_factors, high_factors = factors & np.uint64(MASK_32), factors >> np.uint64(32)
    low, high = _low(words), _high(words)
    outer, inner = low_factors * high, high_factors * low
    carried = _high(low_factors * low) + _low(outer) + _low(inner)
    upper = high_factors * high + _high(outer) + _high(inner) + _high(carried)
    return upper, factors * words
