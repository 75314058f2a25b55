"""The parameters of a test by tier: some in the fast one, all in the whole."""

from collections.abc import Callable, Iterable

import pytest


def tiered(names: Iterable[str], is_fast: Callable[[str], bool]) -> list:
    """The names as parameters, those marked slow that are not fast."""
    return [name if is_fast(name) else pytest.param(name, marks=pytest.mark.slow) for name in names]
