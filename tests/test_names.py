"""Names in any encoding and under any locale: the same text, without a surrogate."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kgan
from kgan import labels
from kgan.files import printable
from kgan.names import as_name, path_of_text, readable, text_of_path

PACKAGE = Path(kgan.__file__).parent
COMPOSED, DECOMPOSED = "\u304c caf\u00e9", "\u304b\u3099 cafe\u0301"


def test_bytes_that_are_no_utf8_become_escapes_and_others_their_characters():
    assert readable("caf\udce9 \udce7\udc8c\udcab") == "caf\\xe9 \u732b"
    assert readable("\ud83d") == "\\ud83d"  # half a character, as JSON can hold it
    assert as_name(DECOMPOSED) == COMPOSED
    assert printable("a\nb\udce9\x1b") == "a\\nb\\xe9\\x1b"


@pytest.mark.skipif(os.name != "posix", reason="names that are no UTF-8 are a matter of POSIX")
@pytest.mark.parametrize(
    "name", [b"caf\xe9", "\u732b".encode(), b"a\\xe9", b"\x82\xa0.png", b"n\nl"]
)
def test_a_path_comes_back_from_its_text(tmp_path, name):
    os.mkdir(os.path.join(os.fsencode(tmp_path), name))
    (path,) = tmp_path.iterdir()
    text = text_of_path(path)
    text.encode()
    assert os.fsencode(path_of_text(text)) == os.fsencode(path)


CODE = """
import os, sys
from kgan.names import name_of, path_of_text
names = [name_of(os.listdir(".")[0]), name_of(sys.argv[1])]
print(ascii([*names, os.path.exists(path_of_text(names[0]))]))
"""


@pytest.mark.skipif(os.name != "posix", reason="locales of POSIX")
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_names_are_the_same_under_any_locale(tmp_path, locale):
    (tmp_path / "\u732b").mkdir()
    environment = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": locale}
    done = subprocess.run(
        [sys.executable, "-c", CODE, "\u732b".encode()],
        env=os.environ | environment | {"PYTHONPATH": str(PACKAGE.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[0] == ascii(["\u732b", "\u732b", True])


def test_a_class_is_found_by_its_name_composed_decomposed_or_as_printed():
    names = ["caf\\xe9", COMPOSED, "a\nb"]
    assert labels.check_class_names(["caf\udce9", DECOMPOSED, "a\nb"], 3) == names
    for typed, label in (
        ("caf\udce9", 0),
        ("caf\\xe9", 0),
        (DECOMPOSED, 1),
        (COMPOSED, 1),
        (COMPOSED.encode("ascii", "backslashreplace").decode(), 1),
        ("a\nb", 2),
        ("a\\nb", 2),
    ):
        assert labels.index_of(typed, names, 3) == label


def test_a_model_and_its_config_hold_clean_names():
    names = ["caf\udce9", DECOMPOSED]
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 1), filters=1, class_names=names)
    assert gan.class_names == ["caf\\xe9", COMPOSED]
    json.dumps(gan.get_config()["class_names"], ensure_ascii=False).encode()


def _text_opened_in_the_locales_encoding(tree):
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or any(key.arg == "encoding" for key in node.keywords):
            continue
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        modes = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        # A method; kgan.reading's function of that name takes UTF-8 by itself.
        if name in ("read_text", "write_text") and isinstance(node.func, ast.Attribute):
            yield node.lineno
        elif name == "open" and {"r", "w", "a", "x"} & set(modes):
            yield node.lineno


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_files_are_in_utf8_whatever_the_locale(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert list(_text_opened_in_the_locales_encoding(tree)) == []
