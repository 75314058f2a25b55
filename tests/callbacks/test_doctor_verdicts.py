"""The doctor's numbers and verdicts, by NumPy alone, against arithmetic done by hand."""

import dataclasses
import re

import numpy as np
import pytest

import kgan
from kgan import InputError
from kgan.callbacks.doctor_measures import Gallery, distances, separation, shrink, within
from kgan.callbacks.doctor_verdicts import REMEDIES, Check, diagnose
from tools import try_doctor
from tools.try_doctor import FAILING

WELL = Check(
    step=0,
    separation=0.97,
    pull=20.0,
    variety=1.0,
    twins=1.0,
    nearness=1.4,
    offset=0.2,
    copies=0.0,
    swing=0.2,
    turn=-0.5,
)


def course(n=10, **changes):
    """n checks 100 steps apart; each change is a number or a list of n of them."""
    columns = {key: np.broadcast_to(value, n).tolist() for key, value in changes.items()}
    return [
        dataclasses.replace(WELL, step=100 * i, **{key: columns[key][i] for key in columns})
        for i in range(n)
    ]


def test_a_healthy_course_is_silent():
    assert diagnose([]) == {}
    for n in range(1, 11):
        assert diagnose(course(n)) == {}


# Each way to show an illness: (illness, what is said of it, what the checks measure).
SIGNS = [
    ("overwhelmed", "97 %.*vanished \\(pull 0.001", {"pull": 0.001}),
    (
        "overwhelmed",
        "every fake.*came no nearer.*stays 0.9",
        {"separation": 1.0, "offset": 0.9, "swing": 0.002},
    ),
    ("mode collapse", "differ 5 % as much", {"variety": 0.05}),
    ("mode collapse", "a few pictures again and again.*10 %", {"twins": 0.1}),
    ("memorisation", "90 % of the fakes", {"copies": 0.9}),
    ("oscillation", "moved by 1.1", {"swing": 1.1, "turn": -0.5}),
]


@pytest.mark.parametrize(("illness", "said", "changes"), SIGNS)
def test_each_illness_by_its_signs_alone(illness, said, changes):
    verdicts = diagnose(course(**changes))
    assert list(verdicts) == [illness]
    words = verdicts[illness]
    assert "Try" in words
    assert "to 900 " in words
    assert re.search(said, words)


def options_in(words):
    """The options that a text names, as fields of a run's options."""
    return {option.replace("-", "_") for option in re.findall(r"--([a-z0-9-]+)", words)}


def test_the_options_that_verdicts_name_are_those_listed():
    named = {illness: set() for illness in REMEDIES}
    for illness, _, changes in SIGNS:
        words = diagnose(course(**changes))[illness]
        assert "{" not in words
        assert options_in(words)
        named[illness] |= options_in(words)
    assert named == {illness: set(options) for illness, options in REMEDIES.items()}


def test_every_remedy_is_an_option_of_a_run():
    from kgan.runs.options import RunOptions

    fields = {field.name for field in dataclasses.fields(RunOptions)}
    for illness, options in REMEDIES.items():
        assert set(options) <= fields, illness


def test_every_remedy_is_tried_on_a_training_with_its_illness():
    for illness, options in REMEDIES.items():
        tried = [remedy for name, remedy in try_doctor.REMEDIES if FAILING[name][0] == illness]
        assert set(options) == {option for remedy in tried for option in remedy}


def test_every_loss_that_a_verdict_names_exists():
    from kgan.losses import LOSSES

    texts = [diagnose(course(**changes))[illness] for illness, _, changes in SIGNS]
    named = [loss for words in texts for loss in re.findall(r"--loss (\w+)", words)]
    assert named
    assert set(named) <= set(LOSSES)


