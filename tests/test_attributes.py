"""Attributes by themselves: kinds, ranges, rows of seeds, what is asked for and what is refused."""

import json

import numpy as np
import pytest

import kgan
from kgan import labels as label_law
from kgan.attributes import MOST_NUMBERS, MOST_ROWS, parse_asked

NAMES = ["smile", "yaw", "age"]


@pytest.fixture
def values():
    rng = np.random.default_rng(7)
    return np.stack(
        [rng.integers(0, 2, 600), rng.uniform(-1, 1, 600), rng.uniform(0, 80, 600)], axis=1
    ).astype(np.float32)


@pytest.fixture
def attributes(values):
    return kgan.Attributes.of(NAMES, values)


def test_kinds_and_ranges_are_those_of_the_set(attributes, values):
    assert attributes.names == tuple(NAMES)
    assert attributes.kinds == ("switch", "number", "number")
    np.testing.assert_array_equal(np.array(attributes.ranges, np.float32).T[0], values.min(0))
    np.testing.assert_array_equal(np.array(attributes.ranges, np.float32).T[1], values.max(0))
    assert "smile (0 or 1)" in attributes.in_words()


def test_rows_are_different_pictures_of_the_set_in_no_order(attributes, values):
    assert attributes.rows.shape == (MOST_ROWS, 3)
    places = [int(np.flatnonzero((values == row).all(1))[0]) for row in attributes.rows]
    assert len(set(places)) == MOST_ROWS
    assert places != sorted(places)
    few = kgan.Attributes.of(["a"], [[0], [1], [0]])
    assert sorted(few.rows[:, 0]) == [0, 0, 1]
    wide = kgan.Attributes.of([f"a{i}" for i in range(100)], np.eye(400)[:, :100])
    assert wide.rows.shape == (MOST_NUMBERS // 100, 100)


def test_json_brings_back_the_same_bits(attributes):
    again = kgan.Attributes.from_config(json.loads(json.dumps(attributes.to_config())))
    assert (again.names, again.kinds) == (attributes.names, attributes.kinds)
    assert again.ranges == attributes.ranges
    np.testing.assert_array_equal(again.rows, attributes.rows)
    assert again.rows.dtype == np.float32


def test_a_seed_has_its_row_and_what_is_asked_replaces_it(attributes):
    seeds = [3, MOST_ROWS + 3, 2**60]
    rows = attributes.rows[[3, 3, 2**60 % MOST_ROWS]]
    np.testing.assert_array_equal(label_law.from_seeds(seeds, attributes), rows)
    asked = label_law.check_labels({"yaw": 0.5, "smile": [0, 1, 0]}, 3, attributes, seeds)
    np.testing.assert_array_equal(asked[:, 2], rows[:, 2])
    np.testing.assert_array_equal(asked[:, 1], np.float32(0.5))
    np.testing.assert_array_equal(asked[:, 0], [0, 1, 0])
    for one in ([1, 0.25, 30], np.array([1, 0.25, 30])):
        np.testing.assert_array_equal(attributes.asked(one, 2), [[1, 0.25, 30]] * 2)
    many = [[0, -0.5, 10], [1, 0.5, 20]]
    np.testing.assert_array_equal(attributes.asked(many, 2), np.float32(many))
    # The ends of a range are float32, and so is what a user types.
    for end in attributes.ranges[1]:
        attributes.asked({"yaw": end}, 1, [0])


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([1, 0], r"labels must be 3 numbers \(smile, yaw, age\), 2 rows of them"),
        ([[1, 0, 0]] * 3, "2 rows of them"),
        ("smile", "2 rows of them"),
        (None, "2 rows of them"),
        ({"hat": 1}, r"No such attribute\. Known: smile, yaw, age\. Received: hat"),
        ({"smile": 2}, r"smile is a number from 0 to 1\. Received: 2"),
        ({"yaw": float("nan")}, r"Received: nan"),
        ({"yaw": "left"}, r"yaw must be one number, or one per image \(2\)"),
        ({"yaw": [0, 0, 0]}, r"yaw must be one number"),
        ([1, 0, 1e9], r"age is a number from .* Received: 1e\+09"),
    ],
)
def test_what_cannot_be_asked_for_is_named(attributes, labels, says):
    with pytest.raises(kgan.InputError, match=says) as caught:
        attributes.asked(labels, 2, [0, 1])
    assert "\n" not in str(caught.value)


def test_latents_without_seeds_need_every_attribute(attributes):
    with pytest.raises(kgan.InputError, match="Missing: yaw"):
        attributes.asked({"smile": 1, "age": 30}, 2)
    full = attributes.asked({"smile": 1, "age": 30, "yaw": 0}, 2)
    np.testing.assert_array_equal(full, [[1, 0, 30]] * 2)


@pytest.mark.parametrize(
    ("names", "values", "says"),
    [
        (["a"], [[0], [np.nan]], r"finite numbers\. Received: a = nan of picture 1"),
        (["a"], [[0], [1e39]], "Received: a = inf of picture 1"),
        (["a"], [[0.5], [0.5]], r"different values\. Received: a = 0\.5 in all 2"),
        (["a", "b"], [[0], [1]], r"of 2 numbers\. Received: numbers \(2, 1\)"),
        (["a"], [["x"], ["y"]], "Received: no numbers"),
        (["a"], [0, 1], r"Received: numbers \(2,\)"),
        (["a"], 1, r"Received: numbers \(\)"),
        (["a", "a"], [[0, 0], [1, 1]], "Received: a twice"),
        (["a=b"], [[0], [1]], "no comma and no equals sign"),
        ([""], [[0], [1]], "is not empty"),
        ([], np.zeros((2, 0)), r"1 to 256 attributes\. Received: 0"),
    ],
)
def test_what_is_no_attribute_is_named(names, values, says):
    with pytest.raises(kgan.InputError, match=says):
        kgan.Attributes.of(names, values)


def test_what_is_typed():
    assert parse_asked("smile=1,yaw=-0.5, big hat=0") == {"smile": 1, "yaw": -0.5, "big hat": 0}
    for wrong in ("", "smile", "smile=", "=1", "smile=yes", "smile=1,smile=0", "smile=1,"):
        with pytest.raises(ValueError, match=r"not one more NAME=X|could not convert"):
            parse_asked(wrong)


def test_a_model_takes_attributes_or_their_config(attributes):
    again = label_law.check_attributes(attributes.to_config())
    np.testing.assert_array_equal(again.rows, attributes.rows)
    assert label_law.check_attributes(attributes) is attributes
    broken = attributes.to_config() | {"rows": [[1, 2]]}
    for wrong in (NAMES, {"smile": 1}, broken, None):
        with pytest.raises(kgan.InputError, match=r"attributes are kgan\.Attributes"):
            label_law.check_attributes(wrong)
