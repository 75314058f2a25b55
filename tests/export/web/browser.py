"""A static server and real Chromium, for the tests of the browser page."""

import contextlib
import functools
import http.server
import os
import shutil
import threading

import numpy as np

CLASSES = ["Coat", "Bag", "Ankle boot"]
SUM = "A \N{MINUS SIGN} B + C"
# float32 sums are not added in the same order everywhere: a picture may differ by a rounding.
LEVELS = 2
# The headless build: the full one, on a busy machine, at times gives a page no frames for minutes.
CHROMIUM = shutil.which("chromium-headless-shell")


@contextlib.contextmanager
def serving(directory):
    """Serves a directory as `python -m http.server` does; gives its URL."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=directory)
    )
    with answering(server):
        yield f"http://127.0.0.1:{server.server_port}/"


@contextlib.contextmanager
def answering(server):
    """A server, which answers meanwhile."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def chromium():
    """Debian's Chromium, headless."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver, launched(driver.chromium) as browser:
        yield browser


@contextlib.contextmanager
def launched(kind, *arguments):
    """A browser of playwright's kind, with more arguments."""
    # Its sandbox does not start for root, who runs tests in containers.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = kind.launch(executable_path=CHROMIUM, args=[*sandbox, *arguments])
    yield browser
    browser.close()


class Visit:
    """A page opened in a fresh profile, or one that is yet to go to its URL.

    Attributes:
        tab: playwright's Page.
        messages: what the console said and what went wrong, as text.
        requests: the URLs asked for.
    """

    def __init__(self, browser, url=None, **context):
        self.context = browser.new_context(**context)
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(120_000)  # a busy machine is slow, not wrong
        self.messages, self.requests = [], []
        self.tab.on("console", lambda message: self.messages.append(message.text))
        self.tab.on("pageerror", lambda error: self.messages.append(str(error)))
        self.context.on("request", lambda request: self.requests.append(request.url))
        if url:
            self.tab.goto(url)

    def ready(self):
        """Waits until the first samples are drawn."""
        self.tab.wait_for_selector("#page:not([hidden])")
        return self

    def pixels(self, selector):
        """The canvases of a selector, uint8 (N, H, W, 4); all are of one size."""
        width, height, levels = self.tab.eval_on_selector_all(
            selector,
            """canvases => {
                const { width, height } = canvases[0];
                const copy = new OffscreenCanvas(width, height);
                const context = copy.getContext("2d", { willReadFrequently: true });
                const levels = canvases.flatMap((canvas) => {
                    context.clearRect(0, 0, width, height);
                    context.drawImage(canvas, 0, 0);
                    return Array.from(context.getImageData(0, 0, width, height).data);
                });
                return [width, height, levels];
            }""",
        )
        return np.asarray(levels, np.uint8).reshape(-1, height, width, 4)

    def samples(self):
        """The grid's pictures, when all are drawn."""
        self.tab.wait_for_selector("#grid[aria-busy=false]")
        return self.pixels("#grid canvas")

    def set(self, selector, value):
        """Moves a slider."""
        self.tab.locator(selector).fill(str(value))

    def caption(self, text):
        """Waits until the shown picture has this caption; returns the picture, (1, H, W, 4)."""
        self.tab.wait_for_function(
            "text => document.getElementById('caption').textContent === text", arg=text
        )
        return self.pixels("#shown")


def assert_drawn(shown, expected):
    """RGBA pixels of the page against uint8 pictures."""
    expected = np.broadcast_to(expected, (*expected.shape[:-1], 3)).astype(int)
    assert expected.std() > 10  # pictures, not one grey
    assert shown.shape == (*expected.shape[:-1], 4)
    assert (shown[..., 3] == 255).all()
    assert np.abs(shown[..., :3].astype(int) - expected).max() <= LEVELS
