"""Options as dataclass fields: one source for the command line, JSON files and Python."""

from __future__ import annotations

import dataclasses
import math
import numbers
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from kgan.errors import InputError

Options = TypeVar("Options")
MOST_SEEDS = 100_000  # from one to another: more are a slip of the hand


@dataclasses.dataclass(frozen=True)
class Kind:
    """What an option's values can be.

    Attributes:
        words: what a value must be, to finish "must be ...".
        parse: text of the command line -> value; raises ValueError.
        check: value from Python or JSON -> the value to keep; raises ValueError or TypeError.
        metavar: what stands for a value in help; None for a switch, which takes none.
        choices: the values there are, where they are names.
    """

    words: str
    parse: Callable[[str], Any]
    check: Callable[[Any], Any]
    metavar: str | None
    choices: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Option:
    """How one option is shown and what it takes.

    Attributes:
        kind: what its values can be.
        help: one line for the command line's help; the default is added.
        group: heading under which help shows it.
        default_words: what stands for the default in help, such as "the preset's"; None for
            the default itself.
        without_value: value of the option where it is named without one; None where it needs one.
        exclusive: only one of the options so marked in a group can be given.
        positional: shown as an argument without dashes, under its metavar.
        on_resume: a run that is resumed can change it.
        flag: how it is typed; None for its name with dashes.
    """

    kind: Kind
    help: str
    group: str
    default_words: str | None = None
    without_value: Any = None
    exclusive: bool = False
    positional: bool = False
    on_resume: bool = False
    flag: str | None = None


def option(default: Any, kind: Kind, help: str, group: str, **details: Any) -> Any:
    """A dataclass field that is an option; `details` are the other attributes of `Option`."""
    return dataclasses.field(
        default=default, metadata={"option": Option(kind, help, group, **details)}
    )


def options_of(options: type[Any] | Any) -> dict[str, Option]:
    """Name -> `Option` of each field of an options dataclass that is one."""
    return {
        field.name: field.metadata["option"]
        for field in dataclasses.fields(options)
        if "option" in field.metadata
    }


def spelling(name: str) -> str:
    """An option's name as it is typed: "latent_dim" -> "--latent-dim"."""
    return f"--{name.replace('_', '-')}"


def typed(name: str, option: Option) -> str:
    """An option as it is typed, such as "--latent-dim" or "DATA"."""
    return name.upper() if option.positional else option.flag or spelling(name)


def check_options(options: Any) -> None:
    """Checks every option of a frozen dataclass and keeps each value in its checked form.

    None is taken where it is the default. To be called by `__post_init__`.

    Raises:
        InputError: a value that its option cannot have.
    """
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if "option" not in field.metadata or (value is None and field.default is None):
            continue
        kind: Kind = field.metadata["option"].kind
        try:
            checked = kind.check(value)
        except (ValueError, TypeError, OverflowError):
            raise InputError(f"{field.name} must be {kind.words}. Received: {value!r}") from None
        object.__setattr__(options, field.name, checked)


def from_mapping(options: type[Options], values: Mapping[str, Any]) -> Options:
    """An options dataclass from a mapping such as a JSON object; missing names keep the default.

    Raises:
        InputError: an unknown name, or a value that its option cannot have.
    """
    known = [field.name for field in dataclasses.fields(options)]  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise InputError(f"No option has that name. Received: {name!r}")
    return options(**values)


def _number(low: float, high: float, low_too: bool) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError
        number = float(value)
        if not (low <= number if low_too else low < number) or not number < high:
            raise ValueError
        return number

    return check


