"""What Prometheus reads at `/metrics`."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class RequestMetrics:
    """Counts requests, their time, and what is drawn together.

    Args:
        paths: those that are counted by themselves; whatever else is asked for is "other".
        most: pictures of one batch.
        in_hand: gives the number of pictures that are asked for and not answered yet.
    """

    def __init__(self, paths: tuple[str, ...], most: int, in_hand: Callable[[], float]) -> None:
        self.paths = paths
        self.registry = CollectorRegistry()  # of its own: a process can have several servers
        ProcessCollector(registry=self.registry)  # memory, processor time, open files
        self._requests = Counter(
            "kgan_requests", "Requests answered", ["path", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "kgan_request_seconds",
            "From a request's headers to the end of its answer",
            ["path"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._images = Counter("kgan_images", "Pictures drawn", registry=self.registry)
        self._batches = Histogram(
            "kgan_batch_images",
            "Pictures drawn together in one run of onnxruntime",
            buckets=[2**k for k in range(most.bit_length()) if 2**k < most] + [most],
            registry=self.registry,
        )
        Gauge(
            "kgan_images_in_hand", "Pictures asked for, not yet answered", registry=self.registry
        ).set_function(in_hand)

    def note_answer(self, path: str, status: int, seconds: float) -> None:
        """Counts a request that was answered."""
        known = path if path in self.paths else "other"
        self._requests.labels(known, status).inc()
        self._seconds.labels(known).observe(seconds)

    def note_batch(self, images: int) -> None:
        """Counts what was drawn together."""
        self._images.inc(images)
        self._batches.observe(images)

    def page(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self.registry)
