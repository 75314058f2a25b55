"""A release's two distributions: which file is in which, and that the light one is enough.

.ci/wheel builds and installs them.
"""

import importlib
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import kgan
from tests.documents import ROOT


@pytest.fixture
def distributions(monkeypatch):
    """tools/build_distributions.py."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("build_distributions")


def required(name):
    """The installed distributions that one asks for, it and they and so on, without extras."""
    found, waiting = {}, [name]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = importlib.metadata.distribution(name)
            for line in found[name].requires or ():
                requirement = Requirement(line)
                if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                    waiting.append(requirement.name)
    return found.values()


def test_each_file_is_in_one_of_them(distributions):
    runtime, whole = map(distributions.files_of, ("kgan-runtime", "kgan"))
    assert not set(runtime) & set(whole)
    everything = [path for path in Path(kgan.__file__).parent.rglob("*") if path.is_file()]
    assert sorted(runtime + whole) == sorted(
        path.relative_to(ROOT).as_posix()
        for path in everything
        if path.parent.name != "__pycache__"
    )


def test_what_they_say_of_themselves(distributions):
    runtime, whole = map(distributions.settings_of, ("kgan-runtime", "kgan"))
    for settings, name in ((runtime, "kgan-runtime"), (whole, "kgan")):
        assert settings["metadata"]["name"] == name
        assert settings["metadata"]["version"] == kgan.__version__
    asked, asked_of_whole = (
        settings["options"]["install_requires"].split() for settings in (runtime, whole)
    )
    assert set(asked_of_whole) - set(asked) >= {f"kgan-runtime=={kgan.__version__}", "h5py"}
    assert set(asked) < set(asked_of_whole)
    named = distributions.read_setup()["tool:kgan-runtime"]["install_requires"].split()
    assert len(asked) == len(named) == 6
    assert "options.entry_points" in runtime
    extras = [settings["options.extras_require"] for settings in (runtime, whole)]
    assert list(extras[0]) == ["serve"]
    assert extras[0]["serve"] == extras[1]["serve"]
    assert "options.entry_points" not in whole
    assert "metrics" in whole["options.extras_require"]


def test_the_runtime_works_alone(distributions, tmp_path):
    """Its files alone, beside what it requires alone, in a process of its own."""
    staged, site, place = (tmp_path / name for name in ("staged", "site", "place"))
    for folder in (staged, site, place):
        folder.mkdir()
    distributions.stage("kgan-runtime", staged)
    settings = distributions.settings_of("kgan-runtime")
    for line in settings["options"]["install_requires"].split():
        for installed in required(Requirement(line).name):
            for top in {file.parts[0] for file in installed.files} - {"..", "__pycache__"}:
                if not (site / top).exists():
                    (site / top).symlink_to(installed.locate_file(top))
    done = subprocess.run(
        [sys.executable, "-SP", ROOT / "tests/runtime_alone.py"],
        cwd=place,
        env={"PYTHONPATH": f"{staged}:{site}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == f"{staged / 'kgan'}\n", done.stderr
