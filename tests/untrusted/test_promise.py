"""A manifest with a wrong field is refused by that field's name."""

import copy
import importlib.metadata
import json

import numpy as np
import pytest

import kgan
from kgan import manifest as manifests
from kgan.untrusted import check_promise
from kgan.untrusted.promise import PRECISION_FIGURES, sides_of
from tests.untrusted.tiny import promise

REMOVED = object()
CONDITIONAL = promise() | {
    "labels": {
        "name": "labels",
        "dtype": "int64",
        "shape": ["batch"],
        "num_classes": 2,
        "class_names": ["a", "b"],
    },
    "parity": {"onnx": {"float_max_abs_difference": 1e-6, "uint8_max_levels": 0.0}},
    "opset": 17,
    "licence": "CC0-1.0",
}
SMILE = {"name": "smile", "kind": "switch", "range": [0, 1]}
ATTRIBUTES = promise() | {
    "labels": {
        "name": "labels",
        "dtype": "float32",
        "shape": ["batch", 2],
        "attributes": [
            SMILE,
            {"name": "yaw", "kind": "number", "range": [-1.5, 1.0]},
        ],
        "rows": [[0, 0.25], [1, -1.5]],
    },
}
AUTOENCODER = manifests.whole_manifest(
    "codes",
    1,
    manifests.autoencoder_manifest(
        image_shape=(8, 8, 3), code_shape=(2, 2, 4), value_range=(-1.0, 1.0), float_output=True
    ),
    {},
)
NETWORK = manifests.whole_manifest(
    "numbers",
    1,
    manifests.network_manifest(
        latent_shape=(4,),
        output_shape=(3,),
        latent_distribution="normal",
        latent_law=kgan.latents.law(4),
    ),
    {},
)
WITH_ENCODER = promise() | {"encoder": manifests.encoder_half((2, 2, 1), (4,))}
PROBE = manifests.whole_manifest(
    "probe",
    1,
    manifests.probe_manifest(
        image_shape=(8, 8, 3),
        features=48,
        features_law="the largest",
        layers=[("down", 3)],
        class_names=["a", "b"],
    ),
    {},
)


SMALLER = promise() | {
    "file_precision": "int8",
    "precisions": {
        "model.int8.onnx": {
            "precision": "int8",
            "parity": {"float_max_abs_difference": 0.1},
            **dict.fromkeys(PRECISION_FIGURES, 1.0),
        }
    },
}
OLDER = promise() | {
    "precision": {"form": "int8", "files": {"model.onnx": dict.fromkeys(PRECISION_FIGURES, 1.0)}}
}


def test_what_kgan_writes_is_taken():
    later = CONDITIONAL | {"of_tomorrow": [{}]}
    known = (
        promise(),
        CONDITIONAL,
        ATTRIBUTES,
        AUTOENCODER,
        NETWORK,
        WITH_ENCODER,
        PROBE,
        SMALLER,
        OLDER,
    )
    for manifest in (*known, later):
        assert check_promise(copy.deepcopy(manifest), "here") == manifest


