"""How the files here were made, by the commit before the rooms were rebuilt (ec675b5)."""

import shutil

import keras
import numpy as np
from keras import layers

import kgan
from kgan.cli.main import main

size = [
    "--filters",
    "2",
    "--latent-dim",
    "8",
    "--size",
    "16x16",
    "--batch-size",
    "16",
    "--augment",
    "flip",
]
assert (
    main(
        [
            "train",
            *size,
            "--steps",
            "12",
            "--conditional",
            "--ema-half-life-images",
            "64",
            "--seed",
            "5",
            "--name",
            "run",
            "--out",
            ".",
        ]
    )
    == 0
)
assert main(["export", "run", "--onnx", "--out", "exports", "--name", "clothes"]) == 0
gan = kgan.load_gan("run")
drawn = {"run": gan.generate(10, seed=3)}
shutil.copytree("run", "resumed")
assert main(["train", "--resume", "resumed", "--steps", "5"]) == 0
drawn["resumed"] = kgan.load_gan("resumed").generate(10, seed=3)
drawn["export"] = kgan.runtime.Generator("exports/clothes").generate(10, seed=3)
keras.utils.set_random_seed(0)
ae = kgan.Autoencoder.from_preset("autoencoder", image_shape=(12, 12, 1), latent_dim=4)
ae.compile()
ae.fit(
    kgan.data.embedded(batch_size=32, image_shape=(12, 12, 1), seed=0), steps_per_epoch=8, verbose=0
)
ae.save("autoencoder.keras")
shown = kgan.data.first_pictures(kgan.data.open_source(None, image_shape=(12, 12, 1)), 6)
drawn["shown"], drawn["reconstructed"] = shown, ae.reconstruct(shown)
g = keras.Sequential(
    [keras.Input((5,)), layers.Dense(8 * 8 * 1, activation="sigmoid"), layers.Reshape((8, 8, 1))]
)
d = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1)])
own = kgan.GAN(g, d, seed=1)
own.compile("hinge", d_steps=2)
own.fit(
    np.random.default_rng(0).random((64, 8, 8, 1), np.float32),
    batch_size=16,
    epochs=2,
    verbose=0,
    callbacks=[],
)
own.start_average(100)
own.fit(
    np.random.default_rng(0).random((64, 8, 8, 1), np.float32), batch_size=16, epochs=2, verbose=0
)
own.save("own.keras")
drawn["own"] = own.generate(6, seed=2)
np.savez_compressed("drawn.npz", **drawn)
