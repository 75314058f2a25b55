"""Attributes that images have and models are asked for: switches, 0 or 1, and numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from kgan.attribute_values import (
    LEAST_WIDTH,
    MOST_WIDTH,
    as_numbers,
    can_scale,
    check_names,
    check_values,
)
from kgan.errors import InputError
from kgan.files import place_of, printable
from kgan.names import as_name

MOST_ROWS = 256
MOST_NUMBERS = 8192  # in all rows: they are kept with every model and in every manifest

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
            InputError: other names or values, an attribute with the same value everywhere, or
                one whose range `can_scale` refuses.
        """
        names = check_names(names)
        table = check_values(values, names)
        lows, highs = table.min(axis=0), table.max(axis=0)
        for name, low, high in zip(names, lows, highs, strict=True):
            if low == high:
                raise InputError(
                    f"An attribute needs pictures with different values. Received: "
                    f"{printable(name)} = {_text(low)} in all {len(table):,}"
                )
            if not can_scale(low, high):
                raise InputError(
                    f"An attribute's values span {LEAST_WIDTH:.2g} to {MOST_WIDTH:.2g}, which "
                    f"float32 can scale. Received: {printable(name)} from {_text(low)} to "
                    f"{_text(high)}"
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
        names = check_names([fact["name"] for fact in facts])
        kinds = tuple(fact["kind"] for fact in facts)
        rows, ends = as_numbers(config["rows"]), as_numbers([fact["range"] for fact in facts])
        if rows is None or rows.ndim != 2 or rows.shape[1] != len(names) or not rows.size:
            raise ValueError(f"no rows of {len(names)} attributes")
        if ends is None or ends.shape != (len(names), 2) or not (ends[:, 0] < ends[:, 1]).all():
            raise ValueError("no ranges, the lower end first")
        if not np.isfinite(rows).all() or not np.isfinite(ends).all():
            raise ValueError("numbers that are not finite")
        if not set(kinds) <= set(get_args(Kind)):
            raise ValueError(f"other kinds than {', '.join(get_args(Kind))}")
        return cls(
            tuple(names),
            kinds,
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
            named = self.named(labels, n)
            missing = [name for place, name in enumerate(self.names) if place not in named]
            if seeds is None and missing:
                raise InputError(
                    f"Latents without seeds need every attribute. Missing: {printable(missing[0])}"
                )
            chosen = np.zeros((n, len(self.names)), np.float32)
            if seeds is not None:
                chosen[:] = self.from_seeds(seeds)
            for place, value in named.items():
                chosen[:, place] = value
            return chosen
        k = len(self.names)
        array = as_numbers(labels)
        if array is None or array.shape not in ((k,), (n, k)):
            raise InputError(
                f"labels must be {k} numbers ({', '.join(map(printable, self.names))}), {n} rows "
                f"of them, or a dict of some. Received: {printable(repr(labels), 60)}"
            )
        for place in range(k):
            self._check(place, array[..., place])
        return np.broadcast_to(array, (n, k))

    def named(self, labels: Mapping[Any, Any], n: int) -> dict[int, np.ndarray]:
        """What is asked of n images by name, in whatever letter case tells the names apart.

        Returns:
            Which attribute -> float32, one number () or one per image (n,).

        Raises:
            InputError: as for `asked`, or two spellings of one name.
        """
        spellings: dict[int, str] = {}
        found: dict[int, np.ndarray] = {}
        for key, asked in labels.items():
            name = str(key)
            place = place_of(name, self.names)
            if place is None:
                raise InputError(
                    f"No such attribute. Known: {', '.join(map(printable, self.names))}. "
                    f"Received: {printable(name)}"
                )
            if place in found:
                raise InputError(
                    f"{printable(self.names[place])} is asked for twice. "
                    f"Received: {printable(repr(spellings[place]))} and {printable(repr(name))}"
                )
            value = as_numbers(asked)
            if value is None or value.shape not in ((), (n,)):
                raise InputError(
                    f"{printable(self.names[place])} must be one number, or one per image ({n}). "
                    f"Received: {printable(repr(asked), 60)}"
                )
            self._check(place, value)
            spellings[place], found[place] = name, value
        return found

    def _check(self, place: int, values: np.ndarray) -> None:
        """Raises an InputError for values that are not in an attribute's range."""
        low, high = np.array(self.ranges[place], np.float32)
        wrong = values[~((values >= low) & (values <= high))]  # NaN is in none
        if wrong.size:
            raise InputError(
                f"{printable(self.names[place])} is a number from {_text(low)} to "
                f"{_text(high)}. Received: {_text(wrong.ravel()[0])}"
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
            f"{name} ({_text(low)} {'or' if kind == 'switch' else 'to'} {_text(high)})"
            for name, kind, (low, high) in facts
        )


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


def _short(value: Any) -> float:
    """The shortest number that is that float32."""
    return float(str(np.float32(value)))


def _text(value: Any) -> str:
    """The same as people write it: what is printed of a range can be asked for."""
    return repr(_short(value)).removesuffix(".0")
