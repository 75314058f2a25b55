"""The house's floors: no import climbs, and what must stay light is light."""

import ast
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import kgan
from kgan.registration import CLASSES

PACKAGE = Path(kgan.__file__).parent
FLOORS = {
    **dict.fromkeys(("version", "errors", "names"), 0),
    **dict.fromkeys(("channels", "json_values", "equilibrium"), 0),
    "installed": 0.1,  # on top of errors
    **dict.fromkeys(("file_systems", "registration"), 0.2),  # on top of errors, of installed
    "leftovers": 0.3,  # on top of file_systems
    **dict.fromkeys(("files", "notebooks", "option_fields", "streams"), 0.5),  # floor 0 too
    **dict.fromkeys(("memory", "telling", "commands"), 0.6),  # on top of files and of streams
    "reading": 0.7,  # on top of memory
    "attribute_values": 0.8,
    "attributes": 0.9,  # floor 1 too, below labels
    **dict.fromkeys(("manifest", "images", "labels", "latents", "preset_list", "loopback"), 1),
    "tensors": 1,
    **dict.fromkeys(
        ("directions", "export_places", "own_places", "page_server"), 1.5
    ),  # on top of manifest
    **dict.fromkeys(("untrusted", "layers", "losses", "data", "pretrained"), 2),
    **dict.fromkeys(("runtime", "shelf", "models", "metrics"), 3),
    **dict.fromkeys(("training", "export", "http_server"), 4),
    **dict.fromkeys(("explore", "callbacks"), 5),
    "runs": 6,
    "watch": 6.5,  # on top of runs
    "cli": 7,
    "__main__": 8,
    "__init__": 8,  # the public face: it names every room, and none imports it
}
FILES = sorted(PACKAGE.rglob("*.py"))


def room(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the floor"
            assert node.module != "kgan" or not {a.name for a in node.names} - set(FLOORS)
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "kgan":
                yield parts[1] if len(parts) > 1 else "__init__"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_import_climbs(path):
    here = room(path)
    for there in imported_rooms(ast.parse(path.read_text())):
        assert there == here or FLOORS[there] < FLOORS[here], f"{here} imports {there}"


@pytest.mark.parametrize(
    "code",
    [
        "import kgan",
        "import kgan.runtime",
        "import kgan.metrics",
        "import kgan.cli.main",
        "import kgan.watch",
        "import kgan; kgan.runtime.Generator; kgan.InputError",
    ],
)
def test_light_imports_leave_tensorflow_and_keras_out(code):
    check = "import sys; sys.exit(bool({'tensorflow', 'keras'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", f"{code}; {check}"], check=False).returncode == 0


def test_a_training_starts_without_onnx():
    code = (
        "import kgan.cli.main, kgan.callbacks, kgan.runs.load, kgan.runs.ready, sys; "
        "sys.exit(bool({'onnx', 'onnxruntime', 'tf2onnx'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "imports",
    [
        "import keras, kgan; load = keras.models.load_model",
        pytest.param("import kgan, keras; load = keras.models.load_model", marks=pytest.mark.slow),
        pytest.param(
            "import kgan, tensorflow; import keras; load = keras.models.load_model",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "import kgan.layers, keras; load = keras.models.load_model", marks=pytest.mark.slow
        ),
        pytest.param("import kgan; load = kgan.load_gan", marks=pytest.mark.slow),
    ],
)
def test_a_saved_gan_loads_in_a_fresh_process(trained_gan, tmp_path, imports):
    trained_gan.save(tmp_path / "gan.keras")
    code = f"{imports}; load({str(tmp_path / 'gan.keras')!r}).generate(1)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_networks_alone_load_too_and_every_model_has_its_stand_in(trained_gan, tmp_path):
    trained_gan.generator.save(tmp_path / "generator.keras")
    path = str(tmp_path / "generator.keras")
    code = f"import kgan, keras; print(type(keras.models.load_model({path!r})).__module__)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["kgan.models.dcgan"]
    registered = {
        name.removeprefix("kgan>")
        for name, cls in keras.saving.get_custom_objects().items()
        if name.startswith("kgan>") and isinstance(cls, type) and issubclass(cls, keras.Model)
    }
    assert registered == set(CLASSES)


def test_no_two_files_have_one_name():
    names = [path.name for path in FILES if path.name != "__init__.py"]
    assert [name for name in names if names.count(name) > 1] == []


@pytest.mark.parametrize("room", ["runs", "cli"])
def test_no_function_takes_more_than_eight_arguments(room):
    for path in (PACKAGE / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                arguments = node.args
                count = len(arguments.posonlyargs + arguments.args + arguments.kwonlyargs)
                assert count <= 8, f"{path.name}: {node.name}"


def test_every_public_name_is_there():
    for name in kgan.__all__:
        assert getattr(kgan, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'GANN'"):
        kgan.GANN  # noqa: B018
