"""`kgan serve-page`: what it sends, and to whom. That threads run with it is seen in a browser."""

import http.client
import signal
import subprocess
import sys

import pytest

from kgan.cli.main import main
from kgan.page_server import PageServer
from tests.export.web.browser import answering


@pytest.fixture
def server(tmp_path):
    page = tmp_path / "page"
    (page / "ort").mkdir(parents=True)
    (page / "index.html").write_text("<title>a page</title>", encoding="utf-8")
    (page / "ort" / "ort.mjs").write_text("export {}", encoding="utf-8")
    (page / "ort" / "ort.wasm").write_bytes(b"\0asm")
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    with answering(PageServer(page)) as server:
        yield server


def ask(server, path, host="127.0.0.1", method="GET"):
    """(status, headers, body) of a path sent as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/ort/ort.mjs", "text/javascript"),
        ("/ort/ort.wasm", "application/wasm"),
    ],
)
def test_files_come_isolated_and_by_their_kind(server, path, kind):
    status, headers, body = ask(server, path)
    assert status == 200
    assert headers["Content-Type"] == kind
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert ask(server, path, method="HEAD")[::2] == (200, b"")
    assert int(headers["Content-Length"]) == len(body)


@pytest.mark.parametrize("path", ["/ort/", "/../secret", "/%2e%2e/secret", "//secret", "/none"])
def test_nothing_else_comes(server, path):
    status, _, body = ask(server, path)
    assert status == 404
    assert b"secret" not in body
    assert b"ort.mjs" not in body


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_another_sites_name_is_refused(server, method):
    status, _, body = ask(server, "/", "evil.example", method)
    assert status == 403
    assert b"a page" not in body
    assert ask(server, "/", f"localhost:{server.server_port}", method)[0] == 200


def test_what_is_no_page_is_one_line(tmp_path, capsys):
    assert main(["serve-page", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "Not a page: a folder with index.html" in line
    assert str(tmp_path) in line


def test_ctrl_c_ends_it(server):
    taken = str(server.server_port)
    words = [sys.executable, "-m", "kgan", "serve-page", str(server.directory)]
    done = subprocess.run([*words, "--port", taken], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "No page can be served there" in done.stderr
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    assert line.startswith("http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0
