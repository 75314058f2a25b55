"""A run whose files were damaged or edited by hand: one line, and nothing lost."""

import csv
import json
import random

import pytest

import kgan
from kgan.callbacks.csv_history import CSVHistory
from kgan.runs.directory import make_directory, read_options
from kgan.runs.goal import read_seconds
from kgan.runs.load import find_model, load_model, training_facts
from kgan.runs.options import RunOptions

EDITS = 30  # of each file


@pytest.fixture
def run(tmp_path, small_gan):
    """A run's directory with a model of step 7 and a checkpoint of step 4."""
    make_directory(tmp_path / "run", RunOptions(data="photos", size=(16, 16), source="photos"))
    (tmp_path / "run" / "checkpoints").mkdir()
    for name, batches in (("model", 7), ("checkpoints/last", 4)):
        small_gan.batches_seen.assign(batches)
        small_gan.save(tmp_path / "run" / f"{name}.keras")
    return tmp_path / "run"


@pytest.mark.parametrize("damage", ["empty", "in the middle"])
def test_a_damaged_model_is_told_with_what_is_used_instead(run, caplog, damage):
    content = bytearray((run / "model.keras").read_bytes())
    if damage == "empty":
        content.clear()
    else:  # one bit of the weights: the end of the zip, and the count of batches, are whole
        content[len(content) // 2] ^= 1
    (run / "model.keras").write_bytes(content)
    assert find_model(run) == run / "checkpoints" / "last.keras"
    assert caplog.messages == []
    assert int(load_model(run, compile=False).batches_seen) == 4
    (line,) = caplog.messages
    assert line.startswith(f"{run / 'model.keras'} cannot be read (")
    assert line.endswith("): checkpoints/last.keras is used instead, of step 4")


def refusal(function, *arguments):
    """What an InputError says; None where the function takes its arguments."""
    try:
        function(*arguments)
    except kgan.InputError as error:
        return str(error)
    return None


def edited(text, rng):
    """A text file as a person, an editor or a spreadsheet could leave it."""
    text = bytearray(text.encode())
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(text))
        kind = rng.randrange(6)
        if kind == 0:
            del text[place : place + rng.randrange(1, 40)]
        elif kind == 1:
            text[place] = rng.randrange(256)
        elif kind == 2:
            text[place:place] = rng.choice([b'"', b",", b";", b"\r\n", b"\0", b"-", b"1e999"])
        elif kind == 3:
            text = text.replace(b"\n", b"\r\n").replace(b",", rng.choice([b",", b";", b"\t"]))
        elif kind == 4:
            text[:0] = b"\xef\xbb\xbf"
        else:
            number = rng.choice([b"null", b"NaN", b"-1", b"1" * 400, b"[]", b"true", b'"x"'])
            digits = [i for i, byte in enumerate(text) if chr(byte).isdigit()]
            if digits:
                at = rng.choice(digits)
                text[at : at + 1] = number
        if not text:
            break
    return bytes(text)


def test_an_edited_config_is_one_line_or_works(tmp_path):
    make_directory(tmp_path / "run", RunOptions(data="photos", size=(16, 16), augment=["flip"]))
    path = tmp_path / "run" / "config.json"
    text, rng = path.read_text(), random.Random(0)
    deep = b"[" * 100_000
    huge = text.replace('"sample_every"', f'"learning_rate": {"9" * 400}, "sample_every"')
    refused = 0
    for content in (deep, huge.encode(), *(edited(text, rng) for _ in range(EDITS))):
        path.write_bytes(content)
        training_facts(path.parent / "model.keras")
        said = refusal(read_options, path.parent)
        if said is not None:
            refused += 1
            assert "\n" not in said
            assert str(path.parent) in said
    assert refused > EDITS // 3
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert read_options(path.parent).data == "photos"


