"""Named directions in a model's latents: what turns a face, or lengthens a sleeve."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kgan.errors import InputError
from kgan.files import printable, whole_file
from kgan.manifest import own_prefix
from kgan.names import as_name
from kgan.reading import read_text

DIRECTIONS_FILE = "directions.json"
FORMAT = "kgan-directions"
REACH = 3.0  # strengths from -3 to 3: latents that training still draws
DEVIATIONS = {"normal": 1.0, "uniform": 3**-0.5}  # of one value of a latent
DIGITS = 6
LONGEST_NAME = 100


@dataclasses.dataclass(frozen=True, eq=False)
class Direction:
    """A direction; `latents + strength * vector` moves along it.

    Attributes:
        name: what people call it.
        vector: float32 array (latent_dim,), as long as one standard deviation of a latent along
            any direction, so that strengths from -3 to 3 are such as training drew.
        how: how it was found, in words.
    """

    name: str
    vector: np.ndarray
    how: str

    def to_json(self) -> dict[str, Any]:
        """A dict that `json.dumps` takes, as `directions.json` and a manifest hold it."""
        vector = [round(float(value), DIGITS) for value in self.vector]
        return {"name": self.name, "how": self.how, "reach": REACH, "vector": vector}


def direction_along(name: str, along: np.ndarray, distribution: str, how: str) -> Direction:
    """A `Direction` of the length that its strengths need.

    Args:
        name: its name.
        along: float array (latent_dim,) of any length but 0.
        distribution: of the model's latents.
        how: how it was found.

    Raises:
        InputError: a length of 0, or a name that is none.
    """
    length = float(np.linalg.norm(along))
    if not np.isfinite(length) or length == 0:
        raise InputError(f"A direction must lead somewhere: {how}. Received a length of {length:g}")
    vector = np.asarray(along, np.float64) / length * DEVIATIONS[distribution]
    return Direction(check_direction_name(name), vector.astype(np.float32), how)


def check_direction_name(name: str) -> str:
    """Returns the name, as `kgan.names.as_name` has it.

    Raises:
        InputError: it is empty, too long or cannot be printed.
    """
    name = as_name(name).strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(
            f"A direction's name has 1 to {LONGEST_NAME} characters that can be printed. "
            f"Received: {printable(name)!r}"
        )
    return name


def beside_onnx(path: Path) -> Path:
    """Where directions of an exported generator are kept: beside its .onnx file."""
    return path.with_name(f"{own_prefix(path)}{DIRECTIONS_FILE}")


def read_directions(path: str | os.PathLike[str], latent_dim: int) -> list[Direction]:
    """The directions kept in a file; none where there is no such file.

    Args:
        path: a `directions.json`.
        latent_dim: of the model that they are used with.

    Raises:
        InputError: the file holds something else, or directions of another model.
    """
    if not Path(path).is_file():
        return []
    try:
        content = json.loads(read_text(path, "utf-8-sig"))
        if content["format"] != FORMAT:
            raise ValueError
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        raise _not_directions(path) from None
    return of_manifest(content, latent_dim, path)


def of_manifest(
    content: Mapping[str, Any], latent_dim: int, origin: str | os.PathLike[str] = "a manifest"
) -> list[Direction]:
    """The directions in a manifest or a file's content; none where it has none.

    Args:
        content: what `json.loads` gave.
        latent_dim: of the model that they are used with.
        origin: where it comes from, for messages.

    Raises:
        InputError: they are something else, or of another model.
    """
    try:
        found = [_from_json(each) for each in content.get("directions", ())]
    except (ValueError, TypeError, LookupError, AttributeError):
        raise _not_directions(origin) from None
    for each in found:
        if each.vector.shape != (latent_dim,):
            raise InputError(
                f"Directions must be of the model's {latent_dim} latents: {each.name!r} in "
                f"{printable(origin)} has another number. Received: {len(each.vector)}"
            )
    return found


def _not_directions(origin: str | os.PathLike[str]) -> InputError:
    return InputError(
        f"Not directions that kgan explore direction wrote. Received: {printable(origin)}"
    )


def _from_json(value: dict[str, Any]) -> Direction:
    vector = np.asarray(value["vector"], np.float32)
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise ValueError
    return Direction(check_direction_name(value["name"]), vector, str(value["how"]))


def keep_directions(path: str | os.PathLike[str], new: Sequence[Direction]) -> Path:
    """Adds directions to a file; those of the same names are replaced.

    Args:
        path: a `directions.json`, made when missing.
        new: at least one.

    Raises:
        InputError: as for `read_directions`.
    """
    names = {each.name for each in new}
    before = read_directions(path, len(new[0].vector))
    kept = [each for each in before if each.name not in names]
    content = {"format": FORMAT, "directions": as_json([*kept, *new])}
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")
    return Path(path)


def as_json(directions: Iterable[Direction]) -> list[dict[str, Any]]:
    """Directions as a manifest holds them."""
    return [each.to_json() for each in directions]