def _whole(smallest: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise TypeError
        if value < smallest:
            raise ValueError
        return int(value)

    return check


def _digits(check: Callable[[Any], int]) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdecimal():
            raise ValueError
        return check(int(text))

    return parse


def _real(words: str, low: float, high: float, low_too: bool, metavar: str) -> Kind:
    check = _number(low, high, low_too)
    return Kind(words, lambda text: check(float(text)), check, metavar)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _path(value: Any) -> str:
    return _text(str(value) if isinstance(value, Path) else value)


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _no_text(text: str) -> Any:
    raise ValueError  # a switch has no value to parse


def _size(value: Any) -> tuple[int, ...]:
    sides = tuple(map(_whole(1), value))
    if len(sides) not in (2, 3):
        raise ValueError
    return sides


def _parse_size(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[0-9]+x[0-9]+(x[0-9]+)?", text):
        raise ValueError
    return _size(list(map(int, text.split("x"))))


def _colour(value: Any) -> tuple[int, ...]:
    levels = tuple(map(_whole(0), value))
    if len(levels) != 3 or max(levels) > 255:
        raise ValueError
    return levels


def _parse_colour(text: str) -> tuple[int, ...]:
    return _colour([_digits(_whole(0))(level) for level in text.split(",")])


def _seeds(value: Any) -> list[int]:
    return list(map(_whole(0), value))


def _parse_seeds(text: str) -> list[int]:
    """`1,5,9-12` is [1, 5, 9, 10, 11, 12]."""
    number, seeds = _digits(_whole(0)), []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        begin, end = number(first), number(last if dash else first)
        if end < begin or end - begin >= MOST_SEEDS:
            raise ValueError
        seeds += list(range(begin, end + 1))
    return seeds


def _names(value: Any) -> list[str]:
    if isinstance(value, str):
        raise TypeError
    return [_text(name) for name in value]


def _parse_names(text: str) -> list[str]:
    return [] if text == "none" else [name.strip() for name in text.split(",")]


def _interval(value: Any) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    parse_interval(text)
    return text


def parse_interval(text: str) -> dict[str, Any]:
    """`20` is {"every_steps": 20}, `5m` {"every_minutes": 5.0}; raises ValueError otherwise."""
    if text.endswith("m"):
        return {"every_minutes": _number(0, math.inf, False)(float(text[:-1]))}
    return {"every_steps": _digits(_whole(1))(text)}


# What can follow a schedule over a run, and the values that each can have.
SCHEDULABLE: dict[str, Callable[[Any], float]] = {
    "learning_rate": _number(0.0, math.inf, True),  # of both networks
    "g_learning_rate": _number(0.0, math.inf, True),
    "d_learning_rate": _number(0.0, math.inf, True),
    "beta_2": _number(0.0, 1.0, True),
    "r1_gamma": _number(0.0, 1e30, True),
    "r2_gamma": _number(0.0, 1e30, True),
    "ema_half_life_images": _number(0.0, math.inf, True),
    "augment_probability": _number(0.0, math.nextafter(1.0, 2.0), True),
}


def parse_schedule(text: str) -> dict[str, tuple[float, float]]:
    """`beta_2=0.9:0.99` is {"beta_2": (0.9, 0.99)}, `none` {}; raises ValueError otherwise."""
    ends: dict[str, tuple[float, float]] = {}
    for part in [] if text == "none" else text.split(","):
        name, _, values = part.strip().partition("=")
        if name not in SCHEDULABLE or name in ends:
            raise ValueError
        start, end = (SCHEDULABLE[name](float(value)) for value in values.split(":"))
        ends[name] = start, end
    if "learning_rate" in ends and {"g_learning_rate", "d_learning_rate"} & set(ends):
        raise ValueError
    return ends


def schedule_text(ends: Mapping[str, tuple[float, float]]) -> str:
    """What `parse_schedule` makes these of."""
    parts = [f"{name}={start:.6g}:{end:.6g}" for name, (start, end) in ends.items()]
    return ",".join(parts) or "none"


def _schedule(value: Any) -> str:
    parse_schedule(_text(value))
    return str(value)


WHOLE = Kind("a whole number above 0", _digits(_whole(1)), _whole(1), "N")
FROM_ZERO = Kind("a whole number from 0 up", _digits(_whole(0)), _whole(0), "N")
ABOVE_ZERO = _real("a number above 0", 0.0, math.inf, False, "X")
NOT_NEGATIVE = _real("a number from 0 up", 0.0, math.inf, True, "X")
MINUTES = _real("a number of minutes above 0", 0.0, math.inf, False, "M")
PORTION = _real("a number above 0, up to 1", 0.0, math.nextafter(1.0, 2.0), False, "X")
SHARE = _real("a number from 0 to below 1", 0.0, 1.0, True, "X")
TEXT = Kind("text", _text, _text, "TEXT")
PATH = Kind("a path", _path, _path, "DIR")
FILE = Kind("a path", _path, _path, "FILE")
SWITCH = Kind("true or false", _no_text, _switch, None)
SIZE = Kind("a size such as 64x64 or 64x64x1", _parse_size, _size, "HxW")
COLOUR = Kind("a colour such as 255,255,255", _parse_colour, _colour, "R,G,B")
SEEDS = Kind("seeds such as 1,5,9-20, whole numbers from 0 up", _parse_seeds, _seeds, "SEEDS")
NAMES = Kind("names with commas between them", _parse_names, _names, "NAMES")
SCHEDULE = Kind(
    "none, or first and last values such as learning_rate=2e-4:5e-5,beta_2=0.9:0.99, of "
    f"{', '.join(SCHEDULABLE)}",
    _schedule,
    _schedule,
    "NAME=X:Y,...",
)
INTERVAL = Kind("steps such as 20, or minutes such as 5m", _interval, _interval, "N|Mm")


def one_of(*names: str) -> Kind:
    """A kind of value that is one of some names."""

    def check(value: Any) -> str:
        if value not in names:
            raise ValueError
        return str(value)

    return Kind(f"one of {', '.join(names)}", check, check, None, names)