@pytest.mark.parametrize(
    "changes",
    [
        # The discriminator of a healthy dcgan tells all apart for hundreds of steps.
        {"separation": 1.0, "offset": 0.4},
        # Far off for a while, but at work.
        {"separation": 1.0, "offset": 0.9},
        # Slow but on its way.
        {"separation": 1.0, "offset": list(np.linspace(1.0, 0.6, 10)), "swing": 0.04},
        # A sagan's, 20 steps apart.
        {"separation": 1.0, "offset": list(np.linspace(0.97, 0.88, 10)), "swing": 0.04},
        # A faint gradient of a discriminator that has lost means nothing.
        {"separation": 0.5, "pull": 0.001},
        # One bad check among good ones.
        {"pull": [20, 20, 20, 20, 20, 20, 20, 0.001, 20, 20]},
        {"variety": [1, 1, 1, 1, 0, 0, 0, 0, 1, 0]},
        # A long way straight on is learning.
        {"swing": 1.0, "turn": 0.9},
        # A dcgan_upsample's first 400 steps: as alike as it began, and hardly moving.
        {"twins": list(np.linspace(0.14, 0.17, 10)), "swing": 0.02},
        # What was not yet measured.
        {"swing": float("nan"), "turn": float("nan")},
        {"variety": float("nan"), "twins": float("nan")},
    ],
)
def test_what_is_no_illness(changes):
    assert diagnose(course(**changes)) == {}


def test_fakes_all_alike_in_the_first_steps_are_no_mode_collapse():
    young = [dataclasses.replace(c, step=c.step // 50) for c in course(variety=0.0, twins=0.0)]
    assert young[-1].step == 18
    assert diagnose(young) == {}


# A dcgan of colour pictures, 64x64, in steps 100 to 180: one tile pattern, and then more.
TILES = {
    "variety": [0.037, 0.035, 0.054, 0.054, 0.074],
    "twins": [0.045, 0.041, 0.059, 0.062, 0.074],
}


def test_a_tile_pattern_that_grows_apart_is_young_and_one_that_stays_is_ill():
    looks = [dataclasses.replace(c, step=100 + 20 * i) for i, c in enumerate(course(5, **TILES))]
    assert diagnose(looks) == {}
    for name in TILES:
        stays = course(9, **{name: [*TILES[name], *reversed(TILES[name][:4])]})
        assert list(diagnose(stays)) == ["mode collapse"]


@pytest.mark.parametrize("name", TILES)
def test_one_step_up_does_not_end_an_illness(name):
    looks = course(14, **{name: [0.02] * 7 + [0.026] * 7})
    for last in range(6, 15):  # the first look is of step 0, which is young
        assert list(diagnose(looks[:last])) == ["mode collapse"]


@pytest.mark.parametrize(("illness", "_", "changes"), SIGNS)
def test_at_the_default_interval_it_is_told_within_100_steps(illness, _, changes):
    every = kgan.callbacks.RunDoctor.default_every_steps
    well = [dataclasses.replace(WELL, step=step) for step in range(every, 400, every)]
    ill = [dataclasses.replace(WELL, step=step, **changes) for step in range(400, 600, every)]
    told = [c.step for n, c in enumerate(ill, 1) if diagnose([*well, *ill[:n]])]
    assert told[0] <= 400 + 100
    assert list(diagnose([*well, *ill])) == [illness]


def test_copies_of_few_images_that_come_twice_are_no_mode_collapse():
    assert list(diagnose(course(copies=0.9, twins=0.05))) == ["memorisation"]


def test_shrinking_averages_areas_whatever_the_size():
    images = np.random.default_rng(0).integers(0, 256, (2, 20, 48, 3)).astype(np.uint8)
    small = shrink(images).reshape(2, 16, 16, 3)
    # 48 to 16 are means of three; 20 to 16 take 1.25 pixels: all of one, a quarter of the next.
    across = images.reshape(2, 20, 16, 3, 3).mean(3)
    np.testing.assert_allclose(small[:, 0], (across[:, 0] + 0.25 * across[:, 1]) / 1.25, rtol=1e-5)
    np.testing.assert_allclose(
        small[:, 15], (0.25 * across[:, 18] + across[:, 19]) / 1.25, rtol=1e-5
    )
    tiny = images[:, :5, :7]
    np.testing.assert_array_equal(shrink(tiny), tiny.reshape(2, -1))


def test_distances_within_a_set_and_within_its_classes():
    vectors = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]], np.float32)
    apart = [[0, 5, 1], [5, 0, 18**0.5], [1, 18**0.5, 0]]
    np.testing.assert_allclose(distances(vectors, vectors), apart, atol=1e-6)
    mean, nearest = within(vectors)
    assert mean == pytest.approx((5 + 1 + 18**0.5) / 3)
    assert nearest == pytest.approx(1)  # the median of 1, sqrt(18) and 1
    mean, nearest = within(vectors, np.array([0, 0, 1]))
    assert (mean, nearest) == pytest.approx((5, 5))  # the third has nobody
    assert np.isnan(within(vectors, np.array([0, 1, 2]))).all()


