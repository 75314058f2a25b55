"""Which weights a gradient is taken of, for those who would compute more than that."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterable, Iterator
from typing import Any

_WANTED: contextvars.ContextVar[frozenset[int] | None] = contextvars.ContextVar(
    "gradients_of", default=None
)


@contextlib.contextmanager
def gradients_of(weights: Iterable[Any]) -> Iterator[None]:
    """Context manager: the gradients taken meanwhile are wanted of no other weights than these.

    A tape does not tell a gradient of one's own making (`tf.custom_gradient`) what it is asked
    for. It may leave out the others; without this it cannot.

    Args:
        weights: Keras variables; none where only the gradient of a tensor is taken.
    """
    before = _WANTED.set(frozenset(map(id, weights)))
    try:
        yield
    finally:
        _WANTED.reset(before)


def is_wanted(weight: Any) -> bool:
    """Whether a gradient that is being taken may be of this Keras variable."""
    wanted = _WANTED.get()
    return bool(weight.trainable) and (wanted is None or id(weight) in wanted)
