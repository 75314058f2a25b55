"""One network of features for all tests, its cache in a place of its own."""

import pytest

from kgan import metrics


@pytest.fixture(scope="session")
def efficientnet(tmp_path_factory):
    """EfficientNet-lite0's features at 112 pixels, built here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        return metrics.Features.efficientnet_lite0()
