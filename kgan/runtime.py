"""Runs exported generators and autoencoders with onnxruntime; tensorflow is never imported.

generator = kgan.runtime.Generator("saved_models/photos")
generator.generate(16, seed=0)
autoencoder = kgan.runtime.Autoencoder("saved_models/codes")
autoencoder.reconstruct(pictures)
"""

import numpy as np

from kgan import images as pictures
from kgan import labels as label_law
from kgan import latents as latent_law
from kgan import manifest
from kgan.errors import InputError
from kgan.untrusted import checked_session


class Generator:
    """An exported generator, run by onnxruntime on the CPU.

    Args:
        path: an .onnx file of kgan's, an export's VERSION directory, or its
            NAME directory or NAME/latest, which stand for the highest version.

    Attributes:
        info: the export's manifest, a dict.
        num_classes, class_names: of a conditional generator; else None.
        path: the .onnx file in use.

    Raises:
        InputError: nothing there, not an ONNX model, one without kgan's manifest, or one that
            breaks its contract or asks for more than any export does (`kgan.untrusted`).
    """

    def __init__(self, path):
        self.path = manifest.find_onnx(path)
        if self.path is None:
            raise InputError(
                "Not an export: expected an .onnx file, or a directory with manifest.json and "
                f"model.onnx. Received: {path}"
            )
        self.session, self.info = checked_session(self.path)
        if self.info.get("kind", "generator") != "generator":
            raise InputError(f"Half of an autoencoder draws nothing from seeds. Received: {path}")
        classes = self.info.get("labels", {})
        self.num_classes = classes.get("num_classes")
        self.class_names = classes.get("class_names")

    def generate(self, n, seed=0, labels=None, batch_size=64):
        """Makes pictures; picture i has the seed `seed + i`.

        Args:
            n: number of pictures, at least 1.
            seed: int >= 0, the first picture's seed.
            labels: of a conditional generator, one class for all or n of them;
                None for each picture's seed modulo the number of classes.
            batch_size: pictures made at a time; it does not change them.

        Returns:
            uint8 array (n, H, W, C).

        Raises:
            InputError: `n` or `batch_size` below 1, a negative seed, or labels
                that do not fit.
        """
        if n < 1 or batch_size < 1:
            raise InputError(
                f"n and batch_size must be at least 1. Received: n={n}, batch_size={batch_size}"
            )
        law = self.info["latents"]
        seed = latent_law.check_seed(seed)
        seeds = range(seed, seed + n)
        if labels is None and self.num_classes is not None:
            labels = label_law.from_seeds(seeds, self.num_classes)
        if labels is not None:
            labels = label_law.check_labels(labels, n, self.num_classes)
        made = []
        for start in range(0, n, batch_size):
            rows = slice(start, start + batch_size)
            latents = latent_law.from_seeds(seeds[rows], law["dim"], law["distribution"])
            made.append(self.from_latents(latents, None if labels is None else labels[rows]))
        return np.concatenate(made)

    def from_latents(self, latents, labels=None):
        """The pictures of the given latents.

        Args:
            latents: float array (N, latent_dim).
            labels: of a conditional generator, one class for all or N of them.

        Returns:
            uint8 array (N, H, W, C).

        Raises:
            InputError: another shape, or labels that do not fit.
        """
        latents = np.asarray(latents, np.float32)
        dim = self.info["latents"]["dim"]
        if latents.ndim != 2 or latents.shape[1] != dim:
            raise InputError(f"latents must have the shape (N, {dim}). Received: {latents.shape}")
        inputs = {"latents": latents}
        if labels is not None:
            inputs["labels"] = label_law.check_labels(labels, len(latents), self.num_classes)
        elif self.num_classes is not None:
            raise InputError(
                f"This generator has {self.num_classes} classes: give labels. Received: None"
            )
        return _levels(self.session.run(["images"], inputs)[0], self.info["output"])

    def grid(self, n=64, seed=0):
        """One sheet of `n` pictures, a uint8 array (H, W, C)."""
        return pictures.grid(self.generate(n, seed))


class Autoencoder:
    """An exported autoencoder, its two halves run by onnxruntime on the CPU.

    Args:
        path: an export's VERSION directory with encoder.onnx and decoder.onnx,
            or its NAME directory or NAME/latest, which stand for the highest version.

    Attributes:
        info: the export's manifest, a dict.
        image_shape: (H, W, C).
        code_shape: shape of one code.
        path: the VERSION directory in use.

    Raises:
        InputError: nothing there, not the halves of one of kgan's autoencoders, or
            files that break their contract (`kgan.untrusted`).
    """

    def __init__(self, path):
        self.path = manifest.find_autoencoder(path)
        if self.path is None:
            raise InputError(
                "Not an autoencoder's export: expected a directory with manifest.json, "
                f"encoder.onnx and decoder.onnx. Received: {path}"
            )
        opened = {half: checked_session(self.path / f"{half}.onnx") for half in manifest.HALVES}
        for half, (_, info) in opened.items():
            if info.get("half") != half:
                raise InputError(
                    f"Not the {half} of an autoencoder: {self.path / half}.onnx. "
                    f"Received: {info.get('half', info.get('kind'))}"
                )
        (self.encoder, _), (self.decoder, self.info) = opened.values()
        self.image_shape = tuple(self.info["encoder"]["input"]["shape"][1:])
        self.code_shape = tuple(self.info["encoder"]["output"]["shape"][1:])

    def encode(self, images, batch_size=64):
        """The codes of pictures.

        Args:
            images: uint8 array (N, H, W, C).
            batch_size: pictures at a time; it does not change them.

        Returns:
            float32 array (N, ...).

        Raises:
            InputError: another type or shape, or `batch_size` below 1.
        """
        images = pictures.check_levels(images, self.image_shape)
        return _run(self.encoder, "images", images, "codes", batch_size)

    def decode(self, codes, batch_size=64):
        """The pictures of codes.

        Args:
            codes: float array (N, ...), as `encode` gives them.
            batch_size: pictures at a time; it does not change them.

        Returns:
            uint8 array (N, H, W, C).

        Raises:
            InputError: another type or shape, or `batch_size` below 1.
        """
        codes = np.asarray(codes)
        if not np.issubdtype(codes.dtype, np.number) or codes.shape[1:] != self.code_shape:
            raise InputError(
                f"Codes must be numbers (N, {', '.join(map(str, self.code_shape))}). "
                f"Received: {codes.dtype} {codes.shape}"
            )
        images = _run(self.decoder, "codes", codes.astype(np.float32), "images", batch_size)
        return _levels(images, self.info["decoder"]["output"])

    def reconstruct(self, images, batch_size=64):
        """What comes back of pictures: `decode(encode(images))`, uint8 (N, H, W, C)."""
        return self.decode(self.encode(images, batch_size), batch_size)


def _run(session, given, array, asked, batch_size):
    """One named array through a session, some rows at a time."""
    if not len(array) or batch_size < 1:
        raise InputError(
            f"There must be at least one of the {given}, and of batch_size. "
            f"Received: {len(array)} {given}, batch_size={batch_size}"
        )
    return np.concatenate(
        [
            session.run([asked], {given: array[start : start + batch_size]})[0]
            for start in range(0, len(array), batch_size)
        ]
    )


def _levels(images, output):
    """A model's images as uint8, whichever of the two it gives."""
    return images if images.dtype == np.uint8 else pictures.to_uint8(images, output["value_range"])
