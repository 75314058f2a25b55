#!/usr/bin/env python3
"""Builds what a release has, sdist and wheel of two distributions. Needs kgan[dev].

`kgan-runtime` has those of kgan's files that draw from exports, `kgan` has all others and
requires it, so that no file is in both. `[tool:kgan-runtime]` in setup.cfg names the former's
roots; what these import, and so on, follows. Each distribution is built from a folder of its
own, with its files and a setup.cfg made from the checkout's: a source distribution gives the
same wheel. (`pip install .` in the checkout installs all of them as one, without an index.)
"""

import argparse
import ast
import configparser
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
WHOLE, RUNTIME = "kgan", "kgan-runtime"
SECTION = f"tool:{RUNTIME}"
COPIED = ("LICENSE", "pyproject.toml")


def main() -> None:
    """Builds both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", default=ROOT / "dist", help="where to (dist)")
    out = parser.parse_args().out.resolve()
    for name in (RUNTIME, WHOLE):
        with tempfile.TemporaryDirectory() as place:
            stage(name, Path(place))
            build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, place]
            subprocess.run(build, check=True)


def stage(name: str, place: Path) -> None:
    """Copies a distribution's files into a folder, with what builds it.

    Args:
        name: of the distribution.
        place: the folder, which is there.
    """
    settings = settings_of(name)
    text = settings["metadata"]["long_description"].removeprefix("file:").strip()
    for file in (*files_of(name), *COPIED, text):
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, place / file)
    with (place / "setup.cfg").open("w", encoding="utf-8") as file:
        settings.write(file)


def files_of(name: str) -> list[str]:
    """The files of a distribution, by their paths in the checkout."""
    setup = read_setup()
    runtime = {file_of(module) for module in imported(values_of(setup[SECTION]["roots"]))}
    code = (ROOT / "kgan").rglob("*.py")
    chosen = [path for path in code if (path in runtime) == (name == RUNTIME)]
    for package, patterns in setup["options.package_data"].items():
        folder = ROOT / package.replace(".", "/")
        # Data belong to the code of their package.
        if (folder / "__init__.py" in runtime) == (name == RUNTIME):
            chosen += (path for pattern in values_of(patterns) for path in folder.glob(pattern))
    return sorted(path.relative_to(ROOT).as_posix() for path in chosen)


def settings_of(name: str) -> configparser.RawConfigParser:
    """The setup.cfg of a distribution."""
    setup = read_setup()
    own = setup[SECTION]
    metadata, options = setup["metadata"], setup["options"]
    metadata["version"] = runpy.run_path(str(ROOT / "kgan/version.py"))["__version__"]
    files = files_of(name)
    code = {Path(file).parent for file in files if file.endswith(".py")}
    # By name: one whose __init__.py is the other distribution's would not be found.
    options["packages"] = lines(".".join(folder.parts) for folder in sorted(code))
    del setup["options.packages.find"]
    for package in setup["options.package_data"]:
        if f"{package.replace('.', '/')}/__init__.py" not in files:
            del setup["options.package_data"][package]
    if name == RUNTIME:
        metadata["name"] = RUNTIME
        metadata.update({key: own[key] for key in ("description", "long_description", "keywords")})
        required = options["install_requires"].split("\n")
        options["install_requires"] = lines(
            line for line in required if project_of(line) in values_of(own["install_requires"])
        )
        extras = setup["options.extras_require"]
        for extra in set(extras) - set(values_of(own["extras"])):
            del extras[extra]
    else:
        options["install_requires"] += f"\n{RUNTIME}=={metadata['version']}"
        del setup["options.entry_points"]  # the runtime has the commands
    del setup[SECTION]
    return setup


def read_setup() -> configparser.RawConfigParser:
    """The checkout's setup.cfg."""
    setup = configparser.RawConfigParser()
    setup.optionxform = str  # type: ignore[assignment,method-assign]
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    return setup


def project_of(requirement: str) -> str:
    """The name in a line such as numpy>=1.26."""
    return re.split(r"[^\w-]", requirement)[0]


def values_of(text: str) -> list[str]:
    """The values of a list in setup.cfg: a line each, or with commas between them."""
    return re.findall(r"[^\s,]+", text)


def lines(values: Iterator[str]) -> str:
    """A list as setup.cfg has it."""
    return "\n" + "\n".join(values)


def imported(roots: list[str]) -> set[str]:
    """Modules of kgan's, those that importing them imports, and so on.

    Imports within functions are not among them: there stand those of what may not be installed.
    """
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        file = file_of(module)
        if file is None or module in found:
            continue
        found.add(module)
        parts = module.split(".")
        waiting += [".".join(parts[:depth]) for depth in range(1, len(parts))]
        waiting += imports(ast.parse(file.read_text(encoding="utf-8")))
    return found


def imports(node: ast.AST) -> Iterator[str]:
    """The full names that a piece of a module imports when the module is imported."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.module or ""
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        for child in node.orelse:
            yield from imports(child)
    elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from imports(child)


def file_of(module: str) -> Path | None:
    """The file of a module of kgan's; None for any other name."""
    path = ROOT / module.replace(".", "/")
    if module.partition(".")[0] != "kgan":
        return None
    files = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in files if file.is_file()), None)


if __name__ == "__main__":
    main()
