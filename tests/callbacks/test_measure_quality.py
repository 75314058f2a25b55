"""`Evaluate`: figures in a fit, the best state, early stopping and what the doctor makes of it."""

import csv
import json
import logging
import math

import keras
import numpy as np
import pytest

import kgan
from kgan import metrics
from kgan.callbacks import CSVHistory, Evaluate, RunDoctor, measure_quality
from kgan.callbacks.measure_quality import is_better
from kgan.callbacks.quality_verdicts import Look, diagnose_quality
from kgan.images import to_uint8
from kgan.metrics import Figure, Reference
from tests.tiny_features import write_network


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = write_network(tmp_path_factory.mktemp("features") / "means.onnx")
    return metrics.Features.from_onnx(path, scale="unit")


@pytest.fixture(scope="module")
def reference(network, real_images):
    images = to_uint8(real_images)
    return Reference(images[:32], None, images[32:], network=network)


def fit(gan, images, *callbacks, steps=6):
    images = np.tile(images, (steps, 1, 1, 1))[: 8 * steps]
    return gan.fit(images, batch_size=8, callbacks=list(callbacks), verbose=0)


def test_figures_are_in_the_history_and_the_last_state_is_measured(
    small_gan, real_images, reference, tmp_path
):
    watch = Evaluate(reference, every_minutes=1e-6, best=tmp_path / "best.keras")
    history = fit(small_gan, real_images, watch, CSVHistory(tmp_path / "history.csv"))
    assert watch.found[0].step >= 1
    assert watch.found[-1].step == 6
    by_hand = metrics.evaluate(small_gan, reference).figures
    assert watch.found[-1].figures["kernel_distance"] == by_hand["kernel_distance"]
    assert history.history["coverage"]
    row = next(csv.DictReader((tmp_path / "history.csv").open()))
    assert float(row["kernel_distance"]) == pytest.approx(history.history["kernel_distance"][0])
    # The file is the state that the figures beside it are of.
    best = kgan.load_gan(tmp_path / "best.keras")
    kept = metrics.read_evaluation(tmp_path / "best.evaluation.json")
    assert kept.model["step"] == watch.best_step == int(best.batches_seen.numpy())
    again = metrics.evaluate(best, reference).figures["kernel_distance"]
    assert again.value == pytest.approx(kept.figures["kernel_distance"].value, rel=1e-5)


def test_training_is_as_without_it(real_images, reference):
    trained = []
    for callbacks in ([Evaluate(reference, 1e-6)], []):
        keras.utils.set_random_seed(3)
        gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 20, 1), latent_dim=8, filters=2)
        gan.compile()
        fit(gan, real_images, *callbacks, steps=4)
        gan.calibrate()  # as evaluating does
        trained.append(gan)
    for a, b in zip(*(gan.weights for gan in trained), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)


@pytest.mark.slow
def test_the_older_state_stays_within_the_noise(
    small_gan, real_images, reference, tmp_path, monkeypatch
):
    monkeypatch.setattr(measure_quality, "COST", math.inf)  # however long one takes
    watch = Evaluate(reference, 1e-6, best=tmp_path / "best.keras", patience=2)
    small_gan.g_optimizer.learning_rate = small_gan.d_optimizer.learning_rate = 1e-12
    fit(small_gan, real_images, watch, steps=40)
    steps = [look.step for look in watch.found]
    assert watch.best_step == steps[0]
    assert len(steps) == 3  # the first, and two without a better one
    assert steps[-1] < 40
    assert kgan.load_gan(tmp_path / "best.keras").batches_seen.numpy() == steps[0]


@pytest.mark.slow
def test_a_later_fit_knows_the_best_state_of_an_earlier_one(
    small_gan, real_images, reference, tmp_path
):
    first = Evaluate(reference, 60, best=tmp_path / "best.keras")
    fit(small_gan, real_images, first, steps=1)
    path = tmp_path / "best.evaluation.json"
    values = json.loads(path.read_text())
    values["figures"]["kernel_distance"]["value"] = -1.0
    path.write_text(json.dumps(values))
    values["figures"]["kernel_distance"]["halves"] = []
    path.write_text(json.dumps(values))
    later = Evaluate(reference, 60, best=tmp_path / "best.keras", patience=9)
    for since in (1, 2):  # counted over fits
        fit(small_gan, real_images, later, steps=1)
        assert later.best_step == 1
        assert metrics.read_evaluation(path).model["evaluations_since"] == since


