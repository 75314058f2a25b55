"""Which of many images excite a layer's units most, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from kgan.explore.inner_layers import as_maps, outputs_caught


class Excitation(NamedTuple):
    """The k inputs that excite each of U units most, the strongest first.

    Attributes:
        indices: int64 (U, k), which inputs, by their order.
        values: float32 (U, k), the largest value of the unit's map.
        rows, columns: int64 (U, k), where in the map it is; of several the first.
    """

    indices: np.ndarray
    values: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


def most_exciting(
    network: keras.Model,
    layer: Any,
    units: Sequence[int],
    batches: Iterable[Sequence[np.ndarray]],
    k: int,
) -> Excitation:
    """Seeks the inputs that excite units most, in memory that does not grow with their number.

    Args:
        network: a Keras network, run in inference mode.
        layer: one of its layers.
        units: channels of its output, U of them.
        batches: each what the network takes, a list of arrays.
        k: how many to keep; all where there are fewer. Of equal ones the first.
    """
    kept: Excitation | None = None
    seen = 0
    with outputs_caught([layer]) as caught:
        for batch in batches:
            inputs = [tf.constant(each) for each in batch]
            network(inputs if len(inputs) > 1 else inputs[0], training=False)
            maps = np.asarray(as_maps(caught[layer.name]), np.float32)[..., list(units)]
            found = _largest(maps, seen)
            seen += len(maps)
            kept = _best(found if kept is None else _joined(kept, found), k)
    assert kept is not None, "there are images"
    return kept


def _largest(maps: np.ndarray, first: int) -> Excitation:
    """The largest value of each map (B, H, W, U), for inputs numbered from `first` on."""
    count, _, width, units = maps.shape
    flat = maps.reshape(count, -1, units)
    places = flat.argmax(1)
    values = np.take_along_axis(flat, places[:, None], 1)[:, 0]
    indices = np.broadcast_to(np.arange(first, first + count)[:, None], places.shape)
    rows, columns = np.divmod(places, width)
    return Excitation(indices.T, values.T, rows.T, columns.T)


def _joined(before: Excitation, after: Excitation) -> Excitation:
    return Excitation(*(np.concatenate(pair, 1) for pair in zip(before, after, strict=True)))


def _best(found: Excitation, k: int) -> Excitation:
    order = np.argsort(-found.values, axis=1, kind="stable")[:, :k]
    return Excitation(*(np.take_along_axis(each, order, 1) for each in found))
