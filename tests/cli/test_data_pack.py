"""`kgan data pack`, then training, checking and resuming on what it wrote."""

import json

import numpy as np
import pytest
from PIL import Image

from kgan.cli.main import main


@pytest.fixture
def folder(tmp_path):
    for index in range(40):
        path = tmp_path / "photos" / ("cats", "dogs")[index % 2] / f"{index:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((20, 20, 3), 5 * index, np.uint8)).save(path)
    return tmp_path / "photos"


@pytest.mark.slow
def test_pack_check_train_and_resume(folder, tmp_path, capsys):
    (folder / "cats" / "broken.png").write_bytes((folder / "cats" / "00.png").read_bytes()[:50])
    shards = tmp_path / "shards"
    assert main(["data", "pack", str(folder), "--size", "16x16x1", "-o", str(shards)]) == 0
    out = capsys.readouterr().out
    assert "40 pictures of 16x16x1, 2 classes in 1 shards" in out
    assert "skipped 1 pictures" in out
    assert out.splitlines()[-1] == str(shards)
    assert main(["data", "check", str(shards)]) == 0
    assert "1 shards, 0 problems; 40 pictures of 16x16x1" in capsys.readouterr().out

    run = ["--preset", "dcgan", "--filters", "4", "--batch-size", "8", "--conditional"]
    given = [str(shards), *run, "--out", str(tmp_path), "--name", "run", "--steps", "7"]
    assert main(["train", *given]) == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["size"] == [16, 16, 1]
    assert main(["train", "--resume", str(tmp_path / "run"), "--steps", "3"]) == 0
    capsys.readouterr()

    assert main(["data", "pack", str(folder), "-o", str(shards)]) == 2
    assert "This exists" in capsys.readouterr().err
    path = shards / "pictures-00000.tfrecord"
    path.write_bytes(path.read_bytes()[:-1])
    assert main(["data", "check", str(shards)]) == 1
    assert "pictures-00000.tfrecord: its SHA-256" in capsys.readouterr().out
    assert main(["train", "--resume", str(tmp_path / "run"), "--steps", "1"]) == 2
    assert "Damaged: this shard has" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data", "pack", "no-such", "-o", "x"], "No such folder"),
        (["data", "pack"], "the following arguments are required: DATA, -o/--output"),
        (["data"], "the following arguments are required: COMMAND"),
        (
            ["train", "photos.npy", "--split", "test"],
            "LMDB or .csv list of pictures only. Received: 'test' for photos.npy",
        ),
    ],
)
def test_mistakes_are_one_line(folder, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_a_resumed_run_reads_the_rest_of_its_epoch(folder, tmp_path, capsys):
    """What the model of a stopped run is fed next is what it would have been fed."""
    from kgan.runs.build import make_batches, open_source
    from kgan.runs.directory import read_options
    from kgan.runs.load import load_model

    broken = folder / "dogs" / "11.png"
    noise = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    Image.fromarray(noise).save(broken)
    broken.write_bytes(broken.read_bytes()[:400])  # a good header: found when it is decoded
    run = ["--preset", "gan", "--size", "8x8", "--batch-size", "8", "--augment", "flip,crop"]
    given = [str(folder), *run, "--out", str(tmp_path), "--name", "run", "--steps", "6"]
    assert main(["train", *given]) == 0
    assert "skipped 1 pictures" in capsys.readouterr().out
    noted = json.loads((tmp_path / "run" / "skipped.json").read_text())
    assert list(noted["skipped"]) == [str(broken)]
    assert len(noted["broken"]) == 1

    given = ["train", "--resume", str(tmp_path / "run"), "--steps", "2"]
    assert main(given) == 0
    config = read_options(tmp_path / "run")
    model = load_model(tmp_path / "run")
    assert int(model.batches_seen) == 8
    rest = next(iter(make_batches(open_source(config), config, model)))
    model.batches_seen.assign(0)
    whole = list(make_batches(open_source(config), config, model).take(9))
    np.testing.assert_array_equal(rest, whole[8])
    assert all((batch != rest).numpy().any() for batch in whole[:8])
