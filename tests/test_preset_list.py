"""The presets' list: on the command line without TensorFlow, as JSON and in docs/presets.md."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kgan.cli.main import main
from kgan.preset_list import LISTED

PAGE = Path(__file__).parents[1] / "docs" / "presets.md"


def test_a_table_for_a_terminal_comes_without_tensorflow():
    code = (
        "import sys; from kgan.cli.main import main; main(['train', '--list-presets']); "
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heading, *rows = done.stdout.splitlines()
    assert [row.split()[0] for row in rows] == list(LISTED)
    for column in ("size", "parameters", "classes", "good for"):  # each begins below its heading
        start = heading.index(column)
        assert all(row[start - 2 : start].isspace() for row in rows), column
        assert any(row[start : start + 1].strip() for row in rows), column


def test_as_json_with_sources(capsys):
    assert main(["train", "--list-presets", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["dcgan"]["source"] == "Radford et al. 2015, https://arxiv.org/abs/1511.06434"
    assert listed["dcgan"]["image_shape"] == [64, 64, 3]
    assert listed["r3gan"]["classes"] is True
    assert list(listed) == list(LISTED)
    assert main(["train", "--json"]) == 2
    assert "--json goes with --list-presets" in capsys.readouterr().err


@pytest.mark.parametrize("name", LISTED)
def test_the_page_has_its_row(name):
    listed = LISTED[name]
    cells = (
        f"`{name}`",
        "x".join(map(str, listed.image_shape)),
        " + ".join(f"{count:,}" for count in listed.parameters),
        "yes" if listed.classes else "",
        listed.good_for,
        listed.source,
    )
    assert f"\n| {' | '.join(cells)} |\n" in PAGE.read_text(encoding="utf-8")
