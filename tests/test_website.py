"""The site of the documents: its contents, and what its references are made from."""

import importlib
import re
from pathlib import Path

import pytest

import kgan
from kgan.cli.main import make_parser
from tests.documents import PAGES, ROOT


@pytest.fixture
def website(monkeypatch):
    """Gives a module of tools/website by its name."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return lambda name: importlib.import_module(f"website.{name}")


def leaves(parser, commands_of):
    """The parsers that run something, commands of commands too."""
    below = [leaf for each in commands_of(parser) for leaf in leaves(each, commands_of)]
    return below or [parser]


def test_the_table_of_contents_is_the_index(website):
    made = website("pages").contents((ROOT / "docs/README.md").read_text(encoding="utf-8"))
    trees = re.findall(r"```\{toctree\}\n(.*?)```", made, re.DOTALL)
    captions = [re.findall(r":caption: (.*)", tree) for tree in trees]
    assert captions[:3] == [[], ["To train"], ["To write"]]
    assert captions[-1] == ["Reference"]
    named = [line for tree in trees for line in tree.splitlines() if line and line[0] != ":"]
    assert len(named) == len(set(named))
    pages = {page.stem for page in PAGES if page.parent.name == "docs"} - {"README"}
    assert pages <= set(named)
    assert named[0] == "../README"


def test_what_pages_lead_to_is_gathered_and_nothing_else(website, tmp_path):
    root, into = tmp_path / "root", tmp_path / "site"
    for name in ("docs/pictures/a.png", "docs/unnamed.md", "LICENSE", "outside.md"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    (root / "docs/README.md").write_text("[a](a.md#b), [](https://a.md), [back](../../back.md)\n")
    (root / "docs/a.md").write_text('# B\n<img src="pictures/a.png">\n[l](../LICENSE)\n[c](#b)\n')
    (tmp_path / "back.md").write_bytes(b"")
    website("pages").gather(root / "docs/README.md", root, into)
    gathered = {str(path.relative_to(into)) for path in into.rglob("*") if path.is_file()}
    assert gathered == {"docs/README.md", "docs/a.md", "docs/pictures/a.png", "LICENSE"}


def test_a_docstring_in_markdown_becomes_restructured_text(website):
    links = {"GAN": "kgan.GAN"}
    lines = [
        "2**N images of a `GAN`, `a * b` of `Kind`s; |w|, g_ and r1_gamma.",
        "",
        "    gan.fit(*data)",
        "",
        "    gan.save()",
        "",
        "More.",
        "",
        "Args:",
        "    *names: of `GAN`s.",
        "",
        "        Further.",
    ]
    assert website("docstrings").restructured(lines, links.get) == [
        r"2\*\*N images of a :py:obj:`GAN <kgan.GAN>`, ``a * b`` of ``Kind``\ s; \|w\|, g\_ and "
        "r1_gamma.",
        "",
        ".. code-block:: python",
        "",
        "    gan.fit(*data)",
        "",
        "    gan.save()",
        "",
        "More.",
        "",
        "Args:",
        r"    \*names: of :py:obj:`GAN <kgan.GAN>`\ s.",
        "",
        "        Further.",
    ]


@pytest.mark.parametrize(
    ("code", "scope", "target"),
    [
        ("kgan.GAN", "kgan.data", "kgan.GAN"),
        ("kgan.GAN.fitt", "kgan.data", "kgan.GAN.fitt"),  # Sphinx complains: it is not there
        ("kgan.untrusted", "kgan.runtime.Generator", None),  # there, but not public
        ("GAN", "kgan.load_gan", "kgan.GAN"),
        ("compile", "kgan.GAN.from_preset", "kgan.GAN.compile"),
        ("Figure", "kgan.metrics.Evaluation.to_json", "kgan.metrics.Figure"),
        ("Figure", "kgan.data", None),
        ("images", "kgan.data.pack", None),  # an argument rather than kgan.images
        ("a * b", "kgan", None),
    ],
)
def test_code_in_a_docstring_leads_to_what_it_names(website, code, scope, target):
    assert website("public_face").target_of(code, scope) == target


def test_every_public_object_has_one_entry(website):
    pages = website("python_reference").pages()
    entries = re.findall(r"^\.\. auto(?:class|function):: (\S+)", "\n".join(pages.values()), re.M)
    assert len(entries) == len(set(entries))
    documented = []
    for entry in entries:
        module, _, name = entry.rpartition(".")
        documented.append(id(getattr(importlib.import_module(module), name)))
    rooms = [name for name in kgan.__all__ if hasattr(getattr(kgan, name), "__path__")]
    assert len(rooms) >= 9
    for module in (kgan, *(getattr(kgan, name) for name in rooms)):
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value):
                assert id(value) in documented, (module, name)


def test_every_option_of_every_command_is_in_the_reference(website):
    """Compared with argparse's own help."""
    reference = website("command_reference")
    text = "\n".join(reference.pages().values())
    parsers = leaves(make_parser(), reference.commands_of)
    assert len(parsers) >= 20
    for parser in parsers:
        section = text.split(f"\n.. program:: {parser.prog}\n")[1].split("\n.. program:: ")[0]
        helped = parser.format_help()
        options = set(re.findall(r"^  (?:-\w.*, )?(--[\w-]+)", helped, re.M)) - {"--help"}
        assert options
        found = {
            name
            for line in re.findall(r"^\.\. option:: (.*)$", section, re.M)
            for name in re.findall(r"--[\w-]+", line.partition(" {")[0])
        }
        assert options == found, parser.prog


def test_every_argument_of_every_command_has_a_text(website):
    commands_of = website("command_reference").commands_of
    for parser in leaves(make_parser(), commands_of):
        for action in parser._actions:
            assert action.help, (parser.prog, action.dest)


def test_the_citation_is_of_this_version():
    text = Path(ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.*)$", text, re.M) == [kgan.__version__]
    assert re.findall(r"^license: (.*)$", text, re.M) == ["Apache-2.0"]
