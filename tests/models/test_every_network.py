"""The battery of `tests.models.battery` over every network class."""

import pytest

from kgan import models
from kgan.models.networks import Network
from tests.models.battery import run_network_test

# The smallest shapes, mostly not square; all with one channel but where colour is met once.
AUTOENCODER = {"image_shape": (4, 6, 3), "latent_dim": 5}
CONV_AUTOENCODER = {"image_shape": (8, 12, 1), "filters": 4}
# A bias before a softmax over positions or before a normalisation changes nothing.
ATTENTION = ("query_norm/query/kernel", "key/kernel", "value/kernel")

CASES = {}


@pytest.mark.parametrize("case", CASES)
def test_battery(case):
    network_class, init_kwargs, options = CASES[case]
    run_network_test(network_class, init_kwargs, **options)


def test_every_network_class_has_a_case():
    public = [getattr(models, name) for name in models.__all__]
    networks = {item for item in public if isinstance(item, type) and issubclass(item, Network)}
    assert {network_class for network_class, _, _ in CASES.values()} == networks
