"""The memorisation report finds planted copies and names their files."""

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.metrics import Features
from kgan.runs.evaluating import Opened
from kgan.runs.memorising import report
from tests.tiny_features import write_network


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """1,000 pictures (8, 8, 1) of noise."""
    place = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0).integers(0, 256, (1000, 8, 8), np.uint8)
    for index, image in enumerate(noise):
        Image.fromarray(image).save(place / f"{index:04d}.png")
    return place


class Copier:
    """Draws noise, but seeds 5 and 9 as two pictures of a folder."""

    image_shape, num_classes, class_names = (8, 8, 1), None, None

    def __init__(self, planted):
        self.planted = planted

    def generate(self, n, seed=0):
        drawn = []
        for one in range(seed, seed + n):
            noise = np.random.default_rng(10_000 + one).integers(0, 256, (8, 8, 1), np.uint8)
            drawn.append(self.planted.get(one, noise))
        return np.stack(drawn)


def test_planted_copies_are_found_at_distance_0_with_their_file_names(folder, tmp_path):
    network = Features.from_onnx(write_network(tmp_path / "means.onnx"), scale="unit")
    source = kgan.data.open_source(folder, image_shape=(8, 8, 1))
    from kgan.data.choosing import draw_indices

    unseen = set(draw_indices(source, 100, 0).tolist())  # what stands for unseen images
    copied = [next(index for index in range(1000) if index not in unseen), min(unseen)]
    planted = {
        seed: np.asarray(Image.open(source.name(index)))[..., None]
        for seed, index in zip((5, 9), copied, strict=True)
    }
    opened = Opened(Copier(planted), "trained", {"file": "a"}, None, tmp_path, "")
    found, sheet = report(opened, str(folder), n=40, network=network, seed=0)
    for kind, line in zip(("features", "pixels"), found.lines, strict=False):
        assert line.startswith(f"by {kind}: ")
        assert line.endswith("; 2 are equal to one")
        assert 2 <= int(line.split()[2]) <= 8  # the two, and what is near by chance
    assert found.lines[3].split() == ["seed", "5", "0", source.name(copied[0])]
    assert found.lines[4].split() == [
        "seed",
        "9",
        "0",
        source.name(copied[1]),
    ]  # was to be "unseen"
    levels = np.asarray(Image.open(sheet))
    top = levels[14:24]  # the first row: what was drawn, then its nearest
    np.testing.assert_array_equal(top[2:10, 2:10], planted[5][..., 0])
    np.testing.assert_array_equal(top[2:10, 12:20], planted[5][..., 0])


def test_too_few_images_to_tell_what_is_near_are_one_line(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((900, 8, 8, 1), np.uint8))
    network = Features.from_onnx(write_network(tmp_path / "means.onnx"), scale="unit")
    opened = Opened(Copier({}), "trained", {"file": "a"}, None, tmp_path, "")
    with pytest.raises(
        kgan.InputError, match=r"At least 100 pictures that are not .* Received: 90 of 900"
    ):
        report(opened, str(tmp_path / "a.npz"), n=4, network=network, seed=0)
