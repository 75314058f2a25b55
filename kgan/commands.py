"""Commands to go on with, as a user's shell takes them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from kgan.files import printable


def command_line(program: str, *arguments: str | os.PathLike[str]) -> str:
    """A command as it is typed here.

    Args:
        program: a command of this environment, such as "kgan". Where the shell would not find
            it, or another's, its path is given.
        arguments: what follows it, options and paths.
    """
    words = [_found_as(program), *(printable(argument, None) for argument in arguments)]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def resuming(directory: Path) -> str:
    """The command that trains a run on."""
    return command_line("kgan", "train", "--resume", directory)


def _found_as(program: str) -> str:
    """The program's name where the shell finds this interpreter's own by it, else its path."""
    own = Path(sys.executable).parent / (f"{program}.exe" if os.name == "nt" else program)
    found = shutil.which(program)
    if not own.is_file() or (found is not None and os.path.samefile(found, own)):
        return program
    here = Path.cwd()
    return printable(own.relative_to(here) if own.is_relative_to(here) else own, None)
