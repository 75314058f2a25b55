"""kgan's latents of seeds in TensorFlow operations: numpy's Philox and its normal floats.

`latents.from_seeds` is the law; this is what a SavedModel can hold of it, so that the same
seed gives the same picture there too. All of it is integer arithmetic on the CPU but for the
few normal floats that the ziggurat does not take at once.

Reference:
    Philox: Salmon et al. 2011, table 2, https://doi.org/10.1145/2063384.2063405
    the key of a seed: O'Neill 2015, https://www.pcg-random.org/posts/developing-a-seed_seq-alternative.html
    ziggurat: Marsaglia and Tsang 2000, https://doi.org/10.18637/jss.v005.i08
"""

import math

import numpy as np
import tensorflow as tf

MASK_32 = 0xFFFFFFFF
# The ziggurat's 256 layers of equal area, and where its tail begins.
TAIL = 3.6541528853610088
LAYERS = 256


def latents(seeds, latent_dim, distribution):
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
            bits = tf.bitwise.right_shift(philox(seeds, latent_dim), _words(11))
            return tf.cast(tf.cast(bits, tf.float64) * 2.0**-52 - 1.0, tf.float32)
        # 1.02 words a float; that this many do not do has a probability below 1e-40.
        words = philox(seeds, (latent_dim + latent_dim // 4 + 64) // 2)
        halves = tf.stack([_low(words), _high(words)], axis=-1)
        return _normal(tf.reshape(halves, (tf.shape(seeds)[0], 2 * words.shape[1])), latent_dim)


def philox(seeds, count):
    """The first words of numpy.random.Philox(seed) for each seed.

    Args:
        seeds: int64 tensor (N,), each at least 0.
        count: words a seed.

    Returns:
        uint64 tensor (N, count).
    """
    keys = _keys(tf.cast(seeds, tf.uint64)[:, None])
    blocks = math.ceil(count / 4)
    zeros = tf.zeros((tf.shape(seeds)[0], blocks), tf.uint64)
    state = [zeros + np.arange(1, blocks + 1, dtype=np.uint64), zeros, zeros, zeros]
    for _ in range(10):
        high_0, low_0 = _multiply(0xD2E7470EE14C6C93, state[0])
        high_2, low_2 = _multiply(0xCA5A826395121157, state[2])
        state = [_xor(high_2, state[1], keys[0]), low_2, _xor(high_0, state[3], keys[1]), low_0]
        keys = [keys[0] + _words(0x9E3779B97F4A7C15), keys[1] + _words(0xBB67AE8584CAA73B)]
    return tf.reshape(tf.stack(state, axis=-1), (-1, 4 * blocks))[:, :count]


def _keys(seeds):
    """What numpy.random.SeedSequence(seed).generate_state(2, uint64) gives: two uint64 tensors."""
    constant = 0x43B0D7E5

    def scrambled(word, multiplier):
        nonlocal constant
        word = _xor(word, _words(constant))
        constant = constant * multiplier & MASK_32
        word = _low(word * _words(constant))
        return _xor(word, tf.bitwise.right_shift(word, _words(16)))

    zero = tf.zeros_like(seeds)
    pool = [scrambled(word, 0x931E8875) for word in (_low(seeds), _high(seeds), zero, zero)]
    for source in range(4):
        for place in range(4):
            if place != source:
                other = scrambled(pool[source], 0x931E8875)
                # A difference modulo 2**64 is right modulo 2**32 too.
                mixed = _low(pool[place] * _words(0xCA01F9DD) - other * _words(0x4973F715))
                pool[place] = _xor(mixed, tf.bitwise.right_shift(mixed, _words(16)))
    constant = 0x8B51F9DD
    words = [scrambled(word, 0x58F38DED) for word in pool]
    return [low + high * _words(1 << 32) for low, high in (words[:2], words[2:])]


def _normal(words, count):
    """The first `count` normal floats of each row of 32-bit words, uint64 (N, W).

    A draw begins at a word. Most give a float and end there; those in a layer's wedge ask the
    next word whether it lies below the curve; those beyond the layers are drawn from the tail,
    two words at a time until they fit. Where each word would lead is worked out for all of them
    at once, and then the way is walked from the first. `steps` are three lists of W in a row:
    a draw that begins at the word, a try for the tail's right end, one for its left.
    """
    ratios, widths, heights = (tf.constant(table) for table in _tables())
    length = words.shape[1]
    here = tf.range(length)
    layers = tf.cast(tf.bitwise.bitwise_and(words, _words(LAYERS - 1)), tf.int32)
    negative = tf.equal(_bit(words, 8), 1)
    lengths = tf.cast(tf.bitwise.right_shift(words, _words(9)), tf.int32)
    shares = tf.cast(tf.bitwise.right_shift(words, _words(8)), tf.float32) * np.float32(2.0**-24)
    next_shares = tf.roll(shares, -1, axis=1)

    magnitudes = tf.cast(lengths, tf.float32) * tf.gather(widths, layers)
    inside = lengths < tf.gather(ratios, layers)
    tails = ~inside & tf.equal(layers, 0)
    upper = tf.gather(heights, tf.maximum(layers - 1, 0))
    lower = tf.gather(heights, layers)
    density = tf.exp(-0.5 * tf.square(tf.cast(magnitudes, tf.float64)))
    below = tf.cast((upper - lower) * next_shares + lower, tf.float64) < density
    tail_tries = length + here + 1 + tf.cast(_bit(words, 17), tf.int32) * length

    beyond = tf.cast(-tf.math.log1p(-tf.cast(shares, tf.float64)), tf.float32)
    further = beyond * np.float32(1 / TAIL)
    fits = 2 * tf.roll(beyond, -1, axis=1) > tf.square(further)
    ends = further + np.float32(TAIL)

    values = tf.concat([tf.where(negative, -magnitudes, magnitudes), ends, -ends], axis=1)
    kept = tf.concat([inside | (below & ~tails), fits, fits], axis=1)
    following = tf.concat(
        [
            tf.where(tails, tail_tries, tf.where(inside, here + 1, here + 2)),
            tf.where(fits, here + 2, length + here + 2),
            tf.where(fits, here + 2, 2 * length + here + 2),
        ],
        axis=1,
    )

    def step(number, at, found, way):
        found += tf.cast(tf.gather(kept, at, batch_dims=1), tf.int32)
        return number + 1, tf.gather(following, at, batch_dims=1), found, way.write(number, at)

    rows = tf.zeros_like(words[:, 0], tf.int32)
    way = tf.TensorArray(tf.int32, size=0, dynamic_size=True, element_shape=(None,))
    _, _, _, way = tf.while_loop(
        lambda number, at, found, way: tf.reduce_any(found < count), step, (0, rows, rows, way)
    )
    way = tf.transpose(way.stack())
    good = tf.gather(kept, way, batch_dims=1)
    first = tf.argsort(tf.cast(~good, tf.int32), axis=1, stable=True)[:, :count]
    return tf.gather(values, tf.gather(way, first, batch_dims=1), batch_dims=1)


def _tables():
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


def _words(number):
    return tf.constant(np.uint64(number))


def _low(words):
    return tf.bitwise.bitwise_and(words, _words(MASK_32))


def _high(words):
    return tf.bitwise.right_shift(words, _words(32))


def _bit(words, place):
    return tf.bitwise.bitwise_and(tf.bitwise.right_shift(words, _words(place)), _words(1))


def _xor(first, *others):
    for other in others:
        first = tf.bitwise.bitwise_xor(first, other)
    return first


def _multiply(factor, words):
    """The upper and the lower 64 bits of a product, by halves: there are no 128-bit tensors."""
    low_factor, high_factor = _words(factor & MASK_32), _words(factor >> 32)
    low, high = _low(words), _high(words)
    outer, inner = low_factor * high, high_factor * low
    carried = _high(low_factor * low) + _low(outer) + _low(inner)
    upper = high_factor * high + _high(outer) + _high(inner) + _high(carried)
    return upper, _words(factor) * words
