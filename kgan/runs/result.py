"""What a training of a run comes to."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from kgan.callbacks import ProgressLine
from kgan.commands import command_line, resuming
from kgan.files import aligned, printable

NEXT = ("generate", "export")


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What a training did.

    Attributes:
        directory: the run's directory.
        steps: steps taken now; 0 where the goal was reached before.
        images_per_second: mean rate after the first step.
        skipped: images that could not be decoded, path -> reason.
        interrupted: it was stopped by Ctrl-C, SIGTERM or SIGHUP.
    """

    directory: Path
    steps: int
    images_per_second: float
    skipped: dict[str, str]
    interrupted: bool

    @classmethod
    def after(
        cls, directory: Path, progress: ProgressLine, skipped: dict[str, str], interrupted: bool
    ) -> RunResult:
        """The result of a training that a progress line has followed."""
        rate = progress.images_per_second()
        return cls(directory, progress.steps_taken, rate, skipped, interrupted)

    def in_words(self) -> str:
        """Lines that say what was done and what can be done next; the last is the directory."""
        lines = []
        if self.skipped:
            lines.append(f"skipped {len(self.skipped)} pictures that could not be decoded")
        if self.steps or self.interrupted:
            lines.append(f"{self.steps} steps at {self.images_per_second:.0f} images/s")
        else:
            lines.append(
                "this run has reached its goal; --epochs, --steps or --minutes trains it further"
            )
        if self.interrupted:
            lines.append(f"interrupted and saved; to go on: {resuming(self.directory)}")
        else:
            commands = [command_line("kgan", what, self.directory) for what in NEXT]
            lines += aligned(list(zip(("next:", ""), commands, strict=True)))
        return "\n".join([*lines, printable(self.directory, None)])
