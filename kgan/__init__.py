"""kgan: train GANs with Keras and deliver the generator as a file any application can run."""

import os
from typing import TYPE_CHECKING, Any

from kgan.installed import import_part
from kgan.registration import register_with_keras
from kgan.version import __version__

if TYPE_CHECKING:
    from kgan import (
        callbacks,
        data,
        explore,
        export,
        images,
        latents,
        layers,
        losses,
        metrics,
        models,
        runs,
        runtime,
        shelf,
    )
    from kgan.attributes import Attributes
    from kgan.errors import InputError, KganError
    from kgan.runs import load_autoencoder, load_gan
    from kgan.training import GAN, Autoencoder

# Public name -> the module that has it; imported on first use, so that `import kgan`
# costs nothing and `kgan.runtime` never meets tensorflow.
_LAZY = {
    "GAN": "kgan.training",
    "Attributes": "kgan.attributes",
    "Autoencoder": "kgan.training",
    "InputError": "kgan.errors",
    "KganError": "kgan.errors",
    "callbacks": "kgan.callbacks",
    "data": "kgan.data",
    "explore": "kgan.explore",
    "export": "kgan.export",
    "images": "kgan.images",
    "latents": "kgan.latents",
    "layers": "kgan.layers",
    "load_autoencoder": "kgan.runs",
    "load_gan": "kgan.runs",
    "losses": "kgan.losses",
    "metrics": "kgan.metrics",
    "models": "kgan.models",
    "runs": "kgan.runs",
    "runtime": "kgan.runtime",
    "shelf": "kgan.shelf",
}
__all__ = [  # noqa: RUF022
    "__version__",
    "GAN",
    "Attributes",
    "Autoencoder",
    "InputError",
    "KganError",
    "callbacks",
    "data",
    "explore",
    "export",
    "images",
    "latents",
    "layers",
    "load_autoencoder",
    "load_gan",
    "losses",
    "metrics",
    "models",
    "runs",
    "runtime",
    "shelf",
]


if not TYPE_CHECKING:  # a type checker knows the names above, and no others

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module 'kgan' has no attribute {name!r}")
        module = import_part(_LAZY[name], f"kgan.{name}")
        # A class lives in its module; a module is itself the public name.
        value = module if module.__name__.rpartition(".")[2] == name else getattr(module, name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)


register_with_keras()
# From 1.32 on onnxruntime writes a device id and a record of its use into the user's cache, and
# sends them, unless this is set before it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
