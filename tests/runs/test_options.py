"""The options of a run: one source for the command line, config.json and Python."""

import dataclasses
import inspect
import json

import pytest

import kgan
from kgan.cli.arguments import argument_type
from kgan.cli.main import main
from kgan.losses import LOSSES
from kgan.option_fields import INTERVAL, options_of, parse_interval, typed
from kgan.runs import RunOptions
from kgan.runs.data_options import DEFAULT_EPOCHS
from kgan.runs.directory import make_directory, read_options
from kgan.runs.options import check_changes
from kgan.training import adversarial_step

OPTIONS = options_of(RunOptions)


def test_every_field_is_an_option_with_help_but_what_a_run_itself_writes():
    fields = {field.name for field in dataclasses.fields(RunOptions)}
    assert fields - set(OPTIONS) == {
        "source",
        "transparency",
        "mirroring",
        "fitted",
        "frozen",
        "xla",
        "xla_why",
    }  # the run itself writes them
    assert all(option.help and option.group for option in OPTIONS.values())


def test_help_shows_every_option_and_its_default(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for name, option in OPTIONS.items():
        assert typed(name, option) in shown
    assert f"times through the data (the preset's, or {DEFAULT_EPOCHS})" in shown


def test_names_of_losses_and_turns_are_those_that_there_are():
    assert OPTIONS["loss"].kind.choices == tuple(LOSSES)
    assert OPTIONS["d_update"].kind.choices == tuple(adversarial_step.TURNS)
    steps = inspect.signature(kgan.GAN.compile).parameters["d_steps"]
    assert OPTIONS["d_steps"].default_words == str(steps.default)


def test_config_json_keeps_every_option(tmp_path):
    options = RunOptions(
        data="photos",
        size=(16, 20),
        augment=["flip"],
        g_learning_rate=1e-3,
        minutes=2.5,
        loss="hinge",
        latents="uniform",
    )
    make_directory(tmp_path / "run", options)
    assert read_options(tmp_path / "run") == options


def test_a_run_of_a_version_without_schedules_has_none(tmp_path):
    make_directory(tmp_path / "run", RunOptions(preset="r3gan"))
    config = tmp_path / "run" / "config.json"
    values = json.loads(config.read_text())
    del values["schedule"]
    config.write_text(json.dumps(values))
    assert read_options(tmp_path / "run").schedule == "none"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"filters": 0}, "filters must be a whole number above 0. Received: 0"),
        ({"filters": "8"}, "filters must be a whole number above 0. Received: '8'"),
        ({"strict": 1}, "strict must be true or false. Received: 1"),
        ({"size": [16]}, "size must be a size such as 64x64"),
        ({"background": [0, 0, 256]}, "background must be a colour"),
        ({"loss": "mse"}, "loss must be one of bce, minimax, hinge"),
        ({"label_smoothing": 1.0}, "from 0 to below 1. Received: 1.0"),
        ({"g_learning_rate": float("inf")}, "g_learning_rate must be a number above 0"),
        ({"sample_every": "5x"}, "steps such as 20, or minutes such as 5m. Received: '5x'"),
        ({"epochs": 1, "steps": 1}, "one length, .* Received: epochs and steps"),
        ({"seed": 2**32}, "from 0 to 4294967295"),
        ({"preset": None}, "preset must be text. Received: None"),
        ({"colour": 1}, "No option has that name. Received: 'colour'"),
    ],
    ids=str,
)
def test_config_json_is_checked_like_the_command_line(tmp_path, change, says):
    make_directory(tmp_path / "run", RunOptions())
    path = tmp_path / "run" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(kgan.InputError, match=says) as caught:
        read_options(tmp_path / "run")
    assert len(str(caught.value).splitlines()) == 1


def test_intervals():
    assert parse_interval("20") == {"every_steps": 20}
    assert parse_interval("2.5m") == {"every_minutes": 2.5}
    for text in ("", "m", "0", "-1", "0m", "infm", "nanm", "1.5", "5 m5"):
        with pytest.raises(ValueError):  # noqa: PT011
            INTERVAL.parse(text)


def test_what_can_change_on_resume():
    changes = check_changes({"learning_rate": 0.1, "d_learning_rate": 0.2})
    assert changes == {"learning_rate": 0.1, "g_learning_rate": 0.1, "d_learning_rate": 0.2}
    with pytest.raises(kgan.InputError, match=r"Received: DATA --loss --from"):
        check_changes({"data": "x", "loss": "hinge", "start_from": "y", "steps": 3})


def test_numbers_of_the_command_line_are_parsed_by_the_kind():
    assert argument_type(OPTIONS["size"].kind)("28x28x1") == (28, 28, 1)
    assert argument_type(OPTIONS["augment"].kind)("none") == []
    assert argument_type(OPTIONS["checkpoint_every"].kind)("10") == "10"
