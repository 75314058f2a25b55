"""CSV lists of pictures, and a folder's metadata, give pictures their labels."""

import io
import json

import pytest
from PIL import Image

import kgan
from kgan.data import check_folder, open_source

SHAPE = {"image_shape": (8, 8, 1)}


@pytest.fixture
def place(tmp_path):
    """Four pictures of the levels 0, 10, 20, 30 in a folder."""
    (tmp_path / "in").mkdir()
    for n in range(4):
        file = io.BytesIO()
        Image.new("L", (8, 8), 10 * n).save(file, "PNG")
        (tmp_path / "in" / f"{n}.png").write_bytes(file.getvalue())
    return tmp_path


def examples(source):
    return [(image[0, 0, 0], label) for image, label in source.examples().as_numpy_iterator()]


def test_a_csv_lists_pictures_in_its_order_and_their_labels(place, monkeypatch):
    path = place / "list.csv"
    rows = "\ufeffid,path,kind,label\n7,in/2.png,10,b\n8,./in/0.png,9,a\n\n9,in/3.png,10,a\n"
    path.write_text(rows, encoding="utf-8")
    source = open_source(path, **SHAPE, labels=True)
    assert examples(source) == [(20, 1), (0, 0), (30, 0)]
    assert source.class_names == ["a", "b"]
    assert source.description == "list list.csv, 3 pictures"
    assert [source.stem(n) for n in range(3)] == ["2", "0", "3"]
    monkeypatch.chdir(place)
    again = open_source("list.csv", **SHAPE, label_column="label")
    assert again.fingerprint() == source.fingerprint()


def test_labels_in_digits_are_numbers(place):
    lines = [f"in/{n % 4}.png,{label}" for n, label in enumerate((2, 10, 1, 0))]
    lines += [f"in/more{n}.png,{n}" for n in range(3, 10)]
    for n in range(3, 10):
        (place / "in" / f"more{n}.png").write_bytes((place / "in" / "0.png").read_bytes())
    (place / "a.csv").write_text("\n".join(["file,label", *lines]), encoding="utf-8")
    source = open_source(place / "a.csv", **SHAPE)
    assert source.class_names == [str(n) for n in range(11)]
    assert [label for _, label in examples(source)][:4] == [2, 10, 1, 0]


@pytest.mark.parametrize(
    ("text", "asked", "says"),
    [
        ("path,kind\nin/0.png,a\n", {"label_column": "label"}, "No such column; there is kind"),
        ("in/0.png,a\nin/1.png,b\n", {}, r"begins with names, .*Received: in/0.png,a in"),
        ("", {}, "Received: nothing in"),
        ("path\nin/0.png\nin/x.png\ny.png\n", {}, "2 of 3 pictures are not there, such as .*x.png"),
        ("path\n", {}, "0 of 0 pictures are not there"),
        ("path,label\nin/0.png\n", {}, "line 2 has 1 values, and the first 2 names"),
        ("path,label\nin/0.png,a\nin/0.png,b\n", {}, "there twice. Received: in/0.png"),
        (b"path,label\n\xff\xfe,a\n", {}, "Not a readable CSV file in UTF-8"),
    ],
)
def test_lists_that_cannot_be_used_are_one_line(place, text, asked, says):
    path = place / "a.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(kgan.InputError, match=says) as caught:
        open_source(path, **asked)
    assert "\n" not in str(caught.value)


def test_labels_that_cannot_be_used_are_said_and_the_pictures_stay(place, caplog):
    (place / "a.csv").write_text("path,label\nin/0.png,a\nin/1.png,\n", encoding="utf-8")
    source = open_source(place / "a.csv", **SHAPE)
    assert (source.count, source.class_names) == (2, None)
    assert "no classes: in a.csv: " in caplog.text


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_metadata_name_the_classes_of_a_folder(place, form, caplog):
    facts = [{"file_name": f"in/{n}.png", "text": "none", "label": n % 2} for n in range(4)]
    path = place / f"metadata.{form}"

    def write(rows):
        if form == "csv":
            lines = [
                ",".join(map(str, row.values()))
                for row in [dict(zip(rows[0], rows[0], strict=True)), *rows]
            ]
        else:
            lines = [json.dumps(row) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    write(facts)
    source = open_source(place, **SHAPE)
    assert examples(source) == [(0, 0), (10, 1), (20, 0), (30, 1)]
    assert source.class_names == ["0", "1"]
    assert check_folder(place, image_shape=(8, 8, 1)).classes == {"0": 2, "1": 2}
    assert open_source(place, **SHAPE, label_column="label").class_names == ["0", "1"]
    with pytest.raises(kgan.InputError, match="No such column; there is text, label"):
        open_source(place, label_column="kind")
    write(facts[:3])
    assert open_source(place, **SHAPE).class_names is None
    assert f"no classes: 1 files are not in metadata.{form}, such as in/3.png" in caplog.text
    write([{"path": "in/0.png", "label": 1}])  # another program's
    assert open_source(place, **SHAPE).class_names is None
    path.unlink()
    with pytest.raises(kgan.InputError, match=r"label_column is one of a .csv .*Received: label"):
        open_source(place, label_column="label")