def test_separation_is_the_share_of_pairs_in_order():
    real, fake = np.array([1.0, 2.0]), np.array([0.0, 1.0, 3.0, 1.5])
    assert separation(real, fake) == pytest.approx((1 + 0.5 + 0 + 0 + 1 + 1 + 0 + 1) / 8)


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(1).integers(0, 256, (400, 16, 16, 1)).astype(np.uint8)


def test_images_of_the_same_kind_compare_as_one_to_one(noise):
    figures, mean = Gallery(noise[:300]).compare(noise[300:364])
    for name in ("variety", "twins", "nearness"):
        assert figures[name] == pytest.approx(1, abs=0.03)
    assert figures["copies"] == 0
    assert figures["offset"] == pytest.approx((1 / 64 + 1 / 300) ** 0.5, rel=0.1)
    assert mean.shape == (256,)


def test_copies_are_seen_mirrored_and_slightly_changed_too(noise):
    gallery = Gallery(noise[:300])
    fakes = noise[300:364].copy()
    fakes[:16] = noise[:16]
    fakes[16:32] = noise[16:32, :, ::-1]
    fakes[32:40] = np.clip(noise[32:40].astype(int) + 20, 0, 255)
    figures, _ = gallery.compare(fakes)
    assert figures["copies"] == pytest.approx(40 / 64)


def test_a_sample_shows_the_copies_of_its_own_images_alone(noise):
    figures, _ = Gallery(noise[:32]).compare(noise[:64])
    assert figures["copies"] == pytest.approx(0.5)


def test_images_that_come_twice_do_not_pass_for_copies(noise):
    """Where a third of the data are doubles, a third of honest fakes may be as near as that."""
    doubled = np.concatenate([noise[:240], noise[:60]])
    figures, _ = Gallery(doubled).compare(np.concatenate([noise[:26], noise[300:338]]))
    assert figures["copies"] == pytest.approx(26 / 64 - 120 / 300)


def test_one_picture_or_few_again_and_again_lower_variety_and_twins(noise):
    gallery = Gallery(noise[:300])
    one, _ = gallery.compare(np.repeat(noise[300:301], 64, axis=0))
    few, _ = gallery.compare(np.repeat(noise[300:304], 16, axis=0))
    assert one["variety"] == one["twins"] == 0
    assert few["variety"] == pytest.approx(48 / 63, abs=0.02)
    assert few["twins"] == 0


def test_with_classes_variety_is_that_within_a_class(noise):
    labels = np.arange(300) % 4
    gallery = Gallery(noise[:300], labels)
    assert np.bincount(labels[gallery.batch]).tolist() == [16] * 4
    prototypes = noise[300:304][labels[gallery.batch]]  # different classes, one picture each
    figures, _ = gallery.compare(prototypes)
    assert figures["variety"] == figures["twins"] == 0


def test_fewer_images_than_a_batch(noise):
    gallery = Gallery(noise[:10])
    figures, _ = gallery.compare(noise[300:364])
    assert figures["variety"] == pytest.approx(1, abs=0.05)
    assert len(gallery.batch) == 64


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (np.zeros((1, 8, 8, 1), np.uint8), None, r"at least two .*Received: uint8 \(1, 8, 8, 1\)"),
        (np.zeros((4, 8, 8, 1), np.float32), None, "Received: float32"),
        (np.zeros((4, 8, 8), np.uint8), None, "Received: uint8"),
        (np.zeros((4, 8, 8, 1), np.uint8), [0, 1], "each of the 4 images"),
    ],
)
def test_images_that_cannot_be_used(images, labels, said):
    with pytest.raises(InputError, match=said):
        Gallery(images, labels)


def test_images_all_alike_do_not_divide_by_zero():
    same = np.full((8, 8, 8, 1), 7, np.uint8)
    figures, mean = Gallery(same).compare(np.full((64, 8, 8, 1), 7, np.uint8))
    assert np.isfinite(list(figures.values())).all()
    assert np.isfinite(mean).all()
