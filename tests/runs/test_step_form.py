"""`--jit-compile auto`: XLA compiles a run's step where that was measured to be faster."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from tensorflow.python.framework import config

import kgan
from kgan.runs import Run, RunOptions, load_model, step_form, step_timing
from kgan.runs.build import jit_compile
from kgan.runs.directory import read_options
from kgan.runs.step_timing import Figures, both_forms

SMALL = {"preset": "autoencoder", "size": (8, 8), "batch_size": 8, "augment": []}


@pytest.mark.parametrize(
    ("figures", "seconds", "xla", "words"),
    [
        # 100 s are 200 steps without XLA: 80 s with it, and 19 or 21 for the first.
        ((20.0, 0.5, 0.4, 19.0), 100.0, True, "compiled with XLA: 0.4 s a step with it, 0.5"),
        ((30.0, 0.5, 0.4, 21.0), 100.0, False, "not compiled with XLA: 0.4 s a step with it, 0.5"),
        ((20.0, 0.5, 0.48, 0.1), 1e6, False, "not compiled with XLA: 0.48 s a step"),
        ((20.0, 0.1, 0.4, 19.0), 1e6, False, "not compiled with XLA: 0.4 s a step"),
        ((20.0,), 1e6, False, "not compiled with XLA: a trial did not finish within 20 s"),
    ],
)
def test_xla_is_chosen_where_the_rest_of_the_run_is_faster_with_it(figures, seconds, xla, words):
    choice = Figures(*figures).choice(seconds)
    assert choice[0] is xla
    assert choice[1].startswith(words)


def test_keras_own_choice_is_not_for_short_runs():
    """It is XLA on a GPU, whose compiling took half of a run of 72 seconds there."""
    options = {name: RunOptions(minutes=1, jit_compile=name) for name in ("auto", "on", "off")}
    assert {name: jit_compile(of) for name, of in options.items()} == {
        "auto": False,
        "on": True,
        "off": False,
    }
    assert jit_compile(RunOptions(minutes=3)) == jit_compile(RunOptions(steps=9)) == "auto"


def test_figures_are_read_back_and_what_is_none_is_not():
    figures = Figures(20.0, 0.5, 0.4, 19.0)
    assert Figures.read(figures.to_json()) == figures
    assert Figures.read('{"limit": 20.0}') == Figures(20.0)
    for text in ("", "[1.0]", '{"limit": "20"}', '{"limit": -1.0}', '{"limit": NaN}', '{"a": 1.0}'):
        assert Figures.read(text) is None


def test_a_damaged_file_of_figures_is_one_line_and_none(tmp_path, caplog):
    assert step_form._remembered(tmp_path / "missing.json") is None
    assert caplog.text == ""
    path = tmp_path / "figures.json"
    for content in (b"{}", b"\xff", b"[" * 9_999):
        path.write_bytes(content)
        caplog.clear()
        assert step_form._remembered(path) is None
        assert caplog.messages == [f"what was measured of this step before is not readable: {path}"]


def test_what_is_not_measured(small_gan, two_replicas, monkeypatch):
    assert step_form._why_not(small_gan, 180.0) is None
    assert small_gan.jit_compile is False
    assert step_form._why_not(small_gan, 179.0) == "the run is shorter than 3 minutes"
    with two_replicas.scope():
        gan = kgan.GAN.from_preset("gan", image_shape=(4, 4, 1), latent_dim=2)
    assert step_form._why_not(gan, 180.0) == "several devices train it"
    config.enable_op_determinism()
    try:
        assert "op determinism" in step_form._why_not(small_gan, 180.0)
    finally:
        config.disable_op_determinism()
    monkeypatch.setattr(step_form, "on_processors", lambda: False)
    assert step_form._why_not(small_gan, 180.0).startswith("the training holds")


def test_figures_belong_to_a_step_and_a_machine(small_gan, monkeypatch):
    options = RunOptions(batch_size=8)
    place = step_form._place(small_gan, options)
    same = RunOptions(batch_size=8, seed=1, learning_rate=0.1, minutes=9.0, jit_compile="off")
    assert step_form._place(small_gan, same) == place
    for other in ({"batch_size": 9}, {"filters": 8}, {"precision": "float32"}, {"ada": True}):
        changed = RunOptions(**({"batch_size": 8} | other))
        assert step_form._place(small_gan, changed) != place
    monkeypatch.setattr(step_form, "__version__", "0")
    assert step_form._place(small_gan, options) != place


def test_a_trial_ends_when_its_time_is_over_or_the_training_ends(small_gan, tmp_path):
    before = [np.array(variable) for variable in small_gan.variables]
    began = time.monotonic()
    assert both_forms(small_gan, 4, 0.3, tmp_path, lambda: False) == Figures(0.3)
    assert both_forms(small_gan, 4, 300.0, tmp_path, lambda: True) == Figures(300.0)
    assert time.monotonic() - began < 60
    assert list(tmp_path.iterdir()) == []
    for variable, value in zip(small_gan.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_a_trial_that_fails_says_so(small_gan, tmp_path, monkeypatch):
    monkeypatch.setattr(step_timing, "TRIAL", "raise SystemExit(3)")
    with pytest.raises(OSError, match="the trial failed with exit code 3"):
        both_forms(small_gan, 4, 60.0, tmp_path, lambda: False)
    # It finds the modules that its parent found.
    (tmp_path / "beside.py").write_text("import os\nos._exit(4)\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    monkeypatch.setattr(step_timing, "TRIAL", "import beside")
    with pytest.raises(OSError, match="exit code 4"):
        both_forms(small_gan, 4, 60.0, tmp_path / "copies", lambda: False)


@pytest.mark.slow
def test_a_trial_that_nobody_waits_for_ends_too(small_gan, tmp_path):
    small_gan.save(tmp_path / "copy.keras")
    code = step_timing.TRIAL
    arguments = [str(tmp_path / "copy.keras"), "4", "0.1"]
    done = subprocess.run([sys.executable, "-c", code, *arguments], check=False, timeout=300)
    assert done.returncode == -14  # SIGALRM


def trained(place, steps=8, **options):
    Run.create(RunOptions(**SMALL, steps=steps, **options), place).train()
    return load_model(place)


def assert_equal(one, other):
    for first, second in zip(one.variables, other.variables, strict=True):
        np.testing.assert_array_equal(first, second, err_msg=first.path)


@pytest.fixture
def of_any_length(monkeypatch, tmp_path):
    """Runs of any length are measured, for as long as it takes."""
    monkeypatch.setattr(step_form, "SHORTEST", 0.0)
    monkeypatch.setattr(step_form, "SHARE", 1e9)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "kgan" / "steps"


def test_a_short_run_says_that_it_is_not_measured(tmp_path, caplog):
    trained(tmp_path / "run", steps=6)
    words = "the step is not compiled with XLA (not measured: the run is shorter than 3 minutes)"
    assert words in caplog.messages
    assert read_options(tmp_path / "run").xla is None


@pytest.mark.slow
def test_measuring_changes_nothing_where_the_plain_form_is_faster(
    of_any_length, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(step_timing, "GAIN", 1e9)  # whatever this machine finds
    measured = trained(tmp_path / "measured")
    plain = trained(tmp_path / "plain", jit_compile="off")
    assert_equal(measured, plain)
    (path,) = of_any_length.iterdir()
    figures = Figures.read(path.read_text(encoding="utf-8"))
    assert min(figures) > 0  # both forms were timed
    (line,) = [text for text in caplog.messages if text.startswith("the step")]
    options = read_options(tmp_path / "measured")
    assert line == f"the step is {options.xla_why} (measured now)"
    assert options.xla is False
    assert options.xla_why.startswith("not compiled with XLA: ")
    # Again: it is remembered, and no process is started.
    monkeypatch.delattr(step_form, "both_forms")
    caplog.clear()
    assert_equal(trained(tmp_path / "again"), plain)
    assert [text for text in caplog.messages if text.startswith("the step")] == [
        f"the step is {options.xla_why} (measured before)"
    ]


@pytest.mark.slow
def test_a_run_that_xla_compiles_is_resumed_in_that_form(
    of_any_length, tmp_path, monkeypatch, caplog
):
    forms = []
    fast = Figures(20.0, 1.0, 0.1, 1e-9)
    monkeypatch.setattr(step_form, "both_forms", lambda *_: fast)  # of another machine
    take = step_form.StepForm._take

    def noted(self):
        before = self.model.train_function
        able = take(self)
        made = self.model.train_function is not before
        forms.append((self.done.steps + self.steps_taken, self.model.jit_compile, made))
        return able

    monkeypatch.setattr(step_form.StepForm, "_take", noted)
    whole = trained(tmp_path / "whole", steps=8)
    assert forms == [(5, True, True)]
    config = json.loads((tmp_path / "whole" / "config.json").read_text(encoding="utf-8"))
    assert (config["xla"], config["jit_compile"]) == (True, "auto")
    assert config["xla_why"] == "compiled with XLA: 0.1 s a step with it, 1 without"
    run = Run.create(RunOptions(**SMALL), tmp_path / "parts")
    run.train(steps=6)
    forms.clear()
    caplog.clear()
    Run.open(tmp_path / "parts").train(steps=2)
    words = "the step is compiled with XLA: 0.1 s a step with it, 1 without (chosen before)"
    assert words in caplog.messages
    assert forms == [(6, True, True)]
    assert_equal(whole, load_model(tmp_path / "parts"))


@pytest.mark.slow
def test_a_run_that_was_resumed_before_the_choice_goes_on_as_it_began(of_any_length, tmp_path):
    run = Run.create(RunOptions(**SMALL), tmp_path / "run")
    run.train(steps=2)
    Run.open(tmp_path / "run").train(steps=5)
    assert read_options(tmp_path / "run").xla is None
