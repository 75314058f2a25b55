"""`Subject`: a trained model as the experiments see it, whatever it was opened from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kgan import labels as label_law
from kgan import latents as latent_law
from kgan.channels import PICTURES, PICTURES_IN_WORDS
from kgan.directions import DIRECTIONS_FILE, Direction, of_manifest, read_directions
from kgan.errors import InputError
from kgan.files import printable

if TYPE_CHECKING:  # an export is looked into without tensorflow
    import keras

    from kgan.attributes import Attributes
    from kgan.training import GAN


class Subject:
    """A model that is looked into: it draws, and has its networks where they are there.

    Args:
        model: a `kgan.GAN`, a `kgan.runtime.Generator`, an autoencoder of either kind, or any
            Keras network that takes images.
        open_gan: for an exported generator, a function that loads the Keras GAN it was made from;
            None where that is not at hand.
        name: what messages call it: its path, as the user gave it.
        place: the folder where things of this model are kept, as `directions.json` is; None for
            a model in memory.
        prefix: what the names of files kept there begin with.

    Attributes:
        image_shape: (H, W, C).
        latent_dim, latent_distribution: of its latents; None where it has none.
        num_classes, class_names: of a model of classes; None for any other.
        attributes: of a model of attributes; None for any other.
        condition: `num_classes` or `attributes`; None for a model without labels.
    """

    def __init__(
        self,
        model: Any,
        open_gan: Callable[[], GAN] | None = None,
        name: str | Path = "the model",
        place: Path | None = None,
        prefix: str = "",
    ) -> None:
        self.model, self.name, self.place, self.prefix = model, name, place, prefix
        self._open_gan = open_gan
        self._gan: GAN | None = model if hasattr(model, "discriminator") else None
        self.is_autoencoder = hasattr(model, "encode")
        self.latent_dim: int | None = getattr(model, "latent_dim", None)
        self.latent_distribution: str | None = getattr(model, "latent_distribution", None)
        if hasattr(model, "from_latents"):  # an export
            drawn = model.info["latents"]
            self.latent_dim, self.latent_distribution = drawn["dim"], drawn["distribution"]
        self.attributes: Attributes | None = getattr(model, "attributes", None)
        self.num_classes: int | None = getattr(model, "num_classes", None)
        self.class_names: list[str] | None = getattr(model, "class_names", None)
        self.condition: label_law.Condition | None = self.attributes or self.num_classes
        shape = getattr(model, "image_shape", None) or _first_input(model)
        self.image_shape: tuple[int, ...] = tuple(shape)

    def generate(self, n: int, seed: int = 0, labels: npt.ArrayLike | None = None) -> np.ndarray:
        """Images uint8 (n, H, W, C), as the model's own `generate` makes them.

        Raises:
            InputError: it is no generator, or as that raises.
        """
        self._check_draws()
        return self.model.generate(n, seed=seed, labels=labels)

    def latents(self, seeds: Iterable[int]) -> np.ndarray:
        """The latents of seeds, float32 (N, latent_dim).

        Raises:
            InputError: it is no generator, or a seed is none.
        """
        self._check_draws()
        assert self.latent_dim is not None
        assert self.latent_distribution is not None
        return latent_law.from_seeds(seeds, self.latent_dim, self.latent_distribution)

    def labels_of(
        self, seeds: Iterable[int], labels: npt.ArrayLike | Mapping[str, Any] | None = None
    ) -> Any:
        """The labels that images of seeds are drawn with; None for a model without.

        Args:
            seeds: N of them.
            labels: one class for all, or N; of attributes what `Attributes.asked` takes. None for
                those that `generate` gives each seed.

        Returns:
            int64 array (N,), of k attributes float32 (N, k), or None.

        Raises:
            InputError: the labels do not fit.
        """
        seeds = list(seeds)
        if labels is not None:
            return label_law.check_labels(labels, len(seeds), self.condition, seeds)
        return None if self.condition is None else label_law.from_seeds(seeds, self.condition)

    def generator_inputs(self, seeds: Sequence[int]) -> list[np.ndarray]:
        """What the Keras generator takes for seeds: latents and, where it takes any, labels.

        Raises:
            InputError: as for `latents`.
        """
        labels = self.labels_of(seeds)
        if labels is None:
            return [self.latents(seeds)]
        return [self.latents(seeds), labels.astype(np.int32) if self.attributes is None else labels]

    def draw(self, latents: npt.ArrayLike, labels: npt.ArrayLike | None = None) -> np.ndarray:
        """The images of latents, by the weights that users see.

        Args:
            latents: float array (N, latent_dim).
            labels: of a conditional model, one class for all or N of them; of attributes rows.

        Returns:
            uint8 array (N, H, W, C).

        Raises:
            InputError: it is no generator, or latents or labels that do not fit.
        """
        self._check_draws()
        if self._gan is None:
            return self.model.from_latents(latents, labels)
        from kgan.training.generating import draw

        return draw(self._gan, np.asarray(latents, np.float32), labels)

    def check_pictures(self) -> None:
        """Refuses a model whose images are no pictures: what is drawn in them would not be seen.

        Raises:
            InputError: they have another number of channels than 1, 3 or 4.
        """
        if len(self.image_shape) == 3 and self.image_shape[-1] not in PICTURES:
            raise InputError(
                f"This is drawn in pictures, images of {PICTURES_IN_WORDS} channels. "
                f"Received: {printable(self.name)}, whose images have {self.image_shape[-1]}"
            )

    def judges_by(self) -> str | None:
        """The sha256 of the feature network that its discriminator is built on; None for none."""
        if self._gan is not None:
            return getattr(self._gan.discriminator, "features_sha256", None)
        info: dict[str, Any] = getattr(self.model, "info", {})  # of an export
        return info.get("training", {}).get("discriminator_features")

    def classes_of(self, names: Sequence[str]) -> list[int]:
        """The labels of classes that a user names, by name or number.

        Raises:
            InputError: the model has no classes, or no such one.
        """
        return [label_law.index_of(name, self.class_names, self.num_classes) for name in names]

    def directions(self) -> list[Direction]:
        """The named directions kept beside the model, or those in its export's manifest.

        Raises:
            InputError: it is no generator, or the file holds something else.
        """
        self._check_draws()
        assert self.latent_dim is not None
        if self.place is not None:
            file = self.place / f"{self.prefix}{DIRECTIONS_FILE}"
            if file.is_file():
                return read_directions(file, self.latent_dim)
        return of_manifest(getattr(self.model, "info", {}), self.latent_dim)

    def require_gan(self) -> GAN:
        """The Keras GAN, ready for inference: statistics calibrated.

        Raises:
            InputError: there is none at hand.
        """
        if self._gan is None and self._open_gan is not None:
            self._gan = self._open_gan()
        if self._gan is None:
            raise InputError(
                "This looks into the networks themselves: give the run, its .keras file, or an "
                f"export with a GAN's model.keras in its folder. Received: {printable(self.name)}"
            )
        self._gan.calibrate()
        return self._gan

    def require_discriminator(self) -> keras.Model:
        """The discriminator of the Keras GAN.

        Raises:
            InputError: there is none at hand.
        """
        return self.require_gan().discriminator

    def require_layer(self, name: str) -> tuple[keras.Model, keras.layers.Layer]:
        """(the network, its layer) of a layer's name, sought in D, then in G.

        Of a plain network, in that.

        Raises:
            InputError: no network is at hand, or none has such a layer.
        """
        networks = self.require_networks()
        for network in networks:
            for layer in network.layers:
                if layer.name == name:
                    return network, layer
        known = [layer.name for network in networks for layer in network.layers]
        raise InputError(
            f"No such layer. Known: {printable(', '.join(known), None)}. Received: {name!r}"
        )

    def require_networks(self) -> list[keras.Model]:
        """The Keras networks there are: [D, G as users see it], or the plain network.

        Raises:
            InputError: none is at hand.
        """
        if hasattr(self.model, "layers") and self._gan is None:
            parts = [getattr(self.model, role) for role in getattr(self.model, "roles", ())]
            return parts or [self.model]
        gan = self.require_gan()
        return [gan.discriminator, gan.inference_generator]

    def _check_draws(self) -> None:
        if self.latent_dim is None or not hasattr(self.model, "generate"):
            raise InputError(
                "This draws from seeds: give a GAN's run, .keras file or export. "
                f"Received: {printable(self.name)}"
            )


def _first_input(network: keras.Model) -> tuple[int, ...]:
    """The shape of what a network takes first, without the batch; empty where it does not say."""
    try:
        shapes = network.input_shape
    except AttributeError:  # a subclass of keras.Model that was never called on one shape
        return ()
    return tuple((shapes[0] if isinstance(shapes, list) else shapes)[1:])


def as_subject(model: Any) -> Subject:
    """A `Subject` as it is; a model in memory as one."""
    return model if isinstance(model, Subject) else Subject(model)
