"""What a training finds on this machine, in words."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from kgan import memory
from kgan.training.fast_precision import fast_precision
from kgan.version import __version__

PACKAGES = ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime", "numpy")
# Where NVIDIA's driver shows itself: on Linux, and on Windows's Linux.
DRIVERS = (Path("/proc/driver/nvidia/version"), Path("/dev/dxg"))


def described() -> list[tuple[str, str]]:
    """(what, in words): versions, processors, GPUs or why there are none, room, precision."""
    rows = [("kgan", __version__), ("Python", platform.python_version())]
    rows += [(package, importlib.metadata.version(package)) for package in PACKAGES]
    disk = shutil.disk_usage(".").free
    return [
        *rows,
        ("system", platform.platform()),
        ("processors", str(_processors())),
        ("GPUs", _gpus()),
        ("memory free", memory.in_words(memory.free())),
        ("disk free here", memory.in_words(disk)),
        ("--precision auto", fast_precision()),
    ]


def computing_devices(strategy: tf.distribute.Strategy) -> str:
    """What a training computes on, in words."""
    tpus = len(tf.config.list_logical_devices("TPU"))
    gpus = _names(tf.config.get_visible_devices("GPU"))
    cores = _processors()
    processors = f"{cores} processor core{'' if cores == 1 else 's'}"
    where = f"{tpus} TPU cores" if tpus else gpus or processors
    replicas = strategy.num_replicas_in_sync
    return where if replicas == 1 else f"{replicas} replicas, here {where}"


def why_no_gpu(built_with_cuda: bool, driver: bool, visible: str | None) -> str:
    """Why TensorFlow sees no GPU.

    Args:
        built_with_cuda: whether this TensorFlow could use one.
        driver: whether NVIDIA's driver is there.
        visible: CUDA_VISIBLE_DEVICES; None where it is not set.
    """
    if not built_with_cuda:
        return "none: this TensorFlow is built without CUDA"
    if not driver:
        return "none: there is no NVIDIA driver"
    if visible is not None and visible.strip() in ("", "-1"):
        return f"none: CUDA_VISIBLE_DEVICES={visible} hides them"
    return 'none: the CUDA libraries of this TensorFlow are not found; pip install "kgan[gpu]"'


def _gpus() -> str:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return _names(gpus)
    driver = any(path.exists() for path in DRIVERS)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return why_no_gpu(tf.test.is_built_with_cuda(), driver, visible)


def _names(gpus: Sequence[Any]) -> str:
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    named = zip(gpus, details, strict=True)
    return ", ".join(found.get("device_name", gpu.name) for gpu, found in named)


def _processors() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
