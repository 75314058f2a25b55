#!/usr/bin/env python3
"""Builds the documents as a site, build/docs/html; tools/docs runs it. Needs kgan[docs].

The pages are docs/README.md, which is the index, and what it leads to; beside them stands a
reference of the Python API, made from docstrings, and one of the command line, made from its
parsers. build/docs/source has copies of the former and the latter as they are handed to Sphinx.
"""

import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import main as sphinx
from website import command_reference, pages, python_reference

from kgan.cli import quiet_tensorflow

ROOT = Path(__file__).parent.parent
PLACE = ROOT / "build/docs"


def main() -> int:
    """Builds all anew: pages that did not change would not repeat their warnings."""
    quiet_tensorflow.import_tensorflow()
    shutil.rmtree(PLACE, ignore_errors=True)
    source = PLACE / "source"
    pages.gather(ROOT / pages.INDEX, ROOT, source)
    for reference in (python_reference, command_reference):
        for name, text in reference.pages().items():
            path = source / pages.REFERENCE / f"{name}.rst"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    strict = ["--fail-on-warning", "--keep-going", "--nitpicky", "--quiet"]
    places = ["--conf-dir", ROOT / "docs", "--doctree-dir", PLACE / "doctrees"]
    code = sphinx([*strict, *map(str, [*places, source, PLACE / "html"])])
    if code == 0:
        print(PLACE / "html/index.html")
    return code


if __name__ == "__main__":
    sys.exit(main())
