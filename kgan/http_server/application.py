"""The HTTP application of `kgan serve`: what each address answers, and what is refused."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import time
from collections.abc import AsyncIterator

import numpy as np
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from kgan import images as image_tools
from kgan.channels import PICTURES
from kgan.errors import InputError
from kgan.files import printable
from kgan.http_server.asked import Asked, asked, of_address, of_body
from kgan.http_server.batched import Batches, NoRoom, NotDrawn
from kgan.http_server.request_metrics import RequestMetrics
from kgan.http_server.serve_options import ServeOptions
from kgan.loopback import ASK_HERE, OWN_NAMES, is_own_name
from kgan.runtime import Generator

MOST_BYTES = 65536  # of a body
SECONDS = 30  # for a request to come, to be drawn, and to be read
AGAIN_SECONDS = 1  # after which one that was refused for want of room may come again
PATHS = ("/", "/generate", "/health", "/metrics")
MEDIA_TYPES = {
    "png": "image/png",
    "json": "application/json",
    "npy": "application/octet-stream",
}
OPEN = "kgan.open"  # in a request's scope: what is closed when its answer is sent


def encoded(images: np.ndarray, of: Asked) -> bytes:
    """Pictures in the format that was asked for.

    Args:
        images: uint8 array (n, H, W, C).
        of: what was asked for.

    Returns:
        "png": the picture, or a sheet of several as `kgan generate` draws it; "json": each by
        its seed as PNG in base64; "npy": the array. A PNG is the file that
        `kgan generate --separate` writes.
    """
    if of.format == "json":
        drawn = [
            {
                "seed": seed,
                "png": base64.b64encode(image_tools.png_bytes(image, drawn=True)).decode(),
            }
            for seed, image in zip(of.seeds, images, strict=True)
        ]
        return json.dumps({"images": drawn}).encode()
    if of.format == "npy":
        file = io.BytesIO()
        np.save(file, images, allow_pickle=False)
        return file.getvalue()
    whole = images[0] if len(images) == 1 else image_tools.grid(images)
    return image_tools.png_bytes(whole, drawn=True)


class Application:
    """An ASGI application that draws with a generator.

    Args:
        generator: draws.
        options: which names are its own, what is drawn together, and how much is taken.
    """

    def __init__(self, generator: Generator, options: ServeOptions) -> None:
        self.generator = generator
        self.own_names_alone = options.host in OWN_NAMES
        is_picture = generator.image_shape[2] in PICTURES
        self.formats = tuple(MEDIA_TYPES) if is_picture else ("npy",)
        self.batches = Batches(
            generator,
            encoded,
            most=options.batch_size,
            wait=options.batch_wait_ms / 1000,
            queue=options.queue,
            drawn=lambda count: self.metrics.note_batch(count),
        )
        self.metrics = RequestMetrics(PATHS, options.batch_size, lambda: self.batches.in_hand)
        self._routes = Starlette(
            routes=[
                Route("/", self.about),
                Route("/generate", self.generate, methods=["GET", "POST"]),
                Route("/health", self.health),
                Route("/metrics", self.figures),
            ],
            exception_handlers={
                InputError: lambda request, error: refusal(400, str(error)),
                NoRoom: lambda request, error: refusal(503, str(error)),
                NotDrawn: lambda request, error: refusal(500, str(error)),
                HTTPException: _by_http,
                ClientDisconnect: lambda request, error: refusal(400, "Half a request"),
                Exception: lambda request, error: refusal(500, "A fault of the server's own"),
            },
            lifespan=self._drawing,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, within its time, and counts it."""
        if scope["type"] != "http":
            await self._routes(scope, receive, send)
            return
        begun, status = time.perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
            await send(message)

        try:
            with contextlib.ExitStack() as scope[OPEN]:
                async with asyncio.timeout(SECONDS):
                    await self._checked(scope, receive, noting)
        except TimeoutError:
            if not status:  # else nobody reads the answer: the connection is closed
                late = f"Not answered within {SECONDS} seconds: ask again later, or for less"
                await refusal(503, late)(scope, receive, noting)
        finally:
            if status:  # else the server is being ended by force
                self.metrics.note_answer(scope["path"], status, time.perf_counter() - begun)

    async def _checked(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.own_names_alone and not is_own_name(Request(scope).headers.get("host", "")):
            await refusal(403, ASK_HERE)(scope, receive, send)
        else:
            await self._routes(scope, receive, send)

    @contextlib.asynccontextmanager
    async def _drawing(self, _: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(self.batches.run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def generate(self, request: Request) -> Response:
        """Pictures: by an address a PNG, by a body of JSON what it asks for."""
        formats = self.formats
        if request.method == "POST":
            values = of_body(await _body(request))
            formats = tuple(sorted(formats, key="json".__ne__))  # which is the usual one
        else:
            values = of_address(request.query_params.multi_items())
        wanted = asked(values, self.generator, self.batches.most, formats)
        request.scope[OPEN].enter_context(self.batches.room_for(len(wanted.seeds)))
        return Response(await self.batches.draw(wanted), media_type=MEDIA_TYPES[wanted.format])

    async def about(self, _: Request) -> Response:
        """One line: what is drawn, and how to ask."""
        info = self.generator.info
        size = "x".join(map(str, self.generator.image_shape))
        what = f"{printable(info['name'])}, version {info['version']}: pictures of {size}"
        if self.generator.attributes is not None:
            what += f"; attributes {printable(self.generator.attributes.in_words())}"
        elif self.generator.num_classes is not None:
            names = self.generator.class_names or range(self.generator.num_classes)
            what += f"; classes {printable(', '.join(map(str, names)))}"
        return PlainTextResponse(
            f"{what}. GET /generate?seed=7, POST /generate of JSON, /health, /metrics\n"
        )

    async def health(self, _: Request) -> Response:
        """That it draws."""
        return JSONResponse({"status": "ok"})

    async def figures(self, _: Request) -> Response:
        """What Prometheus reads."""
        return Response(self.metrics.page(), headers={"content-type": CONTENT_TYPE_LATEST})


def refusal(status: int, line: str) -> Response:
    """What was wrong, as JSON in one line."""
    headers = {"retry-after": str(AGAIN_SECONDS)} if status == 503 else None
    return JSONResponse({"error": line}, status, headers)


def _by_http(request: Request, error: Exception) -> Response:
    """What Starlette refuses, and what is too long: an address that is not there, a method."""
    assert isinstance(error, HTTPException)
    line = {
        404: f"There are {', '.join(PATHS)}. Received: {printable(request.url.path, 60)}",
        405: f"This address does not take that method. Received: {printable(request.method, 60)}",
    }.get(error.status_code, error.detail)
    answer = refusal(error.status_code, line)
    answer.headers.update(error.headers or {})
    return answer


async def _body(request: Request) -> bytes:
    """A request's body, which is not read to its end where it is too long."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"A body has at most {MOST_BYTES} bytes. Received: more")
    return bytes(body)