def test_a_config_without_a_batch_size_is_one_line(run):
    path = run / "config.json"
    for batch_size in ({}, {"batch_size": None}):
        values = json.loads(path.read_text())
        values.pop("batch_size", None)
        path.write_text(json.dumps(values | batch_size))
        assert refusal(kgan.runs.Run.open, run) == f"Not a run: no batch_size in {path}"


@pytest.mark.parametrize("content", ["[" * 100_000, '{"seconds": NaN}', '{"seconds": -1}', "7"])
def test_seconds_that_are_none_count_for_nothing(tmp_path, content):
    (tmp_path / "progress.json").write_text(content)
    assert read_seconds(tmp_path) == 0.0


def history(path, small_gan, figures=None):
    """What `CSVHistory` leaves at the begin of a training, and after an epoch with figures."""
    small_gan.batches_seen.assign(20)
    callback = CSVHistory(path)
    callback.set_model(small_gan)
    callback.on_train_begin()
    if figures:
        callback.on_epoch_end(2, figures)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


WRITTEN = "epoch,batches_seen,d_loss,g_loss\r\n0,10,0.693,1.25\r\n1,20,0.5,2.0\r\n"


@pytest.mark.parametrize(
    "saved",
    [
        WRITTEN,
        WRITTEN.replace("\r\n", "\n"),
        "\ufeff" + WRITTEN,
        WRITTEN.replace(",", ";"),
        "\ufeff" + WRITTEN.replace(",", ";").replace(".", ","),  # where the decimal is a comma
        WRITTEN.replace(",", "\t"),
        WRITTEN.replace("10,", "10.0,").replace("20,", "20.00,"),
        WRITTEN.replace("2.0\r", "2.0,,\r"),  # empty columns beside it
    ],
)
def test_a_history_that_a_spreadsheet_saved_goes_on(tmp_path, small_gan, saved):
    path = tmp_path / "history.csv"
    path.write_bytes(saved.encode())
    rows = history(path, small_gan, {"d_loss": 0.25, "g_loss": 3.0})
    assert [int(float(row["batches_seen"])) for row in rows] == [10, 20, 20]
    assert [float(row["d_loss"]) for row in rows] == [0.693, 0.5, 0.25]
    assert [float(row["g_loss"]) for row in rows] == [1.25, 2.0, 3.0]


def test_a_history_without_a_column_goes_on(tmp_path, small_gan):
    path = tmp_path / "history.csv"
    path.write_text("epoch,d_loss\n0,0.5\n")
    rows = history(path, small_gan, {"d_loss": 0.25})
    assert [(row["epoch"], row["d_loss"]) for row in rows] == [("0", "0.5"), ("2", "0.25")]


def test_an_edited_history_is_one_line_or_goes_on(tmp_path, small_gan):
    path, rng = tmp_path / "history.csv", random.Random(1)
    others = (
        b"\xff\xfe" + WRITTEN.encode("utf-16-le"),
        b"PK\3\4\0\0",
        b"\0" * 50,
        b'"' + b"x" * 200_000,
    )
    for content in (*others, *(edited(WRITTEN, rng) for _ in range(EDITS))):
        path.write_bytes(content)
        said = refusal(history, path, small_gan, {"d_loss": 0.25})
        if said is not None:
            assert "\n" not in said
            assert str(path) in said
            assert path.read_bytes() == content  # nothing is lost


def test_a_list_of_skipped_pictures_is_checked(tmp_path):
    from kgan.data import open_source
    from kgan.runs.run_checkpoint import remember_skipped

    source = open_source(None)
    for broken in (["a"], [-1], [6000], [1.5], "ab", 3, None, [True]):
        known = {"data": source.fingerprint(), "broken": broken}
        (tmp_path / "skipped.json").write_text(json.dumps(known))
        with pytest.raises(kgan.InputError, match="list of skipped pictures"):
            remember_skipped(source, tmp_path)
    (tmp_path / "skipped.json").write_text("[" * 100_000)
    with pytest.raises(kgan.InputError, match="list of skipped pictures"):
        remember_skipped(source, tmp_path)
