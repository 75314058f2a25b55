"""Attributes that images have and models are asked for: switches, 0 or 1, and numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kgan.errors import InputError
from kgan.files import as_typed, printable
from kgan.names import as_name

MOST_ATTRIBUTES = 256
MOST_ROWS = 256
MOST_NUMBERS = 8192  # in all rows: they are kept with every model and in every manifest
NOT_IN_NAMES = ",="  # which stand between names and values where a user types them

Kind = Literal["switch", "number"]


@dataclasses.dataclass(frozen=True, eq=False)
class Attributes:
    """What the labels of a model's images say, float32 (B, k), and where they come from.

    Make one of a whole set of images with `of`; `open_source(...).attributes` is one.

    Attributes:
        names: of the k attributes.
        kinds: "switch", whose value is 0 or 1, or "number", of each.
        ranges: (lowest, highest) value of each in the set.
        rows: float32 (R, k), the attributes of some images of the set, in random order: images
            that nobody asks anything of have these.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    ranges: tuple[tuple[float, float], ...]
    rows: np.ndarray

    @classmethod
    def of(cls, names: Sequence[object], values: npt.ArrayLike) -> Attributes:
        """The attributes of a set of images.

        Args:
            names: k different names, without commas and equals signs.
            values: numbers or booleans (N, k), finite; an attribute whose values are 0 and 1
                alone is a switch.

        Raises:
            InputError: other names or values, or an attribute with the same value everywhere.
        """
        names = check_names(names)
        table = check_values(values, names)
        lows, highs = table.min(axis=0), table.max(axis=0)
        for name, low, high in zip(names, lows, highs, strict=True):
            if low == high:
                raise InputError(
                    f"An attribute needs pictures with different values. Received: "
                    f"{printable(name)} = {low:g} in all {len(table):,}"
                )
        is_switch = ((table == 0) | (table == 1)).all(axis=0).tolist()
        most = max(1, min(MOST_ROWS, MOST_NUMBERS // len(names)))
        return cls(
            tuple(names),
            tuple("switch" if switch else "number" for switch in is_switch),
            tuple((_short(low), _short(high)) for low, high in zip(lows, highs, strict=True)),
            table[np.random.default_rng(0).permutation(len(table))[:most]],
        )

    def to_config(self) -> dict[str, Any]:
        """As a dict that `json.dumps` takes and `from_config` reads."""
        facts = zip(self.names, self.kinds, self.ranges, strict=True)
        return {
            "attributes": [
                {"name": name, "kind": kind, "range": list(ends)} for name, kind, ends in facts
            ],
            "rows": [[_short(value) for value in row] for row in self.rows],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Attributes:
        """From what `to_config` made; other keys are passed over.

        Raises:
            LookupError, TypeError, ValueError: it is no such thing.
        """
        facts = config["attributes"]
        rows = np.array(config["rows"], np.float32)
        if rows.shape != (len(rows), len(facts)) or not rows.size or not np.isfinite(rows).all():
            raise ValueError(f"no rows of {len(facts)} attributes: {rows.shape}")
        return cls(
            tuple(check_names([fact["name"] for fact in facts])),
            tuple(fact["kind"] for fact in facts),
            tuple((float(low), float(high)) for low, high in (fact["range"] for fact in facts)),
            rows,
        )

    def from_seeds(self, seeds: Sequence[int]) -> np.ndarray:
        """Of each seed the row of that number, modulo the number of rows; float32 (N, k)."""
        places = [seed % len(self.rows) for seed in seeds]
        return self.rows[np.array(places, np.int64)]

    def asked(self, labels: Any, n: int, seeds: Sequence[int] | None = None) -> np.ndarray:
        """The labels of n images by what a user asks for.

        Args:
            labels: k numbers for all images, or n rows of them; or name -> number of some
                attributes, where the others are those of the seeds.
            n: number of images.
            seeds: their seeds; None for images without, of which all attributes must be named.

        Returns:
            float32 array (n, k).

        Raises:
            InputError: a name that there is not, another number of values, or a value that is not
                in its attribute's range.
        """
        if isinstance(labels, Mapping):
            return self._named(labels, n, seeds)
        k = len(self.names)
        array = _numbers(labels)
        if array is None or array.shape not in ((k,), (n, k)):
            raise InputError(
                f"labels must be {k} numbers ({', '.join(map(printable, self.names))}), {n} rows "
                f"of them, or a dict of some. Received: {printable(repr(labels), 60)}"
            )
        for place in range(k):
            self._check(place, array[..., place])
        return np.broadcast_to(array, (n, k))

    def _named(self, labels: Mapping[Any, Any], n: int, seeds: Sequence[int] | None) -> np.ndarray:
        known = {as_typed(name): place for place, name in enumerate(self.names)}
        places = {name: known.get(as_typed(str(name))) for name in labels}
        for name, place in places.items():
            if place is None:
                raise InputError(
                    f"No such attribute. Known: {', '.join(map(printable, self.names))}. "
                    f"Received: {printable(str(name))}"
                )
        missing = [name for place, name in enumerate(self.names) if place not in places.values()]
        if seeds is None and missing:
            raise InputError(
                f"Latents without seeds need every attribute. Missing: {printable(missing[0])}"
            )
        chosen = np.zeros((n, len(self.names)), np.float32)
        if seeds is not None:
            chosen[:] = self.from_seeds(seeds)
        for name, place in places.items():
            assert place is not None
            value = _numbers(labels[name])
            if value is None or value.shape not in ((), (n,)):
                raise InputError(
                    f"{printable(self.names[place])} must be one number, or one per image ({n}). "
                    f"Received: {printable(repr(labels[name]), 60)}"
                )
            self._check(place, value)
            chosen[:, place] = value
        return chosen

    def _check(self, place: int, values: np.ndarray) -> None:
        """Raises an InputError for values that are not in an attribute's range."""
        low, high = np.array(self.ranges[place], np.float32)
        wrong = values[~((values >= low) & (values <= high))]  # NaN is in none
        if wrong.size:
            raise InputError(
                f"{printable(self.names[place])} is a number from {_short(low):g} to "
                f"{_short(high):g}. Received: {_short(wrong.ravel()[0]):g}"
            )

    def clipped(self, values: npt.ArrayLike) -> np.ndarray:
        """Attributes (N, k) of images that may be of another set, as float32 within the ranges.

        Raises:
            InputError: as for `check_values`.
        """
        lows, highs = np.array(self.ranges, np.float32).T
        return np.clip(check_values(values, self.names), lows, highs)

    def in_words(self) -> str:
        """For people: "smile (0 or 1), yaw (-1 to 1)"."""
        facts = zip(self.names, self.kinds, self.ranges, strict=True)
        return ", ".join(
            f"{name} ({low:g} {'or' if kind == 'switch' else 'to'} {high:g})"
            for name, kind, (low, high) in facts
        )


def check_names(names: Sequence[object]) -> list[str]:
    """The names as texts, each `kgan.names.as_name`.

    Raises:
        InputError: none or too many of them, one that is empty, has a comma or an equals sign, or
            is there twice.
    """
    texts = [as_name(str(name)).strip() for name in names]
    if not 1 <= len(texts) <= MOST_ATTRIBUTES:
        raise InputError(f"There can be 1 to {MOST_ATTRIBUTES} attributes. Received: {len(texts)}")
    seen: set[bytes] = set()
    for text in texts:
        if not text or set(text) & set(NOT_IN_NAMES):
            raise InputError(
                f"An attribute's name is not empty and has no comma and no equals sign. "
                f"Received: {printable(repr(text))}"
            )
        if as_typed(text) in seen:
            raise InputError(f"Attributes have different names. Received: {printable(text)} twice")
        seen.add(as_typed(text))
    return texts


def check_values(values: npt.ArrayLike, names: Sequence[str], count: int | None = None) -> Any:
    """The attributes of images as float32 (N, k).

    Args:
        values: the numbers or booleans.
        names: of the k attributes.
        count: number of images; None for any.

    Raises:
        InputError: they are of another kind or number, or one is not finite.
    """
    array, k = _numbers(values), len(names)
    fits = array is not None and array.ndim == 2 and array.size and array.shape[1] == k
    if array is None or not fits or count not in (None, len(array)):
        received = "no numbers" if array is None else f"numbers {array.shape}"
        raise InputError(
            f"Attributes must be {'' if count is None else f'{count:,} '}rows, one per picture, of "
            f"{k} numbers. Received: {received}"
        )
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        row, column = wrong[0]
        raise InputError(
            f"Attributes are finite numbers. Received: {printable(names[column])} = "
            f"{array[row, column]} of picture {row}"
        )
    return array


def parse_asked(text: str) -> dict[str, float]:
    """What a user types as "smile=1,yaw=-0.5": name -> number.

    Raises:
        ValueError: it is no such text, or names an attribute twice.
    """
    asked: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = part.rpartition("=")
        name = as_name(name).strip()
        if not equals or not name or name in asked:
            raise ValueError(f"not one more NAME=X: {part!r}")
        asked[name] = float(number)
    return asked


def _numbers(values: Any) -> np.ndarray | None:
    """Numbers as float32, None for anything else; too large ones become infinite."""
    try:
        array = np.asarray(values)
    except ValueError:  # lists of several lengths
        return None
    if array.dtype.kind not in "buif":
        return None
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def _short(value: Any) -> float:
    """The shortest number that is that float32."""
    return float(str(np.float32(value)))
