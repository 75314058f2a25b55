"""What CONTRIBUTING.md and docs/ say about the repository is so."""

import configparser
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXTS = ("CONTRIBUTING.md", "docs/architecture.md")


def extra(name):
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return setup["options.extras_require"][name].split()


@pytest.mark.parametrize("text", TEXTS)
def test_files_it_names_are_there(text):
    words = (ROOT / text).read_text()
    names = re.findall(r"`((?:kgan|tests|tools|\.ci|docs)/[\w./]*|[A-Z]+\.md)`", words)
    assert len(names) >= (10 if text == "CONTRIBUTING.md" else 1)
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_every_room_is_on_a_floor():
    drawn = (ROOT / "docs" / "architecture.md").read_text().split("```")[1]
    rooms = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in (ROOT / "kgan").iterdir()
        if (path.is_dir() and (path / "__init__.py").exists()) or path.suffix == ".py"
    }
    assert rooms == set(re.findall(r"^  (\S+(?:\.py|/)) ", drawn, re.MULTILINE))


def test_lint_before_a_commit_is_the_lint_of_ci():
    (rev,) = re.findall(r"rev: v(\S+)", (ROOT / ".pre-commit-config.yaml").read_text())
    assert f"ruff=={rev}" in extra("dev")


def test_python_under_tools_carries_its_suffix():
    for path in (ROOT / "tools").rglob("*"):
        if path.is_file() and not path.suffix:
            assert "python" not in path.read_text().splitlines()[0], path


def test_the_workflow_runs_every_python_that_setup_names():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    first, last = re.findall(r"3\.(\d+)", setup["options"]["python_requires"])
    workflow = (ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8")
    (versions,) = re.findall(r"python: \[(.*)\]", workflow)
    assert re.findall(r'"3\.(\d+)"', versions) == [str(n) for n in range(int(first), int(last))]
    assert "run: .ci/run" in workflow
    # The last of them and the next, with the TensorFlow to come, may fail.
    _, tomorrow = workflow.split("  tomorrow:\n")
    assert "    continue-on-error: true\n" in tomorrow
    assert re.findall(r'- python: "3\.(\d+)"', tomorrow) == [str(int(last) - 1), last]
    assert "--pre " in tomorrow
    assert '-m "not slow"' in tomorrow
