"""Experiments that look into a trained model: each gives a picture and the figures behind it."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgan.explore.attention_maps import attention
    from kgan.explore.direction_search import attribute_direction, main_directions
    from kgan.explore.direction_strips import strips
    from kgan.explore.encoder_training import train_encoder
    from kgan.explore.forgetting import Forgetting, forget
    from kgan.explore.interpolation import interpolate
    from kgan.explore.judgement import judge
    from kgan.explore.latent_arithmetic import arithmetic
    from kgan.explore.layer_maps import feature_maps, kernels
    from kgan.explore.lipschitz_norms import lipschitz
    from kgan.explore.marked_boxes import MarkedBoxes, read_boxes
    from kgan.explore.marking_page import marking
    from kgan.explore.near_training import neighbours
    from kgan.explore.network_diagram import diagram
    from kgan.explore.picture import Finding
    from kgan.explore.probing import Probing, probe
    from kgan.explore.projection import project
    from kgan.explore.subject import Subject
    from kgan.explore.unit_views import units

# Public name -> the module that has it; imported on first use, as most need tensorflow.
_LAZY = {
    "Finding": "kgan.explore.picture",
    "Forgetting": "kgan.explore.forgetting",
    "MarkedBoxes": "kgan.explore.marked_boxes",
    "Probing": "kgan.explore.probing",
    "Subject": "kgan.explore.subject",
    "arithmetic": "kgan.explore.latent_arithmetic",
    "attention": "kgan.explore.attention_maps",
    "attribute_direction": "kgan.explore.direction_search",
    "diagram": "kgan.explore.network_diagram",
    "feature_maps": "kgan.explore.layer_maps",
    "forget": "kgan.explore.forgetting",
    "interpolate": "kgan.explore.interpolation",
    "judge": "kgan.explore.judgement",
    "kernels": "kgan.explore.layer_maps",
    "lipschitz": "kgan.explore.lipschitz_norms",
    "main_directions": "kgan.explore.direction_search",
    "marking": "kgan.explore.marking_page",
    "neighbours": "kgan.explore.near_training",
    "probe": "kgan.explore.probing",
    "project": "kgan.explore.projection",
    "read_boxes": "kgan.explore.marked_boxes",
    "strips": "kgan.explore.direction_strips",
    "train_encoder": "kgan.explore.encoder_training",
    "units": "kgan.explore.unit_views",
}
__all__ = [
    "Finding",
    "Forgetting",
    "MarkedBoxes",
    "Probing",
    "Subject",
    "arithmetic",
    "attention",
    "attribute_direction",
    "diagram",
    "feature_maps",
    "forget",
    "interpolate",
    "judge",
    "kernels",
    "lipschitz",
    "main_directions",
    "marking",
    "neighbours",
    "probe",
    "project",
    "read_boxes",
    "strips",
    "train_encoder",
    "units",
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
