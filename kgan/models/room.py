"""Whether networks fit into memory: their weights counted before any of them is made."""

from __future__ import annotations

import contextlib
import inspect
import math
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import keras
import numpy as np

from kgan import memory
from kgan.errors import InputError
from kgan.models.networks import Network
from kgan.models.preset_kinds import AutoencoderPreset, Preset
from kgan.tensors import weights_in_memory

AnyPreset = Preset | AutoencoderPreset
_counting = threading.RLock()  # of who replaces what makes Keras's variables
WIDTHS = ("filters", "latent_dim")  # what weights grow with, and a smaller value can mend


def build(preset: AnyPreset, arguments: Mapping[str, Any]) -> dict[str, Network]:
    """Role -> a preset's network, each made from those of the arguments that it has."""
    return {
        role: network(
            **{key: value for key, value in arguments.items() if key in arguments_of(network)}
        )
        for role, network in preset.networks.items()
    }


def arguments_of(network: type[Network]) -> list[str]:
    """The names of what a network is made from."""
    return list(inspect.signature(network).parameters)


def check_room(name: str, preset: AnyPreset, arguments: Mapping[str, Any], copies: int = 1) -> None:
    """Refuses networks whose weights do not fit into memory, before they are made.

    Sizes up to the preset's own are not counted: they take less than a tenth of a gigabyte.
    Nor are any where an accelerator, whose memory is another, holds the weights.

    Args:
        name: the preset's.
        preset: the preset.
        arguments: what its networks are made from.
        copies: how many numbers there are for each weight: with Adam, whose slots are two, 3.

    Raises:
        InputError: they need more than is free, or an argument that a network does not take.
    """
    if not _exceeds(preset, arguments) or not weights_in_memory():
        return

    def needed(**others: Any) -> int:
        sizes = {**arguments, **others}
        return copies * weight_bytes(lambda: build(preset, sizes).values())

    least, left = needed(), memory.free()
    if least <= left:
        return
    fits = []
    widths = {key: getattr(preset, key) for key in WIDTHS if arguments.get(key)}
    for key in widths:
        own, value = getattr(preset, key), arguments.get(key)
        while own is not None and value is not None and value > own:
            value = max(own, value // 2)
            if needed(**{key: value}) <= left:
                fits.append(f"{key} {value}")
                break
    if not fits and needed(**widths) <= left:  # only both together
        fits = [" ".join(f"{key} {value}" for key, value in widths.items())]
    words = " ".join(f"{key} {value}" for key, value in arguments.items() if value is not None)
    raise memory.refusal(
        f"{name} with these sizes", least, left, " or ".join(fits) or "smaller ones", words
    )


def _exceeds(preset: AnyPreset, arguments: Mapping[str, Any]) -> bool:
    """Whether networks can be larger than the preset's own."""
    own = {key: getattr(preset, key) or 0 for key in WIDTHS}
    if any((arguments.get(key) or 0) > own[key] for key in WIDTHS):
        return True
    shape, classes = arguments["image_shape"], arguments.get("num_classes") or 0
    try:
        return math.prod(shape) > math.prod(preset.image_shape) or classes > 1000
    except TypeError:  # no shape at all, which the networks themselves refuse
        return False


def weight_bytes(make: Callable[[], Iterable[keras.Model]]) -> int:
    """The bytes of the weights of the networks that a function makes, none of which are taken.

    The networks are made in a thread of its own: what Keras notes of them there, their names and
    that their weights wait for values, goes with it.

    Raises:
        Exception: what the function raises.
    """
    policy, state = keras.config.dtype_policy(), random.getstate()
    counted: list[int] = []
    problems: list[Exception] = []

    def count() -> None:
        try:
            keras.config.set_dtype_policy(policy)
            with keras.StatelessScope(initialize_variables=False):
                counted.extend(_bytes(w.shape, w.dtype) for n in make() for w in n.weights)
        except Exception as problem:
            problems.append(problem)

    thread = threading.Thread(target=count)
    thread.start()
    thread.join()
    random.setstate(state)  # Keras draws the seeds of layers from it
    if problems:
        raise problems[0]
    return sum(counted)


def _bytes(shape: Iterable[int], dtype: Any) -> int:
    of_text = dtype == "string"  # which NumPy does not know, and no weight is
    return math.prod(shape) * (0 if of_text else np.dtype(dtype).itemsize)


@contextlib.contextmanager
def weights_that_fit(what: object) -> Iterator[None]:
    """Context manager: no variable of Keras is made that, with those before, is more than is free.

    For networks that a file describes, where a few bytes can ask for any number of weights.

    Args:
        what: what the weights are of, such as a path.

    Raises:
        InputError: there are more; whatever Keras made of that on its way.
    """
    if not weights_in_memory():
        yield
        return
    taken = since = 0  # in all; since memory was last looked at
    refused: list[InputError] = []
    here = threading.get_ident()

    def count(variable: Any, initializer: Any, shape: Any = None, dtype: Any = None, **more: Any):  # type: ignore[no-untyped-def]
        nonlocal taken, since
        if shape is not None and threading.get_ident() == here:
            size = _bytes(shape, keras.backend.standardize_dtype(dtype))
            taken, since = taken + size, since + size
            if since > memory.ALWAYS_TAKEN:
                left = memory.free()
                if since > left:
                    left += taken - since
                    fits = f"{left // 4 / 1e6:,.0f} million weights"
                    refused.append(memory.refusal("This model", taken, left, fits, what))
                    raise refused[0]
                since = 0
        made(variable, initializer, shape, dtype, **more)

    with _counting:
        made = keras.Variable.__init__
        keras.Variable.__init__ = count
        try:
            yield
        except Exception:
            if refused:
                raise refused[0] from None
            raise
        finally:
            keras.Variable.__init__ = made
