"""tools/Dockerfile, as far as it can be tried without Docker; hadolint reads it in .ci/run."""

import configparser
import re
import runpy
import shutil

import pytest

from tests.documents import ROOT

LINES = re.sub(r"\\\n\s*", "", (ROOT / "tools/Dockerfile").read_text(encoding="utf-8")).splitlines()
STAGES = {}
for line in LINES:
    if begun := re.fullmatch(r"FROM (\S+) AS (\w+)", line):
        STAGES[begun[2]] = []
    elif STAGES and line and not line.startswith("#"):
        STAGES[list(STAGES)[-1]].append(line)
COPIED = [line.split()[1:-1] for line in STAGES["wheel"] if line.startswith("COPY")]
OWN = [name for names in COPIED for name in names]


@pytest.fixture(scope="module")
def setup():
    found = configparser.ConfigParser()
    found.read(ROOT / "setup.cfg", encoding="utf-8")
    return found


def test_what_is_copied_is_there_and_let_through():
    ignored = (ROOT / "tools/Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert set(OWN) == {line[1:] for line in ignored if line.startswith("!")}
    assert list(STAGES) == ["wheel", "runtime", "training"]


def test_what_is_copied_is_enough_to_build_both_distributions(tmp_path):
    for name in OWN:
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / name, target)
    assert STAGES["wheel"][-1] == "RUN python tools/build_distributions.py /wheels"
    build = runpy.run_path(str(tmp_path / "tools/build_distributions.py"))
    for name in (build["RUNTIME"], build["WHOLE"]):
        place = tmp_path / "staged" / name
        place.mkdir(parents=True)
        build["stage"](name, place)
        assert (place / "setup.cfg").is_file()


def test_the_runtime_installs_kgan_runtime_alone():
    copied, installed, *_ = (line for line in STAGES["runtime"] if "wheels" in line)
    assert copied == "COPY --from=wheel /wheels/kgan_runtime-*.whl /wheels/"
    assert installed.startswith("RUN python -m pip install --no-cache-dir /wheels/*.whl &&")


def test_the_extras_of_the_other_are_extras(setup):
    (extras,) = re.findall(r"^ARG EXTRAS=(.*)$", "\n".join(STAGES["training"]), re.MULTILINE)
    assert set(extras.split(",")) <= set(setup["options.extras_require"])
