"""tools/Dockerfile, as far as it can be tried without Docker; hadolint reads it in .ci/run."""

import configparser
import json
import re
import subprocess
import sys
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from tests.documents import ROOT

LINES = re.sub(r"\\\n\s*", "", (ROOT / "tools/Dockerfile").read_text(encoding="utf-8")).splitlines()
STAGES = {}
for line in LINES:
    if begun := re.fullmatch(r"FROM (\S+) AS (\w+)", line):
        STAGES[begun[2]] = []
    elif STAGES and line and not line.startswith("#"):
        STAGES[list(STAGES)[-1]].append(line)
NEEDED = re.findall(r'"([\w.]+>=[\d.]+)"', "\n".join(STAGES["runtime"]))
# What `kgan generate` of an export loads beside what any Python has.
LOADED = """
import sys
before = set(sys.modules)
from kgan.cli.main import main
assert main(["generate", sys.argv[1], "-n", "1", "-o", sys.argv[2]]) == 0
assert main(["export", "--inspect", sys.argv[1]]) == 0
import json
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


@pytest.fixture(scope="module")
def setup():
    found = configparser.ConfigParser()
    found.read(ROOT / "setup.cfg", encoding="utf-8")
    return found


def normal(name):
    return re.sub("[-_.]+", "-", name).lower()


def with_all_they_need(names):
    """The distributions of these names and of what they require."""
    found, left = set(), [normal(name) for name in names]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            for text in metadata.requires(name) or ():
                needed = Requirement(text)
                if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                    left.append(normal(needed.name))
    return found


def test_what_is_copied_is_there_and_let_through():
    ignored = (ROOT / "tools/Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [line.split()[1:-1] for stage in STAGES.values() for line in stage if "COPY" in line]
    own = {name for names in copied for name in names if not names[0].startswith("--from=wheel")}
    assert own == {line[1:] for line in ignored if line.startswith("!")}
    assert all((ROOT / name).exists() for name in own)
    assert list(STAGES) == ["wheel", "runtime", "training"]


def test_what_the_runtime_installs_is_what_drawing_loads(setup, tmp_path):
    """No more would be needed in it, and each has the bound that kgan gives it."""
    assert set(NEEDED) <= set(setup["options"]["install_requires"].split())
    words = [sys.executable, "-c", LOADED, ROOT / "saved_models/fashion_dcgan", tmp_path / "a.png"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    modules = json.loads(done.stdout.splitlines()[-1])
    homes = metadata.packages_distributions()
    # Of a package that several distributions share, such as google, one is enough.
    loaded = [set(map(normal, homes[name])) for name in modules if name in homes]
    names = [Requirement(text).name for text in NEEDED]
    there = with_all_they_need(names) | {"kgan"}
    assert [each for each in loaded if not each & there] == []
    assert set(map(normal, names)) <= set().union(*loaded)


def test_the_extras_of_the_other_are_extras(setup):
    (extras,) = re.findall(r"^ARG EXTRAS=(.*)$", "\n".join(STAGES["training"]), re.MULTILINE)
    assert set(extras.split(",")) <= set(setup["options.extras_require"])
