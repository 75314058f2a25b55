"""TensorFlow Datasets sets, prepared for real from pictures made here; nothing is downloaded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kgan

SCRIPT = """
import json
import sys

import numpy as np
import tensorflow_datasets as tfds

import kgan


class KganLevels(tfds.core.GeneratorBasedBuilder):
    '''Twelve flat grey pictures of 10x8.'''

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"image": tfds.features.Image(shape=(10, 8, 1)), "label": np.int64}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for index in range(12):
            yield index, {"image": np.full((10, 8, 1), 20 * index, np.uint8), "label": 0}


class KganWords(tfds.core.GeneratorBasedBuilder):
    '''A set without pictures.'''

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = tfds.features.FeaturesDict({"text": tfds.features.Text()})
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        return {"train": iter([(0, {"text": "no picture"})])}

    def _generate_examples(self):
        return iter(())


def epoch(batches):
    middles = [batch.numpy()[:, 4, 4, 0] for batch in batches]
    return np.rint((np.concatenate(middles) + 1) * 127.5).tolist()


def mistake(*arguments, **options):
    try:
        kgan.data.from_tfds(*arguments, image_shape=(10, 8, 1), batch_size=4, **options)
    except kgan.InputError as error:
        return str(error)


result = {}
for cache in ("memory", None):
    batches = kgan.data.from_tfds(
        "kgan_levels", image_shape=(10, 8, 1), batch_size=4, cache=cache, seed=1
    )
    result[str(cache)] = [epoch(batches), epoch(batches)]
(fitted,) = kgan.data.from_tfds("kgan_levels", image_shape=(20, 20, 3), batch_size=12)
result["fitted"] = list(fitted.shape)
source = kgan.data.open_source("tfds:kgan_levels")
result["source"] = [source.count, list(source.image_shape), source.default_augment]
result["no picture"] = mistake("kgan_words")
result["no split"] = mistake("kgan_levels", split="validation")
result["no set"] = mistake("kgan_no_such_set")
names = ("kgan_levels:9.9.9", "mnist/none", "", "a b:c", "mnist/batch=4")
result["bad names"] = [mistake(name) for name in names]
(half,) = kgan.data.from_tfds(
    "kgan_levels", image_shape=(10, 8, 1), batch_size=6, split="train[:50%]"
)
result["half"] = len(half)
split_caches = [
    next(iter(kgan.data.from_tfds("kgan_levels", image_shape=(10, 8, 1), batch_size=6,
        split=split, cache="split", shuffle=False))).numpy()[:, 4, 4, 0].tolist()
    for split in ("train[:50%]", "train[50%:]")
]
result["split caches differ"] = not set(split_caches[0]) & set(split_caches[1])
result["empty splits"] = [
    mistake("kgan_levels", split=split) for split in ("train[10:5]", "train[0:0]")
]
json.dump(result, sys.stdout)
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """What the script printed: tfds reads its directory from the environment when imported."""
    directory = tmp_path_factory.mktemp("tfds")
    (directory / "script.py").write_text(SCRIPT)
    environment = os.environ | {
        "TFDS_DATA_DIR": str(directory),
        "PYTHONPATH": str(Path(kgan.__file__).parents[1]),
    }
    done = subprocess.run(
        [sys.executable, directory / "script.py"],
        env=environment,
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("cache", ["memory", "None"])
def test_every_picture_comes_once_an_epoch_in_a_new_order(result, cache):
    first, second = result[cache]
    assert sorted(first) == sorted(second) == list(range(0, 240, 20))
    assert first != second


def test_pictures_are_fitted_and_the_source_knows_itself(result):
    assert result["fitted"] == [12, 20, 20, 3]
    assert result["source"] == [12, [64, 64, 1], []]


def test_mistakes_are_named(result):
    assert "no feature `image`" in result["no picture"]
    assert "validation" in result["no split"]
    assert "it has train" in result["no split"]
    assert "kgan_no_such_set" in result["no set"]
    assert all("No such TensorFlow Datasets set" in message for message in result["bad names"])


def test_a_split_can_be_a_slice(result):
    assert result["half"] == 6
    assert result["split caches differ"]
    assert all("train[" in message for message in result["empty splits"])
