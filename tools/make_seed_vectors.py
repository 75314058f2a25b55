#!/usr/bin/env python3
"""Makes docs/seeds.json and docs/pictures/seeds.png: what each program must draw of seeds.

tools/make_seed_vectors.py [--json FILE] [--picture FILE]

docs/seeds.md says what is in them.
"""

import argparse
import hashlib
import json
import platform
from pathlib import Path

import numpy as np
import onnxruntime

from kgan import images, labels, latents, runtime

ROOT = Path(__file__).parent.parent
MODEL = "saved_models/fashion_dcgan/1/model.onnx"
SHOWN = 8  # values of each latent
# Seed -> what it is there for, among its first 100 values.
SEEDS = {
    0: "the first; a value from the right tail",
    1: "the second",
    2: "layers' wedges, accepted and refused",
    51: "a value from the left tail",
    330: "one from the right tail at the second try",
    1574: "one from the left tail at the second try",
    269366: "a size that a layer's rounding decides, at the 42nd value",
    2**31: "more than a signed 32-bit number holds",
    2**32 - 1: "the last of 32 bits",
    2**32: "the first of two words",
    2**32 + 5: "two words",
    2**53 - 1: "the last that float64 holds with all before it",
}


def vectors(seeds=SEEDS):
    """(what each seed must give, their pictures uint8 (N, 28, 28, 1))."""
    generator = runtime.Generator(ROOT / MODEL)
    dim = generator.info["latents"]["dim"]
    pictures = generator.from_seeds(list(seeds))
    drawn = {law: latents.from_seeds(seeds, dim, law) for law in latents.DISTRIBUTIONS}
    classes = labels.from_seeds(list(seeds), generator.num_classes)
    return [
        {
            "seed": seed,
            "shows": shows,
            "key": hexadecimal(np.random.Philox(seed).state["state"]["key"]),
            "words": hexadecimal(np.random.Philox(seed).random_raw(4)),
            "normal": drawn["normal"][row, :SHOWN].tolist(),
            "normal_sha256": sha256(drawn["normal"][row].astype("<f4")),
            "uniform": drawn["uniform"][row, :SHOWN].tolist(),
            "label": int(classes[row]),
            "picture_sha256": sha256(pictures[row]),
        }
        for row, (seed, shows) in enumerate(seeds.items())
    ], pictures


def hexadecimal(words):
    """64-bit words as JSON's readers, whose numbers are often float64, keep them."""
    return [f"0x{int(word):016x}" for word in words]


def sha256(array):
    """Of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def main(arguments=None):
    """Writes both files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, default=ROOT / "docs/seeds.json")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs/pictures/seeds.png")
    places = parser.parse_args(arguments)
    made, pictures = vectors()
    found = {
        "law": "docs/seeds.md",
        "model": MODEL,
        "model_sha256": hashlib.sha256((ROOT / MODEL).read_bytes()).hexdigest(),
        "made_with": f"numpy {np.__version__}, onnxruntime {onnxruntime.__version__} on the CPU, "
        f"{platform.system()} {platform.machine()}",
        "latent_dim": runtime.Generator(ROOT / MODEL).info["latents"]["dim"],
        "vectors": made,
    }
    places.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    images.save_png(places.picture, np.concatenate(pictures, axis=1))
    print(places.json)
    print(places.picture)


if __name__ == "__main__":
    main()
