"""README.md shows what names hold, whatever Markdown, HTML or a shell would make of it."""

import html
import itertools
import re
import subprocess

import pytest
from markdown_it import MarkdownIt

from kgan.export.card import AUTOENCODER, GENERATOR, NETWORK, card
from tests.untrusted.tiny import promise

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "![a](https://example.com/x.png)",
    "a|b",
    "a\\|b",
    "`x`",
    "*a* _b_ __c__ ~~d~~",
    "&lt;b&gt; &amp;",
    "snake_case_name",
    "ends in \\",
    "\\<b>",
    "# heading",
    "<!-- a",
    "$a$",
]


def made(name="clothes", **more):
    """The card of a served generator."""
    inputs = {"latents": {}, "labels": {}}
    served = {"sample": {}, "serving_default": {"inputs": inputs}}
    return card(promise() | {"parity": {}, "name": name, "version": 1, "signatures": served} | more)


def rendered(markdown):
    """(HTML, the texts of its cells and of its heading)."""
    page = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown)
    parts = re.findall(r"<(td|th|h1)>(.*?)</\1>", page, re.DOTALL)
    return page, [html.unescape(text) for _, text in parts if not re.search("<(?!code)[a-z]", text)]


@pytest.mark.parametrize("code", [GENERATOR, NETWORK, AUTOENCODER])
def test_telemetry_is_off_before_onnxruntime_is_imported(code):
    assert code.index('os.environ["ORT_DISABLE_TELEMETRY"] = "1"') < code.index(
        "import onnxruntime"
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_and_html_are_shown_as_they_are(text):
    label = {"name": "labels", "dtype": "int64", "shape": ["batch"]}
    labels = label | {"num_classes": 1, "class_names": [text]}
    page, shown = rendered(made(text, licence=text, labels=labels, training={"data": text}))
    assert shown[0] == f"{text}, version 1"
    cells = dict(itertools.pairwise(shown))
    assert cells["licence"] == text
    assert cells["data"] == text
    assert any(cell.endswith(f": 0 {text}") for cell in shown)
    assert not re.search("<(script|a|em|strong|s|b|!--)[ >]", page)
    assert page.count("<img") == 1  # the samples


def test_a_name_with_line_ends_is_one_line():
    card_of = made(licence="a\n\n# b\x1b[31m\u202e")
    assert "| licence | a\\n\\n\\# b\\x1b\\[31m\\u202e |" in card_of.splitlines()


@pytest.mark.parametrize("name", ["$(touch hit)", "`touch hit`", "a;touch hit", "it's", "a b", "~"])
def test_a_shell_takes_names_as_they_are(tmp_path, name):
    script = made(name).split("```sh\n")[1].split("```")[0]
    said = 'tensorflow_model_server() { printf "%s\\n" "$@"; }; curl() { echo "$1"; }\n'
    done = subprocess.run(
        ["bash", "-c", said + script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    port, model_name, path, address = done.stdout.splitlines()
    assert (port, model_name) == ("--rest_api_port=8501", f"--model_name={name}")
    assert path == f"--model_base_path=/path/to/{name}"
    assert re.fullmatch(r"http://localhost:8501/v1/models/[\w%~-]+:predict", address)
    assert not list(tmp_path.iterdir())
