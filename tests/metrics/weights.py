"""The weights of `kgan[metrics]`, which some tests need; without them those alone are skipped."""

import pytest

import kgan
from kgan.pretrained import lite0_weights


def installed() -> bool:
    """Whether they are here."""
    try:
        lite0_weights.find_weights()
    except kgan.InputError:
        return False
    return True


needs_weights = pytest.mark.skipif(not installed(), reason="kgan[metrics] is not installed")
