"""Makes networks.zip: the MNIST tour's networks, small, as Keras 2 saved them.

To be run with tensorflow 2.15 and its keras: pip install tensorflow-cpu==2.15.*
"""

import pathlib
import tempfile
import zipfile

import keras
import numpy as np

L = keras.layers
FILTERS, SIDE, LATENT_DIM = 2, 16, 8


def networks():
    base = SIDE // 4
    generator = keras.Sequential(
        [
            L.Dense(16 * FILTERS, input_dim=LATENT_DIM),
            L.Activation("tanh"),
            L.Dense(base * base * 2 * FILTERS),
            L.BatchNormalization(),
            L.Activation("tanh"),
            L.Reshape((base, base, 2 * FILTERS)),
            L.UpSampling2D((2, 2)),
            L.Conv2D(FILTERS, (5, 5), padding="same"),
            L.Activation("tanh"),
            L.UpSampling2D((2, 2)),
            L.Conv2D(1, (5, 5), padding="same"),
            L.Activation("tanh"),
        ]
    )
    discriminator = keras.Sequential(
        [
            L.Conv2D(FILTERS, (5, 5), padding="same", input_shape=(SIDE, SIDE, 1)),
            L.Activation("tanh"),
            L.MaxPooling2D((2, 2)),
            L.Conv2D(2 * FILTERS, (5, 5)),
            L.Activation("tanh"),
            L.MaxPooling2D((2, 2)),
            L.Flatten(),
            L.Dense(16 * FILTERS),
            L.Activation("tanh"),
            L.Dense(1),
            L.Activation("sigmoid"),
        ]
    )
    return generator, discriminator


def main():
    keras.utils.set_random_seed(1)
    generator, discriminator = networks()
    random = np.random.default_rng(0)
    for variable in generator.variables:
        if "moving_variance" in variable.name:
            variable.assign(random.uniform(0.5, 2, variable.shape))
        elif "moving_mean" in variable.name or "beta" in variable.name:
            variable.assign(random.normal(0, 0.3, variable.shape))
    latents = random.normal(size=(3, LATENT_DIM)).astype("float32")
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        generator.save(place / "generator.h5")
        generator.save(place / "saved_model", save_format="tf")
        # As the tour kept them: weights alone, no suffix.
        for network, role in ((generator, "generator"), (discriminator, "discriminator")):
            network.save_weights(place / "weights.h5")
            (place / "weights.h5").rename(place / role)
        images = generator.predict(latents, verbose=0)
        np.savez(place / "expected.npz", latents=latents, images=images)
        target = pathlib.Path(__file__).with_name("networks.zip")
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(place.rglob("*")):
                archive.write(path, path.relative_to(place))


if __name__ == "__main__":
    main()
