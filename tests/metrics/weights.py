"""The weights of `kgan[metrics]`, which some tests need; without them those alone are skipped."""

import pytest

import kgan
from kgan.metrics import efficientnet_lite0


def _installed():
    try:
        efficientnet_lite0.find_weights()
    except kgan.InputError:
        return False
    return True


needs_weights = pytest.mark.skipif(not _installed(), reason="kgan[metrics] is not installed")
