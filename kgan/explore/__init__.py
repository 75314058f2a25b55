"""Experiments that look into a trained model: each gives a picture and the figures behind it."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgan.explore.attention_maps import attention
    from kgan.explore.direction_search import attribute_direction, main_directions
    from kgan.explore.direction_strips import strips
    from kgan.explore.interpolation import interpolate
    from kgan.explore.judgement import judge
    from kgan.explore.latent_arithmetic import arithmetic
    from kgan.explore.lipschitz_norms import lipschitz
    from kgan.explore.near_training import neighbours
    from kgan.explore.network_diagram import diagram
    from kgan.explore.picture import Finding
    from kgan.explore.subject import Subject

# Public name -> the module that has it; imported on first use, as most need tensorflow.
_LAZY = {
    "Finding": "kgan.explore.picture",
    "Subject": "kgan.explore.subject",
    "arithmetic": "kgan.explore.latent_arithmetic",
    "attention": "kgan.explore.attention_maps",
    "attribute_direction": "kgan.explore.direction_search",
    "diagram": "kgan.explore.network_diagram",
    "interpolate": "kgan.explore.interpolation",
    "judge": "kgan.explore.judgement",
    "lipschitz": "kgan.explore.lipschitz_norms",
    "main_directions": "kgan.explore.direction_search",
    "neighbours": "kgan.explore.near_training",
    "strips": "kgan.explore.direction_strips",
}
__all__ = [
    "Finding",
    "Subject",
    "arithmetic",
    "attention",
    "attribute_direction",
    "diagram",
    "interpolate",
    "judge",
    "lipschitz",
    "main_directions",
    "neighbours",
    "strips",
]


if not TYPE_CHECKING:  # a type checker knows the names above, and no others

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module 'kgan.explore' has no attribute {name!r}")
        value = getattr(importlib.import_module(_LAZY[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
