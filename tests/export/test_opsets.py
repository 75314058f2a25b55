"""Opsets newer than tf2onnx writes: brought on by onnx, delivered where they pass what all pass."""

import json

import numpy as np
import onnx
import pytest
from onnx import version_converter

import kgan
from kgan.cli.main import main


@pytest.mark.parametrize("opset", [pytest.param(19, marks=pytest.mark.slow), 21])
def test_a_newer_opset_gives_the_same_pictures(trained_gan, tmp_path, opset):
    export = kgan.export.to_onnx(trained_gan, tmp_path / "clothes", opset=opset)
    model = onnx.load(export.path / "model.onnx")
    assert [(each.domain, each.version) for each in model.opset_import] == [("", opset)]
    assert model.ir_version == {19: 9, 21: 10}[opset]
    manifest = json.loads((export.path / "manifest.json").read_text())
    assert (manifest["opset"], manifest["optimized"]) == (opset, True)
    assert manifest["reference"]["model.onnx"]["max_abs_difference"] <= 1
    made = kgan.runtime.Generator(export.path).generate(5, seed=3).astype(int)
    np.testing.assert_allclose(made, trained_gan.generate(5, seed=3).astype(int), atol=1)


@pytest.mark.slow
def test_on_the_command_line(trained_gan, tmp_path, capsys):
    trained_gan.save(tmp_path / "clothes.keras")
    arguments = ["export", str(tmp_path / "clothes.keras"), "--onnx", "--opset=20"]
    assert main([*arguments, "--out", str(tmp_path / "saved")]) == 0
    directory = capsys.readouterr().out.splitlines()[-1]
    assert onnx.load(f"{directory}/model.onnx").opset_import[0].version == 20


def test_a_network_that_cannot_be_brought_on_is_one_line(trained_gan, tmp_path, monkeypatch):
    def fails(model, opset):
        raise RuntimeError("No Adapter From Version 18 for Unsqueeze\nmore")

    monkeypatch.setattr(version_converter, "convert_version", fails)
    says = r"leave --opset out. Received: 21, No Adapter From Version 18 for Unsqueeze$"
    with pytest.raises(kgan.InputError, match=says):
        kgan.export.to_onnx(trained_gan, tmp_path / "clothes", opset=21)
    assert not (tmp_path / "clothes").exists()
