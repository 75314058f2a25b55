"""The process of one variant: it trains when it is told to, and answers in lines of JSON."""

import importlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

WARM_STEPS = 3


def main(order: str) -> None:
    """Does what it is told to.

    Args:
        order: JSON {"row": the row's fields, "variant": the variant's fields, "do": what},
            and where it trains at once {"steps": how many}. "turns" waits for the lines of
            stdin, each the steps of one turn; "fit" trains and saves; "work" counts what a
            step computes.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no answer
    from training_speed.rows import Row, Variant

    order = json.loads(order)
    row, variant = Row(**order["row"]), Variant(**order["variant"])
    side = importlib.import_module(f"training_speed.{variant.framework}_side")
    trainer = getattr(side, variant.trainer)(row, variant)

    def answer(**facts: Any) -> None:
        answers.write(json.dumps(facts) + "\n")

    if order["do"] == "fit":
        trainer.run(order["steps"])
        with tempfile.TemporaryDirectory() as place:
            trainer.save(str(Path(place) / "saved"))
    elif order["do"] == "work":
        answer(**trainer.work())
    else:
        take_turns(trainer, answer)


def take_turns(trainer: Any, answer: Any) -> None:
    """Warms up and says so; then a turn for each line of stdin."""
    from training_speed.machine import memory

    before = memory("VmRSS")
    trainer.run(WARM_STEPS)
    answer(parameters=trainer.parameters, device=trainer.device)
    for line in sys.stdin:
        timed = trainer.run(int(line))
        # Before the matrices of the peak come into memory.
        held, on_device = memory("VmHWM"), trainer.device_memory()
        of_steps = None if held is None or before is None else held - before
        answer(
            **timed,
            memory=held,
            steps_memory=of_steps,
            device_memory=on_device,
            peak=trainer.peak(),
        )
