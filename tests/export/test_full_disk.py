"""Exports into file systems that are really full, of bytes or of inodes: one line, nothing left."""

import numpy as np
import pytest

import kgan
from kgan.export.web_runtime import FILES
from tests.runs.test_full_disk import can_mount, python

# In a mount namespace of its own.
SCRIPT = """
import contextlib, io, subprocess, sys
from pathlib import Path
from kgan.cli.main import main

place = Path(sys.argv[1])
disk = place / "disk"
disk.mkdir()


def run(*arguments):
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main([str(argument) for argument in arguments])
    return code, said.getvalue().strip().splitlines()


def check(name, options, *arguments):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=True)
    code, lines = run(*arguments)
    left = list(disk.rglob("*"))
    subprocess.run(["umount", disk], check=True)
    assert (code, len(lines), left) == (1, 1, []), (name, options, code, lines, left)
    assert lines[0].startswith("kgan: error: Cannot write "), lines
    assert f"there (No space left on device): {disk}" in lines[0], lines
    print("passed:", name, options, flush=True)


model = place / "tiny.keras"
whole = ["--saved-model", "--onnx", "--tflite"]
code, lines = run("export", model, "--out", place / "exports", "--name", "first", *whole)
assert code == 0, lines
for form in whole:
    for options in ("size=24k", "size=4m,nr_inodes=5"):
        check(form, options, "export", model, "--out", disk / "exports", form)
# The last of its files: all forms are there by then.
size = sum(path.stat().st_size for path in (place / "exports").rglob("*") if path.is_file())
check("last", f"size={size}", "export", model, "--out", disk / "exports", *whole)
page = ["export", place / "exports" / "first", "--web-runtime", place / "runtime"]
for options in ("size=64k", "size=64m,nr_inodes=5", "size=64m,nr_inodes=12"):
    check("page", options, *page, "--web", disk / "page")
for options in ("size=4k", "size=4m,nr_inodes=3"):
    check("pack", options, "data", "pack", place / "photos", "-o", disk / "shards")
    drawn = ["generate", place / "exports" / "first", "-n", "40"]
    check("separate", options, *drawn, "--separate", disk / "drawn")
"""


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_nothing_is_left(trained_gan, tmp_path):
    if not can_mount(tmp_path):
        pytest.skip("needs leave to mount a tmpfs")
    trained_gan.save(tmp_path / "tiny.keras")
    noise = np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3), np.uint8)
    for number, image in enumerate(noise):
        kgan.images.save_png(tmp_path / "photos" / f"{number}.png", image)
    package = tmp_path / "runtime"
    for path in FILES.values():
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_bytes(noise.tobytes())
    (package / "package.json").write_text('{"name": "onnxruntime-web", "version": "9.8.7"}')
    done = python(SCRIPT, tmp_path, before=["unshare", "-rm"])
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(done.stdout.splitlines()) == 14
