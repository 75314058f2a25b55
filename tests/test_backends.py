"""Layers, losses and networks are of no backend of Keras's: their sources, and JAX's outputs."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kgan
from tests import any_backend

PACKAGE = Path(kgan.__file__).parent
# File -> what of it is TensorFlow's, as docs/architecture.md says.
OF_TENSORFLOW = {
    "layers/draws.py": "the bits of Philox, and which replica draws",
    "losses/penalties.py": "the gradient within a step",
    "models/saved_function.py": "SavedModels",
}


def names_tensorflow(tree):
    """Whether a module imports TensorFlow or something of it, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            names = ["tensorflow"] if isinstance(node, ast.Name) and node.id == "tf" else []
        if any(name.split(".")[0] == "tensorflow" for name in names):
            return True
    return False


def test_layers_losses_and_networks_leave_the_backend_to_keras():
    found = {
        str(path.relative_to(PACKAGE))
        for room in ("layers", "losses", "models")
        for path in (PACKAGE / room).rglob("*.py")
        if names_tensorflow(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set(OF_TENSORFLOW)


@pytest.mark.slow
def test_jax_gives_what_tensorflow_gives(tmp_path):
    pytest.importorskip("jax")
    weights, expected = any_backend.noted()
    np.savez(tmp_path / "weights.npz", **weights)
    subprocess.run(
        [sys.executable, "-m", "tests.any_backend", tmp_path / "weights.npz", tmp_path / "jax.npz"],
        cwd=PACKAGE.parent,
        env=os.environ | {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        check=True,
    )
    with np.load(tmp_path / "jax.npz") as file:
        received = dict(file)
    assert received.pop("backend") == "jax"
    said = received.pop("refusals")
    assert len(said) == 5
    assert all("needs Keras's TensorFlow backend" in line for line in said)
    assert received.keys() == expected.keys()
    for name, value in expected.items():
        assert received[name].dtype == value.dtype, name
        largest = np.abs(value).max(initial=1e-6)
        np.testing.assert_allclose(received[name], value, 0, 1e-5 * largest, err_msg=name)
