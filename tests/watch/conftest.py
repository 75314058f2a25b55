"""A run as kgan leaves it, with names that mean harm; its log and sheets by their own writers."""

import json
import shutil

import numpy as np
import pytest

from kgan.callbacks.board import Board
from kgan.images import save_png
from tests.documents import ROOT

GOLDEN = ROOT / "tests" / "goldens" / "before_house" / "run"
HARM = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
STEPS = range(50, 1001, 50)


def d_loss(step):
    return 1.386 + 0.2 * np.sin(step / 100)


@pytest.fixture
def run(tmp_path):
    """A run of 1,000 steps, with sheets, words of the doctor and an evaluation; not ended."""
    directory = tmp_path / "clothes"
    shutil.copytree(GOLDEN, directory)
    (directory / "model.keras").unlink()
    config = json.loads((directory / "config.json").read_text())
    config |= {"source": HARM, "epochs": 4, "steps": None, "minutes": None, "loss": "bce"}
    (directory / "config.json").write_text(json.dumps(config))
    noted = {"seconds": 60.0, "data": "0", "epoch_steps": 500}
    (directory / "progress.json").write_text(json.dumps(noted))
    rows = ["epoch,batches_seen,d_loss,kernel_distance", "0,500,1.4,0.3", "1,1000,1.3,0.2"]
    (directory / "history.csv").write_text("\n".join(rows) + "\n")
    rows = ["step,d_loss,d_real,d_fake,accuracy_real,accuracy_fake"]
    rows += [f"{step},1.4,0.6,{0.4 + step / 1e4},0.9,0.8" for step in STEPS]
    (directory / "curves.csv").write_text("\n".join(rows) + "\n")
    board = Board(directory / "logs")
    for step in STEPS:
        figures = {"d_loss": d_loss(step), "g_loss": 0.7, "real_logits": 1.0, "fake_logits": -1.0}
        board.scalars(step, figures)
    board.scalars(1000, {"quality/kernel_distance": 0.25, HARM: 1.0})
    board.text(400, "doctor/mode collapse", f"Mode collapse: {HARM}")
    board.text(600, "doctor/mode collapse", "mode collapse is over at step 600.")
    for step in (0, 200, 400, 1000):
        sheet = np.full((40, 60, 3), step // 4, np.uint8)
        save_png(directory / "samples" / f"step-{step:06d}.png", sheet)
    return directory
