"""What every network family shares: checked sizes, the stride-2 ladder, the dtype."""

import numbers

import keras

from kgan.errors import InputError

SMALLEST_SIDE = 16
LARGEST_SIDE = 128
BASE_SIDE = 4


def check_image_shape(image_shape):
    """Returns `image_shape` as a tuple (H, W, C) that a stride-2 network can make.

    Raises:
        InputError: not three ints, a side outside 16..128 or not a multiple of
            4, or channels other than 1 and 3.
    """
    try:
        height, width, channels = (int(side) for side in image_shape)
    except (TypeError, ValueError):
        raise InputError(
            f"image_shape must be three whole numbers (H, W, C). Received: {image_shape!r}"
        ) from None
    for side in (height, width):
        if side % 4 or not SMALLEST_SIDE <= side <= LARGEST_SIDE:
            raise InputError(
                f"Height and width must be multiples of 4 from {SMALLEST_SIDE} to {LARGEST_SIDE}. "
                f"Received: {height}x{width}"
            )
    if channels not in (1, 3):
        raise InputError(f"Channels must be 1 (grey) or 3 (colour). Received: {channels}")
    return height, width, channels


def check_positive(**values):
    """Raises an InputError that names the first keyword value that is not an int above 0."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
            raise InputError(f"{name} must be a whole number above 0. Received: {value!r}")


def halving_sizes(image_shape):
    """The (H, W) of every resolution of a stride-2 network, from the pictures' down to the base.

    Each is half the one before, rounded up as a stride-2 'same' convolution
    does, until one more halving would leave the shorter side under 4: 64x64
    gives 64, 32, 16, 8, 4 and 28x28 gives 28, 14, 7, 4.
    """
    sizes = [tuple(image_shape[:2])]
    while True:
        halved = tuple(-(-side // 2) for side in sizes[-1])
        if min(halved) < BASE_SIDE:
            return sizes
        sizes.append(halved)


def network_dtype(dtype):
    """A dtype policy for the layers of a network: `dtype`'s, or the global one when None."""
    return keras.dtype_policies.get(dtype) if dtype else keras.config.dtype_policy()
