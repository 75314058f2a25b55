"""Options of tables and lists reach the data, are kept for a resume, and stay with their own."""

import os

import numpy as np
from PIL import Image

from kgan.data.splits import ALL
from kgan.runs import build, naming, resolving
from kgan.runs.options import RunOptions


def test_label_columns_reach_the_data_and_stay_with_them(tmp_path):
    for n in range(3):
        Image.fromarray(np.full((8, 8), 10 * n, np.uint8)).save(tmp_path / f"{n}.png")
    rows = "path,label,kind\n0.png,a,x\n1.png,b,y\n2.png,c,x\n"
    (tmp_path / "list.csv").write_text(rows, encoding="utf-8")
    np.savez(tmp_path / "other.npz", images=np.zeros((2, 8, 8), np.uint8), labels=[0, 1])
    data, size = str(tmp_path / "list.csv"), (8, 8, 1)
    options = RunOptions(data=data, size=size, label_column="kind", conditional=True)
    assert build.open_source(options).class_names == ["x", "y"]
    other = build.source_of(options, str(tmp_path / "other.npz"))
    assert other.class_names == ["0", "1"]


def test_sets_of_hugging_face_are_found_from_any_directory(tmp_path, monkeypatch):
    (tmp_path / "sets" / "birds").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    whole = f"hf:{os.path.realpath(tmp_path)}/sets/birds"
    assert resolving._from_anywhere("hf:sets/birds") == whole
    assert resolving._from_anywhere("hf:someone/birds") == "hf:someone/birds"
    assert naming._default_name("dcgan", "hf:sets/birds").startswith("dcgan-birds-")


def test_a_folder_of_cifar_is_resumed_with_its_split(tmp_path):
    images = np.arange(10 * 3072, dtype=np.uint32).astype(np.uint8).reshape(10, 3072)
    labelled = np.concatenate([np.arange(10, dtype=np.uint8)[:, None], images], axis=1)
    for name, rows in (("data_batch_1.bin", labelled), ("test_batch.bin", labelled[:4])):
        (tmp_path / name).write_bytes(rows.tobytes())
    (tmp_path / "batches.meta.txt").write_text("\n".join("abcdefghij"), encoding="utf-8")
    for split, count in ((None, 10), ("test", 4), (ALL, 14)):
        source = build.open_source(RunOptions(data=str(tmp_path), split=split))
        assert (source.count, source.split) == (count, split or "train")
