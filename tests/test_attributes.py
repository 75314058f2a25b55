"""Attributes by themselves: kinds, ranges, rows of seeds, what is asked for and what is refused."""

import json

import numpy as np
import pytest

import kgan
from kgan import labels as label_law
from kgan.attribute_values import LONGEST_NAME, MOST_WIDTH
from kgan.attributes import MOST_NUMBERS, MOST_ROWS, parse_asked
from kgan.models.conditions import check_condition

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
        ({"yaw": [[0], [0, 1]]}, r"yaw must be one number"),
        ([[1, 0, 0], [1]], "2 rows of them"),
        ({"smile": 1, " smile": 0}, r"smile is asked for twice\. Received: 'smile' and ' smile'"),
        ({"smile": 1, "SMILE": 1}, r"Received: 'smile' and 'SMILE'"),
        ([1, 0, 1e9], r"age is a number from .* Received: 1000000000"),
    ],
)
def test_what_cannot_be_asked_for_is_named(attributes, labels, says):
    with pytest.raises(kgan.InputError, match=says) as caught:
        attributes.asked(labels, 2, [0, 1])
    assert "\n" not in str(caught.value)


def test_the_case_of_letters_matters_only_where_it_tells_names_apart(attributes):
    np.testing.assert_array_equal(
        attributes.asked({"Smile": 1, "AGE": 30, "yaw": 0}, 1), [[1, 0, 30]]
    )
    two = kgan.Attributes.of(["a", "A"], [[0, 1], [1, 0]])
    np.testing.assert_array_equal(two.asked({"a": 0, "A": 1}, 1), [[0, 1]])


def test_what_is_printed_of_a_range_can_be_asked_for():
    odd = kgan.Attributes.of(["x"], [[0], [0.1234567], [-0.3333333]])
    assert odd.in_words() == "x (-0.3333333 to 0.1234567)"
    with pytest.raises(kgan.InputError) as caught:
        odd.asked({"x": 1}, 1, [0])
    low, high = str(caught.value).split("from ")[1].split(". ")[0].split(" to ")
    for end in (low, high):
        odd.asked(parse_asked(f"x={end}"), 1, [0])
    assert "x (0 to 16777216)" in kgan.Attributes.of(["x"], [[0], [2**24], [1]]).in_words()


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
        (["x" * (LONGEST_NAME + 1)], [[0], [1]], "at most 10,000 characters. Received: 10,001, x"),
        (["a"], [[0], [1e-39]], r"float32 can scale\. Received: a from 0 to 1e-39"),
        (["a"], [[-3e38], [3e38]], r"Received: a from -3e\+38 to 3e\+38"),
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


def one(**facts):
    return {"name": "a", "kind": "number", "range": [0, 1]} | facts


@pytest.mark.parametrize(
    "config",
    [
        {"attributes": [one(kind="knob")], "rows": [[0]]},
        {"attributes": [one(range=[0, 10**400])], "rows": [[0]]},
        {"attributes": [one(range=[0, 1e300])], "rows": [[0]]},
        {"attributes": [one(range=[float("nan"), 0])], "rows": [[0]]},
        {"attributes": [one(range=[1, 0])], "rows": [[0]]},
        {"attributes": [one(range=[0, 1, 2])], "rows": [[0]]},
        {"attributes": [one()], "rows": [[10**400]]},
        {"attributes": [one()], "rows": 3},
        {"attributes": [one()], "rows": [[0], [0, 1]]},
        {"attributes": 3, "rows": [[0]]},
    ],
)
def test_a_config_of_none_is_one_clear_error(config):
    with pytest.raises(kgan.InputError, match=r"attributes are kgan\.Attributes") as caught:
        label_law.check_attributes(config)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("range_", [(0, 1e-39), (-3e38, 3e38), (1, 1 + 1e-9), (0, 10**400), (1, 0)])
def test_a_network_takes_ranges_that_float32_can_scale(range_):
    assert check_condition(None, [(0, 1), (0, MOST_WIDTH)]) == ((0, 1), (0, MOST_WIDTH))
    with pytest.raises(kgan.InputError, match="attribute_ranges must be pairs"):
        check_condition(None, [(0, 1), range_])
