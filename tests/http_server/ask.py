"""A server of `kgan serve` in a thread, and what asks it."""

import contextlib
import http.client
import json
import threading
import time

from prometheus_client.parser import text_string_to_metric_families

from kgan.http_server.export_server import ExportServer
from kgan.http_server.serve_options import ServeOptions


@contextlib.contextmanager
def served(generator, **options):
    """A server on a free port, which answers meanwhile; gives its port."""
    server = ExportServer(generator, ServeOptions(**{"port": 0, **options}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.stop()
        thread.join(timeout=30)
        assert not thread.is_alive()


def ask(port, path, body=None, method=None, headers=None):
    """(status, headers, body) of one request; a body that is no bytes is sent as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    method = method or ("GET" if body is None else "POST")
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    with contextlib.closing(connection):
        return answer.status, answer.headers, answer.read()


def figures(port):
    """(name, labels' values) -> value of all that Prometheus would read."""
    text = ask(port, "/metrics")[2].decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def wait_for(port, in_hand):
    """Returns when that many pictures are asked for and not answered."""
    until = time.monotonic() + 20
    while figures(port)[("kgan_images_in_hand",)] != in_hand:
        assert time.monotonic() < until
        time.sleep(0.01)
