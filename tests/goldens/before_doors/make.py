"""How the files here were made, by the commit before the presets' numbers were mended (f4d5877)."""

import keras
import numpy as np

import kgan

SMALL = {"dcgan_upsample": {"filters": 4, "latent_dim": 8}, "dcgan_tanh": {"filters": 2}}
drawn = {}
for name, sizes in SMALL.items():
    keras.utils.set_random_seed(0)
    gan = kgan.GAN.from_preset(name, image_shape=(16, 16, 1), seed=0, **sizes)
    gan.compile()
    images = kgan.data.embedded(batch_size=16, image_shape=(16, 16, 1), seed=0)
    gan.fit(images, steps_per_epoch=8, verbose=0)
    gan.save(f"{name}.keras")
    drawn[name] = gan.generate(4, seed=0)
keras.utils.set_random_seed(0)
model = kgan.Autoencoder.from_preset("conv_autoencoder", image_shape=(12, 12, 1), filters=8)
model.compile()
images = kgan.data.embedded(batch_size=32, image_shape=(12, 12, 1), seed=0)
model.fit(images, steps_per_epoch=8, verbose=0)
model.save("conv_autoencoder.keras")
source = kgan.data.open_source(None, image_shape=(12, 12, 1))
drawn["shown"] = kgan.data.first_images(source, 4)
drawn["conv_autoencoder"] = model.reconstruct(drawn["shown"])
np.savez_compressed("drawn.npz", **drawn)
