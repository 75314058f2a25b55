"""What is told before a training, and the commands told after it: as they are typed."""

import math
import os
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest

from kgan.commands import command_line, resuming
from kgan.runs import Run, RunOptions, goal, heading


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(run, its data and model before the first step) of a set with a place in two classes."""
    place = tmp_path_factory.mktemp("my runs")
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 1), np.uint8)
    np.savez(place / "noise.npz", images=images, labels=[0, 1] * 20)
    options = RunOptions(
        data=str(place / "noise.npz"), filters=2, batch_size=8, conditional=True, minutes=30
    )
    run = Run.create(options, place / "one")
    return run, run._created


def told(made, width=None):
    run, ready = made
    done = goal.Progress(5, 60.0, 5)
    text = heading.heading(run.directory, run.options, done, ready.source, ready.model, width)
    return text.splitlines()


def test_a_heading_tells_what_is_trained_on_what_where_and_how_to_watch_it(made):
    run, ready = made
    lines = dict(line.split(maxsplit=1) for line in told(made))
    assert list(lines) == [name for name in heading.ORDER if name != "quality"]
    assert lines["data"] == "array file noise.npz"
    assert lines["images"] == "40 of 16x16, grey, 2 classes"
    assert lines["preset"] == "dcgan"
    networks = {role: getattr(ready.model, role) for role in ("generator", "discriminator")}
    counts = {
        role: sum(math.prod(weight.shape) for weight in network.weights)
        for role, network in networks.items()
    }
    numbers = ", ".join(f"{role} {count:,}" for role, count in counts.items())
    assert lines["networks"] == f"{numbers} parameters"
    assert lines["batches"] == "8 images, 5 an epoch"
    assert lines["length"] == "1 minutes done, 29 more, 30 in all"
    new = heading.of_options(run.options, goal.Progress(0, 0.0, 5))
    assert new["length"] == "30 minutes"
    assert re.fullmatch(r"in float32 on (1 processor core|\d+ processor cores)", lines["computes"])
    assert lines["memory"].endswith(" is free")
    assert lines["run"] == str(run.directory)
    assert lines["watch"].startswith(f"{run.directory}/samples/latest.png, or: ")
    command = shlex.split(lines["watch"].partition(", or: ")[2])
    assert os.path.basename(command[0]) == "kgan"
    assert command[1:] == ["watch", str(run.directory)]


def test_what_is_held_counts_each_variable_and_the_slots_of_both_optimizers(made):
    model = made[1].model
    variables = [*model.variables, *model.g_optimizer.variables, *model.d_optimizer.variables]
    assert heading.held_bytes(model) == sum(np.asarray(v).nbytes for v in variables)
    assert heading.step_bytes(model, 16) == 2 * heading.step_bytes(model, 8) > 0


def test_on_a_terminal_lines_end_where_it_does(made):
    whole, wrapped = told(made), told(made, 60)
    assert max(map(len, wrapped)) <= max(
        60, 10 + len(str(made[0].directory / "samples/latest.png,"))
    )
    indent = len("networks  ")
    assert all(line[:indent].strip() == "" or line[indent - 1] == " " for line in wrapped)
    assert " ".join(" ".join(wrapped).split()) == " ".join(" ".join(whole).split())
    assert len(wrapped) > len(whole)


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """An environment in a place with a space, whose `kgan` prints what it is given."""
    scripts = tmp_path / "my env" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "kgan").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    (scripts / "kgan").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(scripts / "python"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return scripts


@pytest.mark.skipif(os.name != "posix", reason="shells are a matter of POSIX")
def test_commands_work_as_they_are_typed(environment, tmp_path, monkeypatch):
    def typed(command):
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    run = tmp_path / "it's a run"
    command = resuming(run)
    assert shlex.split(command)[0] == str(environment / "kgan")  # no other is found
    assert typed(command) == ["train", "--resume", str(run)]
    monkeypatch.chdir(tmp_path)
    assert shlex.split(resuming(run))[0] == "my env/bin/kgan"
    assert typed(resuming(run)) == ["train", "--resume", str(run)]
    other = tmp_path / "other"
    other.mkdir()
    (other / "kgan").write_text("#!/bin/sh\n", encoding="utf-8")
    (other / "kgan").chmod(0o755)
    monkeypatch.setenv("PATH", f"{other}:{environment}")
    assert shlex.split(resuming(run))[0] == "my env/bin/kgan"  # the other is not this one
    monkeypatch.setenv("PATH", f"{environment}:/usr/bin:/bin")
    assert command_line("kgan", "export", "runs/a") == "kgan export runs/a"
    assert typed(resuming(run)) == ["train", "--resume", str(run)]
    assert command_line("tensorboard") == "tensorboard"  # which this environment has not
