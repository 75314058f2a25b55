"""What every network family shares: size checks, the base class and common blocks."""

import numbers
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, TypeAlias

import keras
from keras import layers

from kgan.channels import MOST_CHANNELS, PICTURES_IN_WORDS
from kgan.errors import InputError
from kgan.tensors import SYNCHRONIZED

LARGEST_SIDE = 256

ImageShape: TypeAlias = tuple[int, int, int]  # (H, W, C)
DType: TypeAlias = str | keras.DTypePolicy | None
# One symbolic input, or [input, labels].
Inputs: TypeAlias = keras.KerasTensor | list[keras.KerasTensor]


class Network(keras.Model):
    """A functional model that is rebuilt from the arguments it was built with.

    Subclasses build their graph and pass it on with those arguments, which
    become attributes and the config. The layers take the dtype policy `dtype`;
    the outputs are float32 under any policy.

    Attributes:
        before: for a network that has gained arguments, what they are in a config that does
            not have them yet, so that models saved before load as they were.
    """

    before: ClassVar[Mapping[str, Any]] = {}
    value_range: Sequence[float] = (-1.0, 1.0)

    def __init__(
        self,
        inputs: Inputs,
        outputs: keras.KerasTensor,
        *,
        arguments: Mapping[str, Any],
        policy: keras.DTypePolicy,
        name: str | None,
    ) -> None:
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.policy_name = policy.name
        self.argument_names = tuple(arguments)
        for key, value in arguments.items():
            setattr(self, key, value)

    def get_config(self) -> dict[str, Any]:
        arguments = {key: getattr(self, key) for key in self.argument_names}
        return arguments | {"dtype": self.policy_name, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**(dict(cls.before) | config))


def network_dtype(dtype: DType) -> keras.DTypePolicy:
    """The dtype policy for the layers of a network; the global one when `dtype` is None."""
    return keras.dtype_policies.get(dtype) if dtype else keras.config.dtype_policy()


def check_positive(**values: Any) -> None:
    """Raises an InputError that names the first keyword value that is not an int above 0."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or int(value) < 1:
            raise InputError(f"{name} must be a whole number above 0. Received: {value!r}")


def check_image_shape(
    image_shape: Any, multiple: int = 1, smallest: int = 1, largest: int = LARGEST_SIDE
) -> ImageShape:
    """Returns `image_shape` as a tuple (H, W, C).

    Args:
        image_shape: what the user passed.
        multiple, smallest, largest: what the network can make of a side.

    Raises:
        InputError: not three ints, a side the network cannot make, or channels
            other than 1 to 8.
    """
    try:
        height, width, channels = image_shape
    except (TypeError, ValueError):
        height = None
    if height is None or not all(isinstance(side, numbers.Integral) for side in image_shape):
        raise InputError(
            f"image_shape must be three whole numbers (H, W, C). Received: {image_shape!r}"
        )
    for side in (height, width):
        if side % multiple or not smallest <= side <= largest:
            kind = f"multiples of {multiple}" if multiple > 1 else "whole numbers"
            raise InputError(
                f"Height and width must be {kind} from {smallest} to {largest}. "
                f"Received: {height}x{width}"
            )
    if not 1 <= channels <= MOST_CHANNELS:
        raise InputError(
            f"Channels must be from 1 to {MOST_CHANNELS}; {PICTURES_IN_WORDS} make a picture. "
            f"Received: {channels}"
        )
    return int(height), int(width), int(channels)


def check_doubling_shape(
    image_shape: Any, smallest: int = 8, largest: int = LARGEST_SIDE
) -> tuple[ImageShape, int, tuple[int, int]]:
    """A checked `image_shape` that is reached by doubling a base whose shorter side is 4.

    Args:
        image_shape: what the user passed.
        smallest, largest: powers of two, of the sides that the network can make.

    Returns:
        ((H, W, C), number of doublings, (base H, base W)).

    Raises:
        InputError: the shorter side is not a power of two from `smallest` to `largest`
            (8, 16, 32, 64, 128 or 256), or the longer one is not a multiple of a quarter of it.
    """
    shape = check_image_shape(image_shape, multiple=4, smallest=smallest, largest=largest)
    height, width, channels = shape
    doublings = (min(height, width) // 4).bit_length() - 1
    step = 2**doublings
    if min(height, width) != 4 * step or height % step or width % step:
        *sides, last = (2**n for n in range(smallest.bit_length() - 1, largest.bit_length()))
        raise InputError(
            f"The shorter of height and width must be {', '.join(map(str, sides))} or {last}, and "
            f"the longer a multiple of a quarter of it. Received: {height}x{width}"
        )
    return (height, width, channels), doublings, (height // step, width // step)


def small_normal() -> keras.Initializer:
    """N(0, 0.02) (Radford 2015, section 4); a new one per layer, so that no two start equal."""
    return keras.initializers.RandomNormal(mean=0.0, stddev=0.02)


def around_one() -> keras.Initializer:
    """N(1, 0.02), the scale of a normalisation in the PyTorch DCGANs; a new one per layer."""
    return keras.initializers.RandomNormal(mean=1.0, stddev=0.02)


def enlarged(x: keras.KerasTensor, factor: int, name: str) -> keras.KerasTensor:
    """`x` (B, H, W, C) as (B, factor H, factor W, C), bilinearly.

    In float32 under any policy: of 16 bits XLA cannot compile the gradient.
    """
    return layers.UpSampling2D(
        factor, interpolation="bilinear", data_format="channels_last", dtype="float32", name=name
    )(x)


def batch_normalization(
    policy: keras.DTypePolicy, name: str, gamma_initializer: Any = "ones"
) -> layers.BatchNormalization:
    """BatchNormalization whose moving statistics catch up within some ten steps.

    Keras's default momentum of 0.99 lags behind a generator that changes at every
    step, and an image made in inference mode is then not what training showed.
    The replicas of a strategy normalise by the whole batch, as one device would.
    """
    return layers.BatchNormalization(
        momentum=0.9,
        epsilon=1e-5,
        gamma_initializer=gamma_initializer,
        synchronized=SYNCHRONIZED,
        dtype=policy,
        name=name,
    )
