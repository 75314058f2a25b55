"""Makes `keras.models.load_model` find kgan's classes, whichever was imported first.

Keras finds a saved class by a name that must be registered before. Importing the classes
imports TensorFlow, which `import kgan` must not do: so small stand-ins are registered, as
soon as keras is there, and import the real class when one is loaded.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from kgan.installed import import_part

# Public class -> the module that registers it. Every class inside one of these registers with it.
CLASSES = {"GAN": "kgan.training", "Autoencoder": "kgan.training"} | dict.fromkeys(
    (
        "DCGANGenerator",
        "DCGANDiscriminator",
        "DCGAN512Generator",
        "DCGAN512Discriminator",
        "DCGANK4Generator",
        "DCGANK4Discriminator",
        "FastGANGenerator",
        "FastGANDiscriminator",
        "DCGANTanhGenerator",
        "DCGANTanhDiscriminator",
        "DCGANUpsampleGenerator",
        "DCGANUpsampleDiscriminator",
        "MLPGenerator",
        "MLPDiscriminator",
        "ProjectedDiscriminator",
        "R3GANGenerator",
        "R3GANDiscriminator",
        "SAGANGenerator",
        "SAGANDiscriminator",
        "LinearEncoder",
        "LinearDecoder",
        "ConvEncoder",
        "ConvDecoder",
        "LatentEncoder",
    ),
    "kgan.models",
)


def register_with_keras() -> None:
    """Registers the stand-ins now if keras is imported, else when it will be."""
    if "keras" in sys.modules and not getattr(
        sys.modules["keras"].__spec__, "_initializing", False
    ):
        _register()
    else:
        sys.meta_path.insert(0, _AfterKeras())


def _register() -> None:
    saving = sys.modules["keras"].saving
    for name, module in CLASSES.items():
        if saving.get_registered_object(f"kgan>{name}") is None:
            saving.register_keras_serializable("kgan", name)(_stand_in(name, module))


def _stand_in(name: str, module: str) -> type:
    def from_config(config: dict[str, Any], *arguments: Any) -> Any:
        # Importing the real class registers it in the stand-in's place.
        real = getattr(import_part(module, f"kgan's {name}"), name)
        return real.from_config(config, *arguments)

    def get_config(self: Any) -> dict[str, Any]:  # Keras asks for one; nothing calls it
        raise TypeError(f"This stands for kgan's {name} and is never made.")

    return type(name, (), {"from_config": staticmethod(from_config), "get_config": get_config})


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Registers when the import of keras has ended; finds nothing itself."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "keras":
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)  # some lack it
            spec = None if find is None else find(fullname, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, self)
                return spec
        return None


class _Loader(importlib.abc.Loader):
    """Loads as another loader does, then registers."""

    def __init__(self, loader: importlib.abc.Loader, finder: _AfterKeras) -> None:
        self.loader = loader
        self.finder = finder

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self.loader  # readers of resources ask it
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        sys.meta_path.remove(self.finder)
        _register()
