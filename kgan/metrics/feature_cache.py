"""Features of real images that were computed before, by the images and the network."""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
from pathlib import Path

import numpy as np

from kgan.files import cache_directory, whole_file
from kgan.metrics.features import Features

LOG = logging.getLogger("kgan")


def cached_features(network: Features, images: np.ndarray, images_sha256: str) -> np.ndarray:
    """The features of images, read from kgan's cache where they are there.

    Args:
        network: the network.
        images: uint8 array (N, H, W, C).
        images_sha256: of these images, by which they are found again.

    Returns:
        float32 array (N, width).
    """
    facts = json.dumps([images_sha256, images.shape, network.protocol], sort_keys=True)
    name = hashlib.sha256(facts.encode()).hexdigest()[:32]
    path = cache_directory() / "features" / f"{name}.npy"
    found = _read(path)
    if found is not None and found.shape == (len(images), network.width):
        return found
    found = network.extract(images)
    try:
        with whole_file(path) as temporary:
            np.save(temporary, found)
    except OSError as error:  # a cache is no reason to fail
        LOG.warning("features are not kept in %s (%s)", path, error.strerror)
    return found


def _read(path: Path) -> np.ndarray | None:
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    good = isinstance(found, np.ndarray) and found.dtype == np.float32 and found.ndim == 2
    return found if good and np.isfinite(found).all() else None
