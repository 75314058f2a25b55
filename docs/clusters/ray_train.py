"""Trains with kgan on the workers that Ray Train starts; a worker that dies has all resume.

    python ray_train.py photos --workers 2 -- photos/ --minutes 60

The run is runs/photos; what follows `--` is given to `kgan train`. Ray gives each worker its
TF_CONFIG, which is all that kgan asks for. The folder must be the same for all workers.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import ray
from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.tensorflow import TensorflowTrainer


def train(config: dict[str, Any]) -> None:
    """What each worker does, in a process of its own."""
    from kgan.cli.main import main

    os.chdir(config["folder"])
    run = Path("runs", config["name"])
    # All look before the first of them writes: kgan's workers meet in between.
    if (run / "config.json").exists():
        arguments = ["--resume", str(run)]
    else:
        arguments = [*config["arguments"], "--name", config["name"]]
    print(f"process {os.getpid()} is worker {ray.train.get_context().get_world_rank()}", flush=True)
    code = main(["train", *arguments])
    if code:
        raise RuntimeError(f"kgan train ended with {code}")


def run(name: str, workers: int, failures: int, arguments: list[str]) -> None:
    """Starts the workers, again where one fails, and waits for them."""
    folder = Path.cwd()
    TensorflowTrainer(
        train,
        train_loop_config={"name": name, "folder": str(folder), "arguments": arguments},
        scaling_config=ScalingConfig(num_workers=workers),
        run_config=RunConfig(
            name=name,
            storage_path=str(folder / "ray"),
            failure_config=FailureConfig(max_failures=failures),
        ),
    ).fit()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="of the run")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--failures", type=int, default=3, help="how often all begin again")
    own = sys.argv[1:]
    at = own.index("--") if "--" in own else len(own)
    given = parser.parse_args(own[:at])
    run(given.name, given.workers, given.failures, own[at + 1 :])
