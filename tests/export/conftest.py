"""The trained generator, exported once with each output for all tests that only read it."""

import pytest

import kgan


@pytest.fixture(scope="session")
def exported(trained_gan, tmp_path_factory):
    """As ONNX and SavedModel with uint8 images, and a licence."""
    directory = tmp_path_factory.mktemp("exports") / "clothes"
    facts = {"training": {"data": "tests"}, "licence": "CC0-1.0"}
    return kgan.export.export(trained_gan, directory, **facts)


@pytest.fixture(scope="session")
def exported_floats(trained_gan, tmp_path_factory):
    """As ONNX and SavedModel with float32 images."""
    directory = tmp_path_factory.mktemp("exports") / "clothes"
    return kgan.export.export(trained_gan, directory, float_output=True)
