"""What `--precision auto` chooses, by the devices' own words."""

import argparse

import pytest
import tensorflow as tf

from kgan.cli.train import _same_for_all_workers
from kgan.training import fast_precision
from kgan.training.fast_precision import of_cpu, of_gpus

# From the flags that Linux lists.
SKYLAKE = "fpu vme sse4_2 avx2 avx512f avx512_vnni".split()
ZEN_4 = [*SKYLAKE, "avx512_bf16"]
SAPPHIRE_RAPIDS = [*ZEN_4, "amx_bf16", "amx_tile", "amx_int8"]


@pytest.mark.parametrize(
    ("flags", "environment", "expected"),
    [
        ([], {}, "float32"),
        (SKYLAKE, {}, "float32"),
        (ZEN_4, {}, "mixed_bfloat16"),
        (SAPPHIRE_RAPIDS, {}, "mixed_bfloat16"),
        (ZEN_4, {"TF_ENABLE_ONEDNN_OPTS": "0"}, "float32"),
        (ZEN_4, {"TF_ENABLE_ONEDNN_OPTS": "1"}, "mixed_bfloat16"),
        (ZEN_4, {"ONEDNN_MAX_CPU_ISA": "avx512_core_vnni"}, "float32"),
        (ZEN_4, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}, "mixed_bfloat16"),
    ],
    ids=str,
)
def test_processors(flags, environment, expected):
    assert of_cpu(flags, environment) == expected


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ([(6, 1)], "float32"),  # Pascal
        ([(7, 0)], "mixed_float16"),  # V100
        ([(7, 5)], "mixed_float16"),  # T4
        ([(8, 0)], "mixed_bfloat16"),  # A100
        ([(12, 0)], "mixed_bfloat16"),
        ([(9, 0), (7, 5)], "mixed_float16"),  # the weakest of all
        ([(0, 0)], "float32"),  # not NVIDIA's
    ],
)
def test_gpus(capabilities, expected):
    assert of_gpus(capabilities) == expected


def listing(tmp_path, monkeypatch):
    """A machine without GPUs whose processor is what the file says, whichever this one is."""
    for name in ("ONEDNN_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(fast_precision, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])


def test_linux_lists_flags_once_a_processor(tmp_path, monkeypatch):
    listing(tmp_path, monkeypatch)
    assert fast_precision.fast_precision() == "float32"  # no such file: another system
    processor = "processor\t: {}\nvmx flags\t: vnmi\nflags\t\t: fpu {}\n\n"
    text = "".join(processor.format(i, "avx2 avx512_bf16") for i in range(2))
    (tmp_path / "cpuinfo").write_text(text)
    assert fast_precision.fast_precision() == "mixed_bfloat16"
    (tmp_path / "cpuinfo").write_text("processor : 0\nFeatures : fp asimd bf16\n")  # ARM
    assert fast_precision.fast_precision() == "float32"


def test_workers_compare_what_their_machines_choose(tmp_path, monkeypatch):
    listing(tmp_path, monkeypatch)
    (tmp_path / "cpuinfo").write_text("flags : amx_bf16\n")
    arguments = argparse.Namespace(name="a", resume=None, strategy="multiworker")
    assert _same_for_all_workers(arguments, {})["--precision"] == "mixed_bfloat16"
    said = _same_for_all_workers(arguments, {"precision": "mixed_float16"})
    assert said["--precision"] == "mixed_float16"
    arguments.resume = tmp_path  # a run keeps its own
    assert "--precision" not in _same_for_all_workers(arguments, {})
