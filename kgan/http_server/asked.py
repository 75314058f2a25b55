"""What a request asks for, in the words of `kgan generate`: read, checked, or refused in a line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from kgan import labels as label_law
from kgan.attributes import parse_asked
from kgan.errors import InputError
from kgan.files import printable
from kgan.option_fields import FROM_ZERO, PORTION, SEEDS, TEXT, WHOLE, Kind
from kgan.runtime import Generator

MOST_SEED = 2**63 - 1  # as TensorFlow Serving takes
LONGEST_SHOWN = 60  # characters of what is refused


def _names(value: Any) -> list[str]:
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) or type(name) is int for name in names):
        raise TypeError
    return [str(name) for name in names]


def _numbers(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        raise TypeError
    return value


def _listed(text: str) -> list[int]:
    # Without ranges, of which a few letters can ask for more than fits into memory.
    return [FROM_ZERO.parse(part.strip()) for part in text.split(",")]


# Name -> what it can be: `parse` of an address's text, `check` of JSON.
WORDS = {
    "seed": FROM_ZERO,
    "seeds": Kind("whole numbers from 0 up, such as 1,5,9", _listed, SEEDS.check, "N,..."),
    "n": WHOLE,
    "class": Kind("a class's name or number, or a list of them", _names, _names, "CLASS"),
    "attributes": Kind("numbers by name, such as smile=1", parse_asked, _numbers, "NAME=X,..."),
    "truncation": PORTION,
    "format": TEXT,
}
REPEATED = "class"  # in an address it can come several times


@dataclasses.dataclass(frozen=True, eq=False)
class Asked:
    """What one request asks for, checked.

    Attributes:
        seeds: of its n pictures.
        labels: as the model takes them, (n,) or (n, k); None for a model without.
        truncation: as for `kgan.latents.from_seeds`.
        format: one of those that were offered.
    """

    seeds: Sequence[int]
    labels: np.ndarray | None
    truncation: float
    format: str


def of_address(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The values of an address such as `?seed=7&class=Bag`, by name.

    Raises:
        InputError: a name that there is not, one that comes twice, or a value that it cannot have.
    """
    values: dict[str, Any] = {}
    for name, text in pairs:
        value = _checked(name, text, _kind(name).parse)
        if name in values and name != REPEATED:
            raise InputError(f"{name} can be given once. Received: {_shown(text)} too")
        values[name] = values.get(name, []) + value if name == REPEATED else value
    return values


def of_body(body: bytes) -> dict[str, Any]:
    """The values of a body of JSON, by name.

    Raises:
        InputError: it is no JSON object, or as for `of_address`.
    """
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        text = body.decode("utf-8", "backslashreplace")
        raise InputError(
            'The body must be a JSON object such as {"seed": 7, "n": 4}. '
            f"Received: {printable(text, LONGEST_SHOWN) or 'nothing'}"
        )
    return {name: _checked(name, value, _kind(name).check) for name, value in values.items()}


def asked(
    values: Mapping[str, Any], generator: Generator, most: int, formats: Sequence[str]
) -> Asked:
    """What values ask a generator for; what they leave out is as `kgan generate` has it, n is 1.

    Args:
        values: as `of_address` and `of_body` give them.
        generator: draws.
        most: pictures of one request.
        formats: those there are, the usual one first.

    Raises:
        InputError: what it cannot draw, more than `most`, or another format.
    """
    for both in ({"seeds", "seed"}, {"seeds", "n"}):
        if both <= set(values):
            raise InputError(f"seeds says all, without seed and n. Received: {sorted(both)}")
    seeds = values.get("seeds")
    n = values.get("n", 1) if seeds is None else len(seeds)
    if not 1 <= n <= most:
        raise InputError(f"A request is for 1 to {most} pictures. Received: {_shown(n)}")
    if seeds is None:
        first = values.get("seed", 0)
        seeds = range(first, first + n)
    if max(seeds) > MOST_SEED:
        raise InputError(f"A seed is up to {MOST_SEED}. Received: {_shown(max(seeds))}")
    format = values.get("format", formats[0])
    if format not in formats:
        raise InputError(f"format is one of {', '.join(formats)}. Received: {_shown(format)}")
    labels = _labels(values, generator, seeds)
    return Asked(seeds, labels, values.get("truncation", 1.0), format)


def _labels(
    values: Mapping[str, Any], generator: Generator, seeds: Sequence[int]
) -> np.ndarray | None:
    condition, n = generator.condition, len(seeds)
    if "attributes" in values and (generator.attributes is None or "class" in values):
        has = "classes" if generator.num_classes else "neither"
        raise InputError(
            "attributes is for a model of attributes, class for one of classes. Received: "
            f"attributes, of a model with {'attributes' if generator.attributes else has}"
        )
    if "attributes" in values:
        return label_law.check_labels(values["attributes"], n, condition, seeds)
    if "class" in values:
        known = generator.class_names, generator.num_classes
        names = [label_law.index_of(name, *known) for name in values["class"]]
        return np.resize(np.array(names, np.int64), n)  # which repeats them
    return None if condition is None else label_law.from_seeds(seeds, condition)


def _kind(name: str) -> Kind:
    if name not in WORDS:
        raise InputError(
            f"A request has {', '.join(WORDS)}, and no other names. Received: {_shown(name)}"
        )
    return WORDS[name]


def _checked(name: str, value: Any, check: Any) -> Any:
    try:
        return check(value)
    except (ValueError, TypeError, OverflowError):
        raise InputError(f"{name} must be {WORDS[name].words}. Received: {_shown(value)}") from None


def _shown(value: Any) -> str:
    """A value, short; a number of more digits than Python writes is said to be long."""
    try:
        return printable(repr(value), LONGEST_SHOWN)
    except ValueError:
        return "a number of thousands of digits"
