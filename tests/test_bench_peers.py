"""The peers of tools/bench_peers.py: of the published sizes, and trained towards the pictures."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from tests.oracle import needs_torch, torch

TOOLS = Path(__file__).parents[1] / "tools"
PEERS = ["keras_peers tutorial", "keras_peers keras.io"]
PEERS.append(pytest.param("torch_peers pytorch", marks=needs_torch))
# Trainable numbers of both networks: kernels, biases or batch normalisations, layer by layer.
PARAMETERS = {
    "tutorial": (
        [100 * 12544, 2 * 12544, 25 * 256 * 128, 2 * 128, 25 * 128 * 64, 2 * 64, 25 * 64],
        [25 * 64 + 64, 25 * 64 * 128 + 128, 7 * 7 * 128 + 1],
    ),
    "keras.io": (
        [129 * 7 * 7 * 128, 16 * 128 * 128 + 128, 16 * 128 * 256 + 256, 25 * 256 + 1],
        [16 * 64 + 64, 16 * 64 * 128 + 128, 7 * 7 * 128 + 1],
    ),
    "pytorch": (
        [16 * 100 * 256, 512, 9 * 256 * 128, 256, 16 * 128 * 64, 128, 16 * 64],
        [16 * 64, 16 * 64 * 128, 256, 9 * 128 * 256, 512, 16 * 256],
    ),
}
WHITE = np.ones((256, 28, 28, 1), np.float32)


@pytest.fixture(params=PEERS)
def peer(request, monkeypatch):
    """(name of a peer, its class)."""
    monkeypatch.syspath_prepend(str(TOOLS))
    module, name = request.param.split()
    threads = torch.get_num_threads() if torch else None
    if torch:
        torch.set_num_threads(1)  # so small a network is slower with more
    yield name, import_module(f"peers.{module}").PEERS[name]
    if torch:
        torch.set_num_threads(threads)


def sizes(network):
    if hasattr(network, "parameters"):
        return sum(weight.numel() for weight in network.parameters())
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


@pytest.mark.slow
def test_it_has_the_published_size_and_learns(peer):
    name, kind = peer
    published = kind(1, WHITE, 0)
    networks = getattr(published, "trainer", published)
    found = (sizes(networks.generator), sizes(networks.discriminator))
    assert found == tuple(map(sum, PARAMETERS[name]))
    narrow = kind(8, WHITE, 0)
    if name != "pytorch":  # at their published rate, half of PyTorch's, this takes many steps
        for role in ("g_optimizer", "d_optimizer"):
            getattr(getattr(narrow, "trainer", narrow), role).learning_rate = 2e-3
    before = narrow.draw(70).mean()
    steps = 0
    while steps < 40:
        steps += narrow.train(0.01)
    images = narrow.draw(70)
    assert (images.shape, images.dtype) == ((70, 28, 28, 1), np.uint8)
    assert images.mean() > before + 1  # of levels: the pictures are white
    assert len(np.unique(images)) > 10


def test_every_image_is_judged(monkeypatch):
    """As a judge asks for them: some of the seeds at a time."""
    monkeypatch.syspath_prepend(str(TOOLS))
    pictures = np.random.default_rng(0).integers(0, 256, (300, 28, 28, 1), np.uint8)
    drawn = import_module("bench_peers").Drawn(pictures)
    parts = [drawn.generate(100, seed=seed) for seed in (0, 100, 200)]
    np.testing.assert_array_equal(np.concatenate(parts), pictures)


def test_the_table_has_each_arms_mean(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    peers = import_module("bench_peers")
    figures = {"kernel_distance": 2.0, "frechet_distance": 30.0, "precision": 0.5, "recall": 0.25}
    rows = [
        {
            "arm": arm,
            "seed": seed,
            "steps": 1200,
            "figures": {"lite0": figures | {"recall": recall}},
        }
        for arm, seed, recall in (("keras.io, narrow", 0, 0.1), ("keras.io, narrow", 1, 0.3))
    ]
    *_, line = peers.ablations.table(rows, peers.ARMS, peers.NAMES).splitlines()
    assert line == "| keras.io, narrow | 1,200 | 2 | 2 ± 0 | 30 ± 0 | 0.5 ± 0 | 0.2 ± 0.14 |"
