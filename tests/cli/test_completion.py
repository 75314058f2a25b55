"""`kgan --print-completion`: what a shell does with it."""

import subprocess

import pytest

from kgan.cli import completion
from kgan.cli.main import export_main, main

ASK = """
. ./script
asked() {
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    "$(complete -p "$1" | sed 's/.*-F \\([^ ]*\\).*/\\1/')" "$1" "${@: -1}" "${@: -2:1}"
    echo "${COMPREPLY[*]}"
}
"""


def script(capsys, run, shell):
    with pytest.raises(SystemExit) as stop:
        run(["--print-completion", shell])
    assert stop.value.code == 0
    return capsys.readouterr().out


def test_bash_completes_commands_options_presets_and_files(tmp_path, capsys):
    (tmp_path / "script").write_text(script(capsys, main, "bash"), encoding="utf-8")
    (tmp_path / "photos").mkdir()
    expected = {
        "kgan ex": "export explore",
        "kgan data pa": "pack",
        "kgan explore arith": "arithmetic",
        "kgan train --pre": "--preset --precision",
        "kgan train --preset dcgan_u": "dcgan_upsample",
        "kgan train --augment flip --precision mixed_f": "mixed_float16",
        "kgan train ph": "photos",
        "kgan export --web ph": "photos",
        "kgan explore interpolate runs/a --pictures ph": "photos",
        "kgan explore judge runs/a ph": "photos",
        "kgan data check ph": "photos",
        "kgan watch ph": "photos",
    }
    asked = "".join(f"asked {words}\n" for words in expected)
    done = subprocess.run(
        ["bash", "-c", ASK + asked], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines() == list(expected.values())
    assert done.stderr == ""


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_there_is_a_script_for_each_shell(shell, capsys):
    assert "--quantize" in script(capsys, export_main, shell)
