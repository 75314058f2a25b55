"""The options of an export: the defaults of the Python functions, checked, without tensorflow."""

import inspect
import subprocess
import sys

import pytest

import kgan
from kgan.cli.main import make_parser
from kgan.export.export_options import DEFAULT_FORMS, FORMS, ExportOptions
from kgan.option_fields import options_of


def test_the_functions_have_these_defaults():
    for function in (kgan.export.export, kgan.export.to_onnx, kgan.export.to_saved_model):
        for name, parameter in inspect.signature(function).parameters.items():
            if name in FORMS:
                assert parameter.default is (name in DEFAULT_FORMS)
            elif name in options_of(ExportOptions):
                assert parameter.default == getattr(ExportOptions, name)


def test_forms_are_those_named_or_onnx_and_a_saved_model():
    assert ExportOptions().forms() == {"onnx": True, "saved_model": True, "tflite": False}
    assert ExportOptions(tflite=True).forms() == {
        "onnx": False,
        "saved_model": False,
        "tflite": True,
    }


def test_what_is_typed_is_what_is_kept():
    kinds = {name: option.kind for name, option in options_of(ExportOptions).items()}
    assert kinds["opset"].parse("13") == 13
    assert kinds["licence"].parse(" CC0-1.0 ") == "CC0-1.0"
    assert kinds["precision"].parse("int8") == ("float32", "int8")
    assert ExportOptions(precision="float32").precisions == ("float32",)
    both = ("float32", "float16", "int8")
    assert ExportOptions(precision=["int8", "float16"]).precisions == both


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"opset": 9}, "opset must be from 13 to 21. Received: 9"),
        ({"opset": True}, "opset must be from 13 to 21. Received: True"),
        (
            {"precision": "int4"},
            "precision must be float16, int8 or float16,int8; .* Received: 'int4'",
        ),
        ({"licence": "a\nb"}, r"licence must be one line of text.* Received: 'a\\nb'"),
        ({"float_output": "yes"}, "float_output must be true or false. Received: 'yes'"),
    ],
)
def test_other_values_are_one_line(options, says):
    with pytest.raises(kgan.InputError, match=says):
        ExportOptions(**options)


def test_they_need_no_tensorflow():
    code = "import kgan.export.export_options, sys; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("spelling", ["--licence", "--license"])
def test_a_licence_by_either_spelling(spelling):
    parse = make_parser().parse_args
    assert parse(["export", "runs/a", spelling, "CC-BY-4.0"]).licence == "CC-BY-4.0"
    assert not hasattr(parse(["export", "runs/a"]), "licence")