@pytest.mark.parametrize(
    ("manifest", "path", "value"),
    [
        (ATTRIBUTES, "labels/dtype", "int64"),
        (ATTRIBUTES, "labels/shape", ["batch"]),
        (ATTRIBUTES, "labels/shape", ["batch", 257]),
        (ATTRIBUTES, "labels/attributes", []),
        (ATTRIBUTES, "labels/attributes", ["smile", "yaw"]),
        (ATTRIBUTES, "labels/attributes", [SMILE, SMILE]),
        (ATTRIBUTES, "labels/attributes", [SMILE, SMILE | {"name": "a=b"}]),
        (ATTRIBUTES, "labels/attributes/0/name", 1),
        (ATTRIBUTES, "labels/attributes/0/kind", "knob"),
        (ATTRIBUTES, "labels/attributes/1/range", [1, 1]),
        (ATTRIBUTES, "labels/attributes/1/range", [0, float("nan")]),
        (ATTRIBUTES, "labels/rows", []),
        (ATTRIBUTES, "labels/rows", REMOVED),
        (ATTRIBUTES, "labels/rows", [[0, 1]] * 257),
        (ATTRIBUTES, "labels/rows", [[0]]),
        (ATTRIBUTES, "labels/rows", [[0, "1"]]),
        (ATTRIBUTES, "labels/rows", [[0, 1e39]]),
        (ATTRIBUTES, "labels/rows", [[0, 10**400]]),
        (CONDITIONAL, "kind", "painter"),
        (CONDITIONAL, "name", 7),
        (CONDITIONAL, "version", "1"),
        (CONDITIONAL, "version", True),
        (CONDITIONAL, "opset", 0),
        (CONDITIONAL, "licence", ["CC0-1.0"]),
        (CONDITIONAL, "training", None),
        (CONDITIONAL, "versions", {"kgan": 1}),
        (CONDITIONAL, "versions", {"kgan\x1b[2J": 1}),
        (CONDITIONAL, "parity", []),
        (CONDITIONAL, "parity/onnx", 0.0),
        (CONDITIONAL, "parity/onnx/uint8_max_levels", "none"),
        (CONDITIONAL, "parity/onnx/float_max_abs_difference", float("nan")),
        (CONDITIONAL, "input", REMOVED),
        (CONDITIONAL, "input/name", "z"),
        (CONDITIONAL, "input/dtype", "float64"),
        (CONDITIONAL, "input/shape", ["batch", 5, 4]),
        (CONDITIONAL, "input/shape", ["batch", 10**7]),
        (CONDITIONAL, "input/shape", ["batch", 4.0]),
        (CONDITIONAL, "output", "images"),
        (CONDITIONAL, "output/dtype", REMOVED),
        (CONDITIONAL, "output/shape", ["batch", 2, 2]),
        (CONDITIONAL, "output/shape", [1, 2, 2, 1]),
        (CONDITIONAL, "output/shape", ["batch", 8193, 2, 1]),
        (CONDITIONAL, "output/shape", ["batch", 8192, 8192, 8192]),
        (CONDITIONAL, "output/shape", ["batch", 0, 2, 1]),
        (CONDITIONAL, "output/layout", "NCHW"),
        (CONDITIONAL, "output/value_range", [1.0, -1.0]),
        (CONDITIONAL, "output/value_range", [0, float("inf")]),
        (CONDITIONAL, "output/value_range", 255),
        (CONDITIONAL, "latents", REMOVED),
        (CONDITIONAL, "latents/dim", 5),
        (CONDITIONAL, "latents/dim", "4"),
        (CONDITIONAL, "latents/distribution", "cauchy"),
        (CONDITIONAL, "latents/law", None),
        (CONDITIONAL, "labels", 2),
        (CONDITIONAL, "labels/num_classes", 0),
        (CONDITIONAL, "labels/num_classes", 10**9),
        (CONDITIONAL, "labels/class_names", ["a"]),
        (CONDITIONAL, "labels/class_names", ["a", "a"]),
        (CONDITIONAL, "labels/class_names", ["a", 1]),
        (CONDITIONAL, "labels/class_names", "ab"),
        (CONDITIONAL, "labels/dtype", "int32"),
        (AUTOENCODER, "encoder", REMOVED),
        (AUTOENCODER, "decoder/file", "/etc/passwd"),
        (AUTOENCODER, "decoder/input/shape", ["batch", 2, 2, 5]),
        (AUTOENCODER, "encoder/output/shape", ["batch"]),
        (AUTOENCODER, "encoder/input/dtype", "int8"),
        (WITH_ENCODER, "encoder", "encoder.onnx"),
        (WITH_ENCODER, "encoder/file", "decoder.onnx"),
        (WITH_ENCODER, "encoder/input/shape", ["batch", 2, 3, 1]),
        (WITH_ENCODER, "encoder/output/shape", ["batch", 5]),
        (WITH_ENCODER, "encoder/output/name", "latents"),
        (SMALLER, "file_precision", 8),
        (SMALLER, "precisions", []),
        (SMALLER, "precisions/model.int8.onnx", 1),
        (SMALLER, "precisions/model.int8.onnx/precision", REMOVED),
        (SMALLER, "precisions/model.int8.onnx/parity", REMOVED),
        (SMALLER, "precisions/model.int8.onnx/parity/float_max_abs_difference", "no"),
        (SMALLER, "precisions/model.int8.onnx/psnr_db", REMOVED),
        (SMALLER, "precision", 5),
        (OLDER, "precision", "int8"),
        (OLDER, "precision/form", REMOVED),
        (OLDER, "precision/files/model.onnx/bytes", "many"),
        (PROBE, "input", REMOVED),
        (PROBE, "features/shape", ["batch", 4, 12]),
        (PROBE, "scores/dtype", "float64"),
        (PROBE, "scores/shape", ["batch"]),
        (PROBE, "classes/dtype", "int32"),
        (PROBE, "classes/class_names", ["a"]),
    ],
)
def test_a_wrong_field_is_named(manifest, path, value):
    spoiled = json.loads(json.dumps(manifest))  # no object in it twice
    *way, key = path.split("/")
    place = spoiled
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if value is REMOVED:
        del place[key]
    else:
        place[key] = value
    with pytest.raises(kgan.InputError) as caught:
        check_promise(spoiled, "here.onnx")
    named, received = str(caught.value).split("must be", 1)
    assert (key if key != "versions" else "kgan") in named.split(" in ")[0]
    assert "here.onnx" in named
    assert "Received: " in received
    assert str(caught.value).isprintable()


def test_where_a_precision_is_told_anew_the_old_words_are_not_read():
    both = SMALLER | {"precision": 5}
    assert manifests.smaller_files(both) == SMALLER["precisions"]
    assert manifests.precision_of(both) == "int8"
    assert manifests.smaller_files(OLDER)["model.onnx"]["precision"] == "int8"


def test_an_encoder_is_a_generators_alone():
    assert sides_of(WITH_ENCODER, ["images"])[1] == [WITH_ENCODER["encoder"]["output"]]
    spoiled = check_promise(NETWORK | {"encoder": 5}, "here.onnx")
    assert sides_of(spoiled, ["images"]) == ([NETWORK["input"]], [NETWORK["output"]])


def test_a_probe_has_a_score_for_each_class():
    spoiled = copy.deepcopy(PROBE)
    spoiled["scores"]["shape"] = ["batch", 3]
    with pytest.raises(kgan.InputError, match=r"num_classes in classes .* must be the 3 of"):
        check_promise(spoiled, "here.onnx")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "[" * 200_000,
        '{"format": "kgan-export"}',
        '{"format": "kgan-export", "format_version": "1"}',
        '{"format": "kgan-export", "format_version": null}',
    ],
    ids=lambda text: text[:20],
)
def test_texts_that_are_no_manifest(text):
    with pytest.raises(kgan.InputError, match="Not the manifest of a kgan export: here"):
        manifests.parse(text, "here")


def test_a_manifest_needs_no_installed_kgan(monkeypatch):
    """As where a checkout is on the path alone."""
    version = importlib.metadata.version

    def of_installed(package):
        if package == "kgan":
            raise importlib.metadata.PackageNotFoundError(package)
        return version(package)

    monkeypatch.setattr(importlib.metadata, "version", of_installed)
    made = manifests.whole_manifest("a", 1, {}, {})
    assert made["versions"]["kgan"] == kgan.__version__
    assert made["versions"]["numpy"] == np.__version__
