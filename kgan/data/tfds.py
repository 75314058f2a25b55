"""TensorFlow Datasets sets that have an `image` feature."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import tensorflow as tf

from kgan.channels import ALPHA
from kgan.data import decode
from kgan.data.order import block_of, shuffled
from kgan.data.sources import WORKERS, StreamSource
from kgan.errors import InputError
from kgan.files import first_line
from kgan.images import to_pil


class TFDSSource(StreamSource):
    """Images of a prepared set; its `label` is the class.

    Args:
        name, split: as tensorflow_datasets knows them.
        builder: the set's.
        count: images in the split.
        image_shape, fit, background: as for `kgan.data.open_source`.
        class_names: of its labels; None without labels.
    """

    def __init__(
        self,
        name: str,
        split: str,
        builder: Any,
        count: int,
        image_shape: decode.Shape,
        fit: decode.Fit,
        background: Any,
        class_names: list[str] | None,
    ) -> None:
        # What the set shows is unknown here, and digits and letters must not be flipped.
        description = f"tfds {name}, {count} pictures"
        super().__init__(description, image_shape, count, fit, background, False, (), class_names)
        self.set_name = name
        self.split = split
        self.builder = builder

    def origins(self) -> Any:
        return [self.builder.info.full_name, self.split, str(self.builder.data_path.resolve())]

    def contents(self) -> Any:
        return [self.builder.info.full_name, self.split]

    def name(self, index: int) -> str:
        return f"{self.set_name} {self.split} {index}"

    def encoded(self, key: tf.Tensor | None) -> tf.data.Dataset:
        import tensorflow_datasets as tfds

        still = {"image": tfds.decode.SkipDecoding()}
        examples = self.builder.as_dataset(self.split, decoders=still).enumerate()
        chosen = examples.map(
            lambda index, example: (
                index,
                example["image"],
                tf.cast(example["label"] if self.class_names else -1, tf.int32),
            )
        )
        if key is None:
            return chosen
        info = self.builder.info
        total = sum(split.num_examples for split in info.splits.values())
        return shuffled(chosen, block_of(self.count, info.dataset_size / total), key)

    def decoded(self, encoded: tf.data.Dataset) -> tf.data.Dataset:
        feature = self.builder.info.features["image"]

        def fit_one(image: Any) -> np.ndarray:
            return decode.fit_image(to_pil(image), self.image_shape, self.fit, self.background)

        def load(index: Any, data: Any, label: Any) -> Any:
            image = feature.decode_example(data)
            if image.shape != self.image_shape or self.image_shape[2] == ALPHA:
                image = tf.numpy_function(fit_one, (image,), tf.uint8)
            return tf.ensure_shape(image, self.image_shape), label

        return encoded.map(load, num_parallel_calls=WORKERS)


def open_set(
    name: str,
    split: str,
    manual_dir: str | os.PathLike[str] | None,
    download_dir: str | os.PathLike[str] | None,
) -> tuple[Any, int, list[str] | None]:
    """A prepared set; it is downloaded and prepared first if necessary.

    Args:
        name: its name there, such as "fashion_mnist".
        split: "train", "test" or another split of the set, also "train[:10%]".
        manual_dir: a folder with the set's own files, for sets that must be
            fetched by hand and for machines without network; None for none.
        download_dir: where downloads are kept; None for tensorflow_datasets' place.

    Returns:
        (builder, count, class names or None).

    Raises:
        InputError: no such set, split or feature, or it cannot be prepared.
    """
    import tensorflow_datasets as tfds  # seconds to import, and only needed here

    try:
        builder = tfds.builder(name)
    # A bad name, configuration or version; a set that needs a missing package.
    except (tfds.core.DatasetNotFoundError, ValueError, AssertionError, TypeError, ImportError):
        raise InputError(f"No such TensorFlow Datasets set. Received: {name!r}") from None
    features = dict(builder.info.features.items())
    image = features.get("image")
    if image is None or len(image.shape) != 3 or image.np_dtype != np.uint8:
        raise InputError(f"This set has no feature `image` of 8-bit pictures. Received: {name}")
    config = tfds.download.DownloadConfig(manual_dir=manual_dir)
    try:
        builder.download_and_prepare(download_dir=download_dir, download_config=config)
    except Exception as problem:
        raise InputError(
            f"Cannot download or prepare tfds:{name} ({first_line(problem)})"
        ) from problem
    try:
        count = builder.info.splits[split].num_examples
    except (KeyError, ValueError):
        raise InputError(
            f"{name} has no such split; it has {', '.join(builder.info.splits)}. Received: {split}"
        ) from None
    if count < 1:
        raise InputError(f"This split of {name} has no pictures. Received: {split}")
    label = features.get("label")
    names = label.names if isinstance(label, tfds.features.ClassLabel) else None
    return builder, count, names


def own_size(builder: Any) -> tuple[int, int] | None:
    """(height, width) of a set whose images all have one square shape, else None."""
    height, width = builder.info.features["image"].shape[:2]
    return (height, width) if height is not None and height == width else None
