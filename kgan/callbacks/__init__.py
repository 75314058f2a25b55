"""Callbacks for `fit` that watch a training, for users and for the command line."""

from kgan.callbacks.checkpoint import Checkpoint
from kgan.callbacks.csv_history import CSVHistory
from kgan.callbacks.curves import Curves
from kgan.callbacks.curves_picture import CurvesPicture
from kgan.callbacks.ema import EMA
from kgan.callbacks.latent_walk import LatentWalk
from kgan.callbacks.measure_quality import Evaluate
from kgan.callbacks.progress import ProgressLine
from kgan.callbacks.roll_back import RollBack
from kgan.callbacks.run_doctor import RunDoctor
from kgan.callbacks.sample_sheets import ReconstructionStrip, SampleGrid
from kgan.callbacks.stopping import StopAfter, StopOnInterrupt
from kgan.callbacks.track import Track

__all__ = [
    "EMA",
    "CSVHistory",
    "Checkpoint",
    "Curves",
    "CurvesPicture",
    "Evaluate",
    "LatentWalk",
    "ProgressLine",
    "ReconstructionStrip",
    "RollBack",
    "RunDoctor",
    "SampleGrid",
    "StopAfter",
    "StopOnInterrupt",
    "Track",
]
