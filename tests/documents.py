"""The code blocks of the READMEs and of docs/, and how they are made small."""

import dataclasses
import re
import shlex
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
AT_THE_TOP = ("README.md", "README.ja.md", "CONTRIBUTING.md")
PAGES = (*(ROOT / name for name in AT_THE_TOP), *sorted((ROOT / "docs").rglob("*.md")))
# The blocks of some pages have a test file of their own.
MARKER = re.compile(r"<!-- (\S+) runs this block -->\n\Z")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Networks of 16x16 with two filters, batches of 4 and one epoch do the same in less time.
SMALL = {
    "(64, 64, 3)": "(16, 16, 3)",
    "(64, 64)": "(16, 16)",
    "batch_size=64": "batch_size=4",
    '"dcgan", ': '"dcgan", filters=2, ',
    "epochs=25": "epochs=1",
    "epochs=10": "epochs=1",
}


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block: its page's name, its language, its text, and the test that is named above."""

    page: str
    language: str
    text: str
    run_by: str | None


def blocks():
    """Every fenced block of every page, in order."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCED.finditer(text):
            marker = MARKER.search(text[: match.start()])
            name = str(page.relative_to(ROOT))
            found.append(Block(name, match[1], match[2], marker and marker[1]))
    return found


def python_of(page):
    """The Python blocks of a page that no other test runs."""
    return [
        block.text
        for block in blocks()
        if block.page == page and block.language == "python" and not block.run_by
    ]


def small(code, **also):
    """The code on a small scale; `also` are further words, which must be there, and others."""
    for shown, instead in SMALL.items():
        code = code.replace(shown, instead)
    for shown, instead in also.items():
        assert shown in code
        code = code.replace(shown, instead)
    return code


def commands():
    """(page, words) of every line of a shell in a block, comments left out."""
    lines = []
    for block in blocks():
        if block.language in ("", "sh"):
            # A command goes on in the next line after a backslash; output has no language either.
            for line in block.text.replace("\\\n", " ").splitlines():
                if block.language == "sh" or line.startswith(("kgan ", "kgan-export ")):
                    words = shlex.split(line, comments=True)
                    while words and re.fullmatch(r"[A-Z_]+=.*", words[0], re.DOTALL):
                        del words[0]  # a variable of the environment
                    lines += [(block.page, words)] if words else []
    return lines


def make_photos(directory, count=8):
    """Small pictures in three folders, what the pages call photos/."""
    noise = np.random.default_rng(0).integers(0, 256, (count, 20, 20, 3), np.uint8)
    for index, picture in enumerate(noise):
        path = directory / "abc"[index % 3] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
