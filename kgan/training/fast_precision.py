"""`--precision auto`: the precision that the devices at hand compute fastest and train well in."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal

import tensorflow as tf

Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]
CPUINFO = Path("/proc/cpuinfo")  # of Linux
# What multiplies matrices of bfloat16 in hardware.
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}
# Values of ONEDNN_MAX_CPU_ISA that leave those instructions out.
OLDER_ISAS = {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"}
TENSOR_CORES, BFLOAT16_TENSOR_CORES = (7, 0), (8, 0)  # NVIDIA's compute capabilities


def fast_precision(strategy: tf.distribute.Strategy | None = None) -> Precision:
    """The dtype policy to train in on this machine's devices.

    Args:
        strategy: the strategy to train in; None for one without a TPU.
    """
    if isinstance(strategy, tf.distribute.TPUStrategy):
        return "mixed_bfloat16"
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        return of_gpus(
            [
                tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
                for gpu in gpus
            ]
        )
    return of_cpu(_cpu_flags(), os.environ)


def of_gpus(capabilities: Sequence[tuple[int, int]]) -> Precision:
    """The policy for GPUs of those compute capabilities; (0, 0) for one that is not NVIDIA's."""
    least = min(capabilities)
    if least >= BFLOAT16_TENSOR_CORES:
        return "mixed_bfloat16"
    return "mixed_float16" if least >= TENSOR_CORES else "float32"


def of_cpu(flags: Collection[str], environment: Mapping[str, str]) -> Precision:
    """The policy for a processor.

    Args:
        flags: what it can, in Linux's words.
        environment: variables that can keep TensorFlow from it: without oneDNN, or with oneDNN
            told to use older instructions, bfloat16 is emulated.
    """
    without_onednn = environment.get("TF_ENABLE_ONEDNN_OPTS", "1").lower() in ("0", "false")
    older = environment.get("ONEDNN_MAX_CPU_ISA", "").upper() in OLDER_ISAS
    full_rate = BFLOAT16_FLAGS & set(flags) and not without_onednn and not older
    return "mixed_bfloat16" if full_rate else "float32"


def _cpu_flags() -> list[str]:
    """The flags of this machine's first processor; none on a system that does not list them."""
    try:
        listed = re.search(
            r"^flags\s*:(.*)$", CPUINFO.read_text(encoding="utf-8", errors="replace"), re.MULTILINE
        )
    except OSError:
        return []
    return listed[1].split() if listed else []
