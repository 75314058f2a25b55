"""Where figures stand at the equilibrium, by the losses themselves: for picture and page."""

import json

import numpy as np
import pytest
import tensorflow as tf

from kgan.callbacks.curves_picture import judgement_of
from kgan.equilibrium import Judgement, judgement_under
from kgan.losses import BCE, LOSSES, LossPair, bce_discriminator_loss, bce_generator_loss
from kgan.models import PRESETS, Preset
from kgan.watch.followed_run import FollowedRun

SETTINGS = {"bce": [{"label_smoothing": 0.2}, {"one_mean": True}], "minimax": [{"one_mean": True}]}
CASES = [(name, one) for name in LOSSES for one in ({}, *SETTINGS.get(name, []))]


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_levels_are_the_losses_own_where_the_discriminators_is_least(name, settings):
    """Of equal distributions every image is as often real as not: one output for all of them."""
    loss = LOSSES[name](**settings)
    outputs = np.concatenate([np.arange(-2.0, 2.01, 0.25), [np.log(0.4 / 0.6)]])  # of D = 0.4 too
    d_losses, g_losses = [], []
    for output in outputs:
        x = tf.fill((1, 1), output)
        d_losses.append(float(loss.discriminator_loss(x, x)))
        g_losses.append(float(loss.generator_loss(x, x)))
    at = np.isclose(d_losses, min(d_losses), atol=1e-6)
    expected = {"d_loss": min(d_losses)}
    if np.ptp(np.asarray(g_losses)[at]) < 1e-6:
        expected["g_loss"] = np.asarray(g_losses)[at][0]
    judgement = judgement_of(loss)
    if at.sum() == 1:
        best = outputs[at][0]
        expected["judged"] = 1 / (1 + np.exp(-best)) if judgement.is_probability else best
    levels = judgement.levels()
    assert levels.pop("accuracy", None) == (0.5 if judgement.real_above is not None else None)
    assert levels == pytest.approx(expected, abs=1e-6)
    assert judgement == judgement_under(name, **settings)


def test_how_outputs_are_read():
    found = {name: judgement_of(loss()) for name, loss in LOSSES.items()}
    assert {name for name, one in found.items() if one.is_probability} == {"bce", "minimax"}
    assert {name: one.real_above for name, one in found.items()} == {
        **{"bce": 0.0, "minimax": 0.0, "hinge": 0.0, "lsgan": 0.5},
        **{"wasserstein": None, "relativistic": None},
    }


def test_of_a_loss_of_the_users_own():
    class Own(BCE):
        pass

    assert judgement_of(Own(label_smoothing=0.1)) == judgement_under("bce", 0.1)
    pair = LossPair(bce_generator_loss, bce_discriminator_loss)
    assert judgement_of(pair) == judgement_under(None) == judgement_under("own") == Judgement()


@pytest.mark.parametrize("name", [name for name, one in PRESETS.items() if isinstance(one, Preset)])
def test_a_page_has_the_levels_that_the_picture_has(name, tmp_path):
    def page(**options):
        (tmp_path / "config.json").write_text(json.dumps({"preset": name} | options))
        told = FollowedRun(tmp_path).news()
        return told["levels"], told["is_probability"]

    preset = PRESETS[name]
    own = preset.losses_options(preset.image_shape)
    picture = judgement_of(LOSSES[preset.loss](**own))
    assert page(loss=preset.loss) == (picture.levels(), picture.is_probability)
    for loss in set(LOSSES) - {preset.loss}:  # with its own settings, not the preset's
        picture = judgement_of(LOSSES[loss]())
        assert page(loss=loss) == (picture.levels(), picture.is_probability)
    smoothed = judgement_of(BCE(label_smoothing=0.1, one_mean=own.get("one_mean", False)))
    if preset.loss == "bce":
        assert page(loss="bce", label_smoothing=0.1)[0] == smoothed.levels()
    assert page(loss=None) == page(loss=["bce"]) == ({}, False)
    if name == "dcgan_tanh":
        assert page(loss="bce")[0]["d_loss"] == pytest.approx(np.log(2))
