"""Wrote small/, an export in int8 of when each precision was a version of its own.

Run at commit 1b2bc2d, before there was a `model.int8.onnx`; a newer kgan writes something else.
card.md and samples.png of it are left out.
"""

from pathlib import Path

import keras

import kgan

keras.utils.set_random_seed(0)
gan = kgan.GAN.from_preset("dcgan_upsample", image_shape=(16, 16, 3), filters=8, seed=0)
made = kgan.export.to_onnx(gan, Path(__file__).parent / "small", precision="int8")
for name in ("card.md", "samples.png"):
    (made.path / name).unlink()
