"""The written pages: which there are, and the table of contents that docs/README.md is."""

import re
import shutil
from pathlib import Path

INDEX = "docs/README.md"
REFERENCE = "reference"  # the folder of the pages that are made
LINK = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
HEADER = re.compile(r"^\| ([^|]+) \| \|\n\|---\|---\|\n", re.MULTILINE)


def links(text: str) -> list[str]:
    """Where the links and pictures of a page lead, anchors left out."""
    return [(link or image).partition("#")[0] for link, image in LINK.findall(text)]


def gather(index: Path, root: Path, into: Path) -> None:
    """Copies a page, and every file below `root` that it leads to from link to link."""
    waiting, gathered = [index.resolve()], set()
    while waiting:
        file = waiting.pop()
        if file in gathered or not file.is_file() or not file.is_relative_to(root.resolve()):
            continue  # Sphinx says which link leads nowhere
        gathered.add(file)
        copy = into / file.relative_to(root.resolve())
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
        if file.suffix == ".md":
            found = links(file.read_text(encoding="utf-8"))
            waiting += [(file.parent / link).resolve() for link in found if link]


def contents(index: str) -> str:
    """The directives of the site's table of contents: what the index names, by its tables.

    The references, which the index does not name, are also shown below it.
    """
    parts = HEADER.split(index)
    chapters = [("", parts[0]), *zip(parts[1::2], parts[2::2], strict=True)]
    trees = []
    for title, text in chapters:
        caption = f":caption: {title.capitalize()}\n" if title else ""
        names = [link.removesuffix(".md") for link in links(text)]
        trees.append(_tree(f":hidden:\n{caption}", names))
    references = [f"/{REFERENCE}/python", f"/{REFERENCE}/command-line"]
    return "".join([*trees, _tree(":caption: Reference\n:maxdepth: 1\n", references)])


def _tree(options: str, names: list[str]) -> str:
    return "\n".join(["\n```{toctree}", options, *names, "```\n"])
