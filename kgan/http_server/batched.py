"""Joins what is asked for at the same time into one run of onnxruntime."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import logging
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from kgan import latents as latent_law
from kgan.errors import KganError
from kgan.files import first_line
from kgan.http_server.asked import Asked
from kgan.runtime import Generator

log = logging.getLogger(__name__)


class NoRoom(KganError):
    """More pictures are asked for at a time than are taken."""


class NotDrawn(KganError):
    """The model could not be run."""


@dataclasses.dataclass(eq=False)
class _Waiting:
    asked: Asked
    since: float  # by the event loop's clock
    answer: asyncio.Future[bytes]


class Batches:
    """Draws what several requests ask for together.

    Each picture is the one of its seed, whatever it is drawn with: latents come from the seed
    alone, and onnxruntime gives a row of a batch what it gives it alone.

    Args:
        generator: draws.
        encode: makes an answer of the pictures, uint8 (n, H, W, C), of what was asked for.
        most: pictures of one run; no request may be for more.
        wait: seconds that a request waits for others, while no other run is under way.
        queue: pictures that are asked for and not answered yet, at most.
        drawn: told the number of pictures of each run.
    """

    def __init__(
        self,
        generator: Generator,
        encode: Callable[[np.ndarray, Asked], bytes],
        *,
        most: int,
        wait: float,
        queue: int,
        drawn: Callable[[int], None],
    ) -> None:
        self.generator = generator
        self.encode = encode
        self.most, self.wait, self.queue = most, wait, queue
        self.drawn = drawn
        self.in_hand = 0
        self._waiting: collections.deque[_Waiting] = collections.deque()
        self._came = asyncio.Event()

    @contextlib.contextmanager
    def room_for(self, n: int) -> Iterator[None]:
        """Context manager: n pictures are in hand.

        Raises:
            NoRoom: there would be more than the queue takes.
        """
        if self.in_hand + n > self.queue:
            raise NoRoom(
                f"{self.in_hand} pictures are being drawn or wait, at most {self.queue} do: ask "
                f"again later. Received: {n} more"
            )
        self.in_hand += n
        try:
            yield
        finally:
            self.in_hand -= n

    async def draw(self, asked: Asked) -> bytes:
        """The answer, when it is drawn and encoded.

        Raises:
            NotDrawn: the model could not be run.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(asked, loop.time(), loop.create_future())
        self._waiting.append(waiting)
        self._came.set()
        try:
            return await waiting.answer
        finally:
            if waiting in self._waiting:  # given up: nobody waits for it
                self._waiting.remove(waiting)

    async def run(self) -> None:
        """Draws until it is cancelled, a batch at a time."""
        while True:
            batch = await self._gathered()
            try:
                images = await asyncio.to_thread(self._images, [one.asked for one in batch])
                self.drawn(len(images))
                ends = np.cumsum([len(one.asked.seeds) for one in batch])
                parts = np.split(images, ends[:-1])
                # Before the next run, so that one batch alone is in memory as it was drawn.
                answers = await asyncio.gather(
                    *(
                        asyncio.to_thread(self.encode, part, one.asked)
                        for part, one in zip(parts, batch, strict=True)
                    )
                )
            except Exception as error:  # of onnxruntime's, of memory's
                log.exception("A batch of %d requests was not drawn", len(batch))
                for one in batch:
                    if not one.answer.done():
                        one.answer.set_exception(NotDrawn(f"Not drawn: {first_line(error)}"))
                continue
            for one, answer in zip(batch, answers, strict=True):
                if not one.answer.done():
                    one.answer.set_result(answer)

    async def _gathered(self) -> list[_Waiting]:
        """What is drawn next, in the order in which it came."""
        while not self._waiting:
            await self._more()
        until = self._waiting[0].since + self.wait
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                while sum(len(one.asked.seeds) for one in self._waiting) < self.most:
                    await self._more()
        batch: list[_Waiting] = []
        count = 0
        while self._waiting and count + len(self._waiting[0].asked.seeds) <= self.most:
            batch.append(self._waiting.popleft())
            count += len(batch[-1].asked.seeds)
        return batch or await self._gathered()  # where all were given up meanwhile

    async def _more(self) -> None:
        self._came.clear()
        await self._came.wait()

    def _images(self, together: Sequence[Asked]) -> np.ndarray:
        law = self.generator.info["latents"]
        latents = [
            latent_law.from_seeds(one.seeds, law["dim"], law["distribution"], one.truncation)
            for one in together
        ]
        labels = [one.labels for one in together if one.labels is not None]
        return self.generator.from_latents(
            np.concatenate(latents), np.concatenate(labels) if labels else None
        )
