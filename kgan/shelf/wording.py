"""Words and figures for people."""

from __future__ import annotations

from collections.abc import Mapping

from kgan.manifest import Manifest


def size(count: int) -> str:
    """A number of bytes in words."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} bytes"


def parity(report: Mapping[str, float]) -> str:
    """One form's measured differences from Keras, in words."""
    words = []
    if "float_max_abs_difference" in report:
        words.append(f"floats within {report['float_max_abs_difference']:.2g} of Keras")
    if "uint8_max_levels" in report:
        words.append(f"uint8 images within {report['uint8_max_levels']:.0f} level(s)")
    return ", ".join(words)


def image_size(manifest: Manifest) -> str:
    """The shape of an image, or of what else is given, in a checked manifest, as HxWxC."""
    half = manifest["decoder"] if manifest.get("kind") == "autoencoder" else manifest
    side = "input" if manifest.get("kind") == "probe" else "output"
    return "x".join(map(str, half[side]["shape"][1:]))


def kind(manifest: Manifest) -> str:
    """What a checked manifest is of, such as "a generator of 28x28x1 pictures"."""
    name = manifest.get("kind", "generator")
    if name == "network":
        return f"a network of {image_size(manifest)} outputs"
    return f"{a_kind(name)} of {image_size(manifest)} pictures"


def a_kind(name: str) -> str:
    """A kind with its article, such as "a generator"."""
    return f"{'an' if name == 'autoencoder' else 'a'} {name}"
