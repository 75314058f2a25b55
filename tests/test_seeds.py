"""The test vectors of docs/seeds.json: kgan's, and those of programs that know nothing of numpy."""

import hashlib
import json
import shutil
import subprocess
from importlib import import_module

import numpy as np
import pytest
from PIL import Image

from tests.documents import ROOT

FILE = json.loads((ROOT / "docs/seeds.json").read_text(encoding="utf-8"))
VECTORS = FILE["vectors"]
SEEDS = [str(vector["seed"]) for vector in VECTORS]
JAVASCRIPT = ROOT / "kgan/export/web/latents.js"
# Each prints the bits of a latent of 100 a line, the normal one and the uniform one of every seed.
NODE = """
import { fromSeed } from "./latents.mjs";
for (const seed of process.argv.slice(2)) {
  for (const law of ["normal", "uniform"]) {
    console.log(new Uint32Array(fromSeed(Number(seed), 100, law).buffer).join(" "));
  }
}
"""
C = r"""
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "latents.h"
int main(int count, char **words) {
    for (int line = 0; line < 2 * (count - 1); line++) {
        float latent[100];
        uint32_t bits[100];
        (line % 2 ? kgan_uniform : kgan_normal)(strtoull(words[1 + line / 2], 0, 10), latent, 100);
        memcpy(bits, latent, sizeof bits);
        for (int i = 0; i < 100; i++) printf("%" PRIu32 " ", bits[i]);
        puts("");
    }
}
"""


def said(*command, place):
    """What a program prints; it is skipped where it is not installed."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    words = list(map(str, command))
    return subprocess.run(words, cwd=place, check=True, capture_output=True, text=True).stdout


def in_node(place, law):
    (place / "latents.mjs").write_text(law, encoding="utf-8")
    (place / "print.mjs").write_text(NODE, encoding="utf-8")
    return said("node", "print.mjs", *SEEDS, place=place)


def in_c(place):
    (place / "print.c").write_text(C, encoding="utf-8")
    strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-I", ROOT / "docs/apps"]
    said("cc", *strict, "print.c", "-lm", "-o", "print", place=place)
    return said(place / "print", *SEEDS, place=place)


def problems(printed):
    """The seeds whose latents are not those of the file."""
    bits = [np.array(line.split(), np.uint32) for line in printed.splitlines()]
    floats = [each.astype("<u4").view("<f4") for each in bits]
    assert len(floats) == 2 * len(VECTORS)
    wrong = []
    for vector, normal, uniform in zip(VECTORS, floats[::2], floats[1::2], strict=True):
        right = (
            normal[:8].tolist() == vector["normal"] and uniform[:8].tolist() == vector["uniform"]
        )
        digest = hashlib.sha256(normal.tobytes()).hexdigest()
        wrong += [] if right and digest == vector["normal_sha256"] else [vector["seed"]]
    return wrong


def test_the_vectors_are_kgans(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    made, pictures = import_module("make_seed_vectors").vectors()
    sheet = np.asarray(Image.open(ROOT / "docs/pictures/seeds.png"))
    kept = np.split(sheet, len(VECTORS), axis=1)
    assert FILE["model_sha256"] == hashlib.sha256((ROOT / FILE["model"]).read_bytes()).hexdigest()
    for vector, again, picture, shown in zip(VECTORS, made, pictures, kept, strict=True):
        assert hashlib.sha256(shown.tobytes()).hexdigest() == vector["picture_sha256"]
        # On another processor a level may be rounded to its neighbour.
        assert np.abs(picture[..., 0].astype(int) - shown).max() <= 1
        assert {**vector, "picture_sha256": ""} == {**again, "picture_sha256": ""}


def test_javascript_gives_the_vectors_and_each_of_its_ways_is_among_them(tmp_path):
    law = JAVASCRIPT.read_text(encoding="utf-8")
    assert problems(in_node(tmp_path, law)) == []
    for right, wrong in (
        ("++this.counter", "this.counter++"),
        ("Math.floor(seed / 2 ** 32)", "0"),
        ("Math.round(((layer", "Math.floor(((layer"),
        ("inside[1] = 0;", ""),
        ("((size >>> 8) & 1 ? -1 : 1)", "1"),
        ("f32(height + height) > f32(beyond * beyond)", "true"),
        (") + heights[layer]) < density(x)", ") + heights[layer]) < 1"),
        ("return Number(word & 0xffffffffn)", "return Number(word >> 32n)"),
    ):
        assert law.count(right) == 1, right
        assert problems(in_node(tmp_path, law.replace(right, wrong))) != [], right


def test_the_program_in_c_gives_the_vectors(tmp_path):
    assert problems(in_c(tmp_path)) == []
