"""Signals that end a command: what it began is taken away again."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, ClassVar


class Interruptible:
    """Context manager: Ctrl-C, SIGTERM and SIGHUP raise KeyboardInterrupt.

    One that the process was started to ignore, as by `nohup`, is ignored.

    Attributes:
        came: one has come. What it raises within C code can come out as an error of another
            kind.
    """

    SIGNALS: ClassVar[tuple[str, ...]] = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows lacks the last

    def __init__(self) -> None:
        self.came = False

    def __enter__(self) -> Interruptible:
        self._before: dict[signal.Signals, Any] = {}
        if threading.current_thread() is threading.main_thread():  # Python takes none elsewhere
            for number in (getattr(signal, n) for n in self.SIGNALS if hasattr(signal, n)):
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        raise KeyboardInterrupt