@pytest.mark.slow
@pytest.mark.parametrize("spoil", ["figures", "state", "protocol"])
def test_a_best_state_that_cannot_be_compared_is_put_aside(
    small_gan, real_images, reference, network, tmp_path, spoil, caplog
):
    best = tmp_path / "best.keras"
    fit(small_gan, real_images, Evaluate(reference, 60, best=best), steps=1)
    before = best.read_bytes()
    if spoil == "figures":
        (tmp_path / "best.evaluation.json").write_text("{}")
    elif spoil == "state":  # a kill came between the two files
        weight = small_gan.generator.trainable_variables[0]
        weight.assign(weight + 1)
        small_gan.save(best)
        before = best.read_bytes()
    else:
        reference = Reference(to_uint8(real_images)[:16], network=network)
    fit(small_gan, real_images, Evaluate(reference, 60, best=best), steps=1)
    assert (tmp_path / "best-before.keras").read_bytes() == before
    assert metrics.read_evaluation(tmp_path / "best.evaluation.json").model["step"] == 2
    assert "the best state so far is kept as best-before.keras" in caplog.text


def test_each_evaluation_stands_in_one_row_of_the_history(
    small_gan, real_images, reference, tmp_path
):
    watch = Evaluate(reference, every_minutes=60)
    images = np.tile(real_images, (1, 1, 1, 1))[:16]
    history = CSVHistory(tmp_path / "history.csv")
    small_gan.fit(images, batch_size=8, epochs=3, callbacks=[watch, history], verbose=0)
    rows = list(csv.DictReader((tmp_path / "history.csv").open()))
    assert [bool(row["kernel_distance"]) for row in rows] == [False, False, True]
    assert [look.step for look in watch.found] == [6]


def test_better_is_beyond_the_noise_of_both():
    assert is_better(Figure(1.0, 0.1), Figure(1.3, 0.1))
    assert not is_better(Figure(1.0, 0.1), Figure(1.28, 0.1))
    assert is_better(Figure(1.0), Figure(1.01))


def look(step, coverage=0.5, held=0.1, trained=None):
    figures = {"coverage": coverage, "recall": 0.5, "kernel_distance": held}
    return Look(
        step,
        {name: Figure(value, 0.01) for name, value in figures.items()},
        None if trained is None else Figure(trained, 0.01),
    )


def test_variety_that_was_there_and_is_lost_is_a_collapse():
    assert diagnose_quality([]) == diagnose_quality([look(10, 0.5)] * 4) == {}
    assert not diagnose_quality([look(10, 0.6), look(20, 0.2)])  # once is chance
    words = diagnose_quality([look(10, 0.6), look(20, 0.2), look(30, 0.25)])["mode collapse"]
    assert "coverage of real pictures is 0.25 after 0.60 at step 10" in words
    assert not diagnose_quality([look(10, 0.08), look(20, 0.0), look(30, 0.0)])  # never learned


def test_nearer_to_training_images_than_to_others_is_overfitting():
    words = diagnose_quality([look(10, held=0.1, trained=0.05)] * 2)["overfitting"]
    assert "held-out pictures is 0.1, to those it is trained on 0.05" in words
    assert not diagnose_quality([look(10, held=0.1, trained=0.08)] * 2)  # within the noise
    assert not diagnose_quality([look(10, held=0.1)] * 2)


def test_the_doctor_tells_what_the_figures_show(small_gan, real_images, reference, caplog):
    images = to_uint8(real_images)
    watch = Evaluate(reference, 1e-6)
    doctor = RunDoctor(images, every_steps=1, quality=watch)

    class Planted(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            watch.found[:] = [look(1, 0.6), look(2, 0.1), look(3, 0.1)]

    with caplog.at_level(logging.WARNING, "kgan"):
        fit(small_gan, real_images, Planted(), doctor, steps=2)
    assert "have lost variety" in caplog.text
    assert "mode collapse" in doctor.ills


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"every_minutes": 0}, "every_minutes must be a finite number above 0. Received: 0"),
        ({"every_minutes": 1, "patience": 0}, "patience"),
    ],
)
def test_what_cannot_be_is_one_line(reference, arguments, says):
    with pytest.raises(kgan.InputError, match=says):
        Evaluate(reference, **arguments)


def test_an_autoencoder_is_refused(reference, real_images):
    model = kgan.Autoencoder.from_preset("autoencoder", image_shape=(16, 20, 1), latent_dim=8)
    model.compile()
    with pytest.raises(kgan.InputError, match=r"measures a kgan.GAN"):
        model.fit(real_images, verbose=0, callbacks=[Evaluate(reference, 1)])
