"""`kgan explore`: each experiment as a command, on a run, a file and an export."""

import base64
import html.parser
import json
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.cli import explore
from kgan.cli.main import main
from kgan.directions import read_directions
from tests.metrics.weights import needs_weights


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on the embedded set."""
    out = tmp_path_factory.mktemp("runs")
    small = ["--size", "16x16", "--batch-size", "16", "--steps", "6", "--filters", "2"]
    assert main(["train", *small, "--latent-dim", "8", "--name", "clothes", "--out", str(out)]) == 0
    return out / "clothes"


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("saved_models")
    assert main(["export", str(run), "--onnx", "--out", str(out)]) == 0
    return out / "clothes"


def explored(capsys, *arguments):
    """Runs an experiment; returns the lines printed."""
    capsys.readouterr()
    assert main(["explore", *map(str, arguments)]) == 0
    return capsys.readouterr().out.splitlines()


def error_of(capsys, *arguments):
    capsys.readouterr()
    assert main(["explore", *map(str, arguments)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def figures_beside(picture):
    return json.loads(picture.with_suffix(".json").read_text(encoding="utf-8"))


def test_help_is_light(tmp_path):
    code = (
        "import sys; from kgan.cli.main import main\n"
        "for name in sys.argv[1:]:\n"
        "    try: main(['explore', name, '--help'])\n"
        "    except SystemExit as end: assert end.code == 0\n"
        "heavy = {'tensorflow', 'keras', 'onnxruntime'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *explore.COMMANDS], check=True, capture_output=True, text=True
    )
    for name in explore.COMMANDS:
        assert f"usage: kgan explore {name} " in done.stdout


@pytest.mark.slow
def test_an_export_is_looked_into_without_tensorflow(exported, tmp_path):
    shutil.copytree(exported, tmp_path / "clothes")
    walk, light = (str(tmp_path / name) for name in ("walk.png", "light.png"))
    sides = ["--from", "1", "--to", "2", "--name", "light"]
    code = (
        "import sys; from kgan.cli.main import main\n"
        f"model = {str(tmp_path / 'clothes')!r}\n"
        f"end = main(['explore', 'interpolate', model, '--seeds', '1,3', '-o', {walk!r}])\n"
        f"end = end or main(['explore', 'direction', model, *{sides!r}, '-o', {light!r}])\n"
        "sys.exit(end or 10 * bool({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert figures_beside(tmp_path / "walk.png")["seeds"] == [1, 3]


def test_interpolate_and_arithmetic(run, tmp_path, capsys):
    walk = tmp_path / "walk.png"
    lines = explored(
        capsys, "interpolate", run, "--seeds", "4-6", "--frames", "5", "--linear", "-o", walk
    )
    assert lines[-1] == str(walk)
    assert figures_beside(walk)["path"] == "linear"
    assert len(figures_beside(walk)["legs"]) == 2
    with Image.open(walk.with_suffix(".webp")) as animation:
        assert animation.n_frames == 64
    result = tmp_path / "sum.png"
    groups = ["--plus", "12,40", "--minus", "3", "--plus", "5,7", "--renormalise"]
    lines = explored(capsys, "arithmetic", run / "model.keras", *groups, "-o", result)
    terms = figures_beside(result)["terms"]
    assert [(term["sign"], term["seeds"]) for term in terms] == [
        (1, [12, 40]),
        (-1, [3]),
        (1, [5, 7]),
    ]
    assert "to which it was restored" in lines[0]


@pytest.mark.slow
def test_directions_go_from_the_run_into_the_next_export(run, tmp_path, capsys):
    own = tmp_path / "clothes"
    shutil.copytree(run, own)
    picture = tmp_path / "light.png"
    sides = ["--from", "1,2", "--to", "4-6", "--name", "light"]
    lines = explored(capsys, "direction", own, *sides, "-o", picture)
    assert lines[-2:] == [str(picture), str(own / "directions.json")]
    explored(capsys, "direction", own, "--method", "sefa", "-n", "2", "-o", picture)
    names = [each.name for each in read_directions(own / "directions.json", 8)]
    assert names == ["light", "sefa 1", "sefa 2"]
    assert main(["export", str(own), "--onnx", "--out", str(tmp_path / "out")]) == 0
    manifest = json.loads((tmp_path / "out" / "clothes" / "1" / "manifest.json").read_text())
    assert [each["name"] for each in manifest["directions"]] == names
    (tmp_path / "values.csv").write_text("1,0.5\n2,1\n3,4\n")
    labelled = ["--labels", tmp_path / "values.csv", "--name", "light"]
    explored(capsys, "direction", tmp_path / "out" / "clothes", *labelled, "-o", picture)
    kept = tmp_path / "out" / "clothes" / "1" / "directions.json"
    assert [each.name for each in read_directions(kept, 8)] == ["light"]
    capsys.readouterr()
    assert main(["export", "--inspect", str(tmp_path / "out" / "clothes")]) == 0
    said = capsys.readouterr().out
    assert "light, sefa 1, sefa 2" in said
    assert "not in the manifest" not in said


@pytest.mark.slow
def test_networks_are_drawn_and_measured(run, tmp_path, capsys):
    lines = explored(capsys, "diagram", run, "-o", tmp_path / "diagrams")
    assert lines[0].startswith("discriminator: ")
    assert (tmp_path / "diagrams" / "generator.svg").is_file()
    gan = kgan.load_gan(run)
    gan.generator.save(tmp_path / "generator.keras")
    explored(capsys, "diagram", tmp_path / "generator.keras", "-o", tmp_path / "alone")
    assert (tmp_path / "alone" / "network.png").is_file()
    Image.new("L", (40, 30), 90).save(tmp_path / "own.png")
    sheet = tmp_path / "judged.png"
    lines = explored(capsys, "judge", run, tmp_path / "own.png", "-n", "6", "-o", sheet)
    assert any(line.startswith("own.png: 0.") for line in lines)
    kinds = [row["kind"] for row in figures_beside(sheet)["pictures"]]
    assert {kind: kinds.count(kind) for kind in kinds} == {"real": 6, "generated": 6, "own": 1}
    slopes = tmp_path / "slopes.png"
    explored(capsys, "lipschitz", run, "-n", "4", "-o", slopes)
    assert len(figures_beside(slopes)["gradient_norm_mean"]) == 11


@needs_weights
@pytest.mark.slow
def test_neighbours_are_told_and_counted(run, tmp_path, capsys):
    noise = np.random.default_rng(0).integers(0, 256, (1000, 16, 16, 1), np.uint8)
    np.savez(tmp_path / "noise.npz", images=noise)
    data, sheet = tmp_path / "noise.npz", tmp_path / "near.png"
    lines = explored(capsys, "neighbours", run, "--data", data, "-n", "9", "-o", sheet)
    assert lines[-1] == str(sheet)
    figures = figures_beside(sheet)
    assert len(figures["pixels"]["nearest_distances"]) == 9
    assert f"by pixels: {figures['pixels']['suspicious']} of 9 images" in lines[1]


@pytest.mark.slow
def test_an_export_with_its_gan_beside_it_has_networks(run, exported, tmp_path, capsys):
    whole = tmp_path / "whole"
    shutil.copytree(exported, whole)
    command = ["diagram", whole, "-o", tmp_path / "diagrams"]
    assert "a GAN's model.keras in its folder" in error_of(capsys, *command)
    shutil.copyfile(run / "model.keras", whole / "1" / "model.keras")
    explored(capsys, *command)
    explored(capsys, "direction", whole, "-n", "1", "-o", tmp_path / "main.png")
    assert (whole / "1" / "directions.json").is_file()


def test_mistakes_are_one_line_and_leave_nothing(run, exported, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for arguments, says in (
        (["interpolate", run, "--seeds", "4"], "at least two seeds"),
        (["interpolate", run, "--frames", "100000000000"], "Received: frames=100000000000"),
        (["interpolate", run, "-o", "walk.jpg"], "a .png file. Received: walk.jpg"),
        (["interpolate", run, "--class", "Bag"], "no classes"),
        (["interpolate", tmp_path / "none"], "No such model"),
        (["arithmetic", run, "--plus", "1"], "seeds to add and seeds to subtract"),
        (["arithmetic", run], "--plus and --minus"),
        (["direction", run, "--from", "1", "--name", "x"], "by --from and --to"),
        (["direction", run, "--from", "1", "--to", "2"], "needs --name"),
        (["direction", run, "--name", "x"], "main directions are numbered"),
        (["direction", exported], "looks into the networks themselves"),
        (["attention", run], "No layer of self-attention"),
        (["judge", exported], "looks into the networks themselves"),
        (["lipschitz", run / "model.keras", "--data", "none"], "none"),
    ):
        assert says in error_of(capsys, *arguments)
    assert not any(tmp_path.iterdir())
    with pytest.raises(SystemExit):
        main(["explore", "interpolate", str(run), "--seeds", "4-2"])
    assert "'4-2' is not seeds such as 1,5,9-20" in capsys.readouterr().err


class Page(html.parser.HTMLParser):
    """The sections of a report by their ids, and every address in it."""

    def __init__(self, text):
        super().__init__()
        self.sections, self.addresses, self.here = {}, [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "section":
            self.here = given["id"]
            self.sections[self.here] = ""
        self.addresses += [given[name] for name in ("src", "href") if name in given]

    def handle_data(self, data):
        if self.here:
            self.sections[self.here] += data


@pytest.mark.slow
def test_a_report_has_all_that_applies_and_says_why_the_rest_does_not(run, tmp_path, capsys):
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (48, 16, 16, 1), np.uint8)
    np.savez(tmp_path / "data.npz", images=images, labels=np.arange(48) % 2)
    folder = tmp_path / "report"
    command = ["all", run, "--data", tmp_path / "data.npz", "-o", folder]
    lines = explored(capsys, *command)
    assert lines[-1] == str(folder / "index.html")
    page = Page((folder / "index.html").read_text(encoding="utf-8"))
    there = ["interpolate", "direction", "project", "judge", "lipschitz", "kernels", "maps"]
    there += ["units", "probe", "diagram"]
    assert list(page.sections) == [*there, "absent"]
    for name in there:
        assert f"{name}: done" in lines
        assert (folder / f"{name}.json").read_text(encoding="utf-8") in page.sections[name]
        picture = base64.b64encode((folder / f"{name}.png").read_bytes()).decode()
        assert f"data:image/png;base64,{picture}" in page.addresses
    assert all(each.startswith(("data:image/", "#")) for each in page.addresses)
    for reason in ("It adds pictures that you choose", "No layer of self-attention", "--mark"):
        assert reason in page.sections["absent"]
    # A page of another kind stays, and nothing is run.
    (folder / "index.html").write_text("<html>mine</html>", encoding="utf-8")
    assert "would replace another one" in error_of(capsys, *command)
    assert (folder / "index.html").read_text(encoding="utf-8") == "<html>mine</html>"


@pytest.mark.slow
def test_a_report_on_an_autoencoder(tmp_path, capsys):
    model = kgan.Autoencoder.from_preset("autoencoder", image_shape=(16, 16, 1))
    model.save(tmp_path / "codes.keras")
    np.savez(tmp_path / "data.npz", images=np.arange(1024, dtype=np.uint8).reshape(4, 16, 16, 1))
    command = ["all", tmp_path / "codes.keras", "--data", tmp_path / "data.npz"]
    lines = explored(capsys, *command, "-o", tmp_path / "report")
    done = [line.removesuffix(": done") for line in lines if line.endswith(": done")]
    assert {"interpolate", "diagram"} <= set(done)
    assert "direction" not in done
    page = Page((tmp_path / "report" / "index.html").read_text(encoding="utf-8"))
    assert "Directions: This draws from seeds" in page.sections["absent"]


def test_figures_never_replace_what_no_experiment_wrote(run, tmp_path, capsys):
    for name, text in (("boxes", '{"boxes": {}}'), ("config", "[1]"), ("labels", "no JSON")):
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
        # Before the work: there is no such model.
        line = error_of(capsys, "arithmetic", "none", "--plus", "1", "-o", tmp_path / f"{name}.png")
        assert "no experiment wrote" in line
        assert line.endswith(f"Received: {tmp_path / name}.json")
        assert (tmp_path / f"{name}.json").read_text(encoding="utf-8") == text
    own = ["arithmetic", run, "--plus", "1", "--minus", "2", "-o", tmp_path / "own.png"]
    explored(capsys, *own)
    explored(capsys, *own)  # its own are replaced


def test_a_direction_is_kept_only_when_its_picture_is_there(run, tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    shutil.copyfile(run / "model.keras", tmp_path / "alone.keras")
    command = ["direction", tmp_path / "alone.keras", "--from", "1", "--to", "2", "--name", "light"]
    line = error_of(capsys, *command, "-o", tmp_path / "file" / "light.png")
    assert "Cannot write there" in line
    kept = tmp_path / "alone.directions.json"
    assert not kept.exists()
    explored(capsys, *command, "-o", tmp_path / "light.png")
    assert kept.is_file()


def test_a_small_model_has_as_many_main_directions_as_latents(tmp_path, capsys):
    gan = kgan.GAN.from_preset("dcgan", image_shape=(16, 16, 1), latent_dim=4, filters=2, seed=0)
    gan.save(tmp_path / "small.keras")
    explored(
        capsys, "direction", tmp_path / "small.keras", "--method", "sefa", "-o", tmp_path / "d.png"
    )
    assert len(figures_beside(tmp_path / "d.png")["directions"]) == 4


def test_a_range_below_0_can_be_typed(tmp_path, capsys):
    images = keras.Input((8, 8, 1))
    keras.Model(images, keras.layers.Conv2D(2, 3, name="seen")(images)).save(tmp_path / "own.keras")
    np.savez(tmp_path / "data.npz", images=np.arange(512, dtype=np.uint8).reshape(8, 8, 8, 1))
    command = ["units", tmp_path / "own.keras", "--layer", "seen", "--units", "0"]
    command += ["--value-range", "-1,1", "--data", tmp_path / "data.npz"]
    explored(capsys, *command, "-o", tmp_path / "units.png")
    assert figures_beside(tmp_path / "units.png")["value_range"] == [-1.0, 1.0]
    with pytest.raises(SystemExit) as stop:
        main(["explore", "units", "none", "--kernels", "--value-range", "-1,-2"])
    assert stop.value.code == 2
    assert "'-1,-2' is not two numbers, the lower first" in capsys.readouterr().err


def test_mp4_needs_its_extra(run, tmp_path, capsys):
    walk = tmp_path / "walk.png"
    command = ["interpolate", run, "--frames", "2", "--mp4", "-o", walk]
    try:
        import imageio_ffmpeg
    except ImportError:
        assert "pip install 'kgan[explore]'" in error_of(capsys, *command)
        assert not any(tmp_path.iterdir())
        return
    (tmp_path / "file").write_text("", encoding="utf-8")
    line = error_of(capsys, *command[:-1], tmp_path / "file" / "walk.png")
    assert "Cannot write there (" in line
    assert line.endswith(f": {tmp_path / 'file' / 'walk.mp4'}")
    explored(capsys, *command)
    reader = imageio_ffmpeg.read_frames(str(walk.with_suffix(".mp4")))
    facts = next(reader)
    assert facts["size"] == (128, 128)
    frames = [np.frombuffer(frame, np.uint8).reshape(128, 128, 3) for frame in reader]
    assert len(frames) == 8  # there and back
    with Image.open(walk.with_suffix(".webp")) as animation:
        first = np.asarray(animation.convert("RGB")).astype(int)
    assert np.abs(frames[0] - first).mean() < 12  # H.264 loses a little
