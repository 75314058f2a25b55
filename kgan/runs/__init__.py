"""Runs on disk: `runs/NAME/` with its options, samples, logs, checkpoints and model."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgan.runs.load import load_autoencoder, load_gan, load_model
    from kgan.runs.options import RunOptions
    from kgan.runs.result import RunResult
    from kgan.runs.run import Run
    from kgan.runs.start_from import options_like

# The command line reads the options to show its help: what imports tensorflow comes on first use.
_LAZY = {
    "Run": "kgan.runs.run",
    "RunOptions": "kgan.runs.options",
    "RunResult": "kgan.runs.result",
    "load_autoencoder": "kgan.runs.load",
    "load_gan": "kgan.runs.load",
    "load_model": "kgan.runs.load",
    "options_like": "kgan.runs.start_from",
}
__all__ = [
    "Run",
    "RunOptions",
    "RunResult",
    "load_autoencoder",
    "load_gan",
    "load_model",
    "options_like",
]


if not TYPE_CHECKING:  # a type checker knows the names above, and no others

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module 'kgan.runs' has no attribute {name!r}")
        value = getattr(importlib.import_module(_LAZY[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
