"""The options of `kgan serve`."""

from __future__ import annotations

import dataclasses

from kgan.errors import InputError
from kgan.loopback import HOST, PAGE_PORT
from kgan.option_fields import FROM_ZERO, NOT_NEGATIVE, TEXT, WHOLE, check_options, option

ADDRESS, LIMITS = "address", "limits"
HOSTS = dataclasses.replace(TEXT, metavar="HOST")


@dataclasses.dataclass(frozen=True)
class ServeOptions:
    """Where an export is served, and what is taken.

    Raises:
        InputError: a value that its option cannot have, or a queue without room for a whole batch.
    """

    host: str = option(
        HOST, HOSTS, "of the address; 0.0.0.0 is every network of this machine", ADDRESS
    )
    port: int = option(PAGE_PORT, FROM_ZERO, "of the address; 0 for any that is free", ADDRESS)
    batch_size: int = option(
        64, WHOLE, "pictures that are drawn together, and of one request, at most", LIMITS
    )
    batch_wait_ms: float = option(
        2.0, NOT_NEGATIVE, "milliseconds that a request waits for others to join it", LIMITS
    )
    queue: int = option(
        1024,
        WHOLE,
        "pictures that are asked for and not answered yet, at most; more are refused with 503",
        LIMITS,
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.queue < self.batch_size:
            raise InputError(
                f"A queue has room for one batch of {self.batch_size} at least. "
                f"Received: {self.queue}"
            )
