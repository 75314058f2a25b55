"""Values as JSON takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def finite(value: Any) -> Any:
    """A value of arrays, numpy's numbers and Python's, for `json.dumps(..., allow_nan=False)`.

    Args:
        value: of dicts, lists, tuples, arrays, numbers, texts and None.

    Returns:
        The same of dicts whose keys are texts, and of lists; a number that is infinite, or none, is
        None.
    """
    if isinstance(value, Mapping):
        return {str(key): finite(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return finite(value.tolist())
    if isinstance(value, (list, tuple)):
        return [finite(each) for each in value]
    if isinstance(value, np.generic):
        return finite(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value
