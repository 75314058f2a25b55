"""The page's server, over HTTP."""

import contextlib
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
from PIL import Image

from kgan.cli.main import main
from kgan.loopback import RUN_PORT
from kgan.watch import WatchServer, served_beside
from tests.export.web.browser import answering


def serving(directory):
    return answering(WatchServer(directory))


def ask(server, path, method="GET", **headers):
    """(status, headers, body) of a path sent as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def test_page_news_and_sheets(run):
    with serving(run) as server:
        status, headers, page = ask(server, "/")
        assert status == 200
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert b"<script>" in page
        status, headers, body = ask(server, "/news")
        told = json.loads(body)
        assert headers["Cache-Control"] == "no-store"
        assert [step for step, _ in told["sheets"]] == [0, 200, 400, 1000]
        status, headers, body = ask(server, "/" + told["sheets"][1][1])
        assert headers["Content-Type"] == "image/png"
        assert np.asarray(Image.open(io.BytesIO(body))).mean() == 50
        address = f"/news?after={told['serial']}&session={told['session']}"
        assert json.loads(ask(server, address)[2])["log"] == {}
        for other in (address.replace("session=", "session=1"), "/news?after=x", "/news?after=-1"):
            assert json.loads(ask(server, other)[2])["log"].keys() == told["log"].keys()
        assert ask(server, "/news", "HEAD")[0::2] == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/samples/../config.json",
        "/samples/%2e%2e/config.json",
        "/samples/..%2fconfig.json",
        "/../../../../etc/passwd",
        "//etc/passwd",
        "/samples//etc/passwd",
        "/config.json",
        "/samples/config.json",
        "/samples/step-000000.png/../../config.json",
        "/samples/step-000777.png",
        "/samples/step-000000.webp",
        "/samples/",
        "/samples/private.png",
        "/samples/step-000111.png",
        "/samples/step-000222.png",
        "/model.keras",
        "/news/x",
    ],
)
def test_nothing_else_is_served(run, path):
    secret = run.parent / "secret"
    secret.write_bytes(b"\x89PNG\r\n\x1a\nsecret")
    (run / "samples" / "private.png").write_bytes(secret.read_bytes())
    (run / "samples" / "step-000111.png").symlink_to(secret)
    (run / "samples" / "step-000222.png").write_text("secret: no picture")
    with serving(run) as server:
        status, _, body = ask(server, path)
    assert status == 404
    assert b"secret" not in body
    assert b"preset" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_only_reads(run, method):
    with serving(run) as server:
        assert ask(server, "/", method)[0] == 501


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("localhost:9999", 200),  # a port that is forwarded here
        ("evil.example", 403),
        ("evil.example:{port}", 403),
        ("127.0.0.1.evil.example:{port}", 403),
        ("", 403),
    ],
)
@pytest.mark.parametrize("path", ["/", "/news", "/samples/step-000000.png"])
def test_a_name_that_leads_here_from_elsewhere_is_refused(run, host, status, path):
    with serving(run) as server:
        found = ask(server, path, Host=host.format(port=server.server_port))
    assert found[0] == status
    assert (b"clothes" in found[2]) <= (status == 200)


def test_it_listens_on_this_machine_alone_and_beside_another(run):
    with serving(run) as server, serving(run) as other:
        assert server.server_address[0] == "127.0.0.1"
        assert server.server_port != other.server_port
        assert json.loads(ask(other, "/news")[2])["name"] == "clothes"


def test_a_port_that_is_taken_or_none_is_one_line(run, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        for port in (taken.getsockname()[1], 99_999):
            assert main(["watch", str(run), "--port", str(port)]) == 2
            (line,) = capsys.readouterr().err.splitlines()
            assert line.endswith(f"Received: {port}")


@pytest.mark.parametrize("arguments", [["nowhere", "-o", "page.html"], ["."], []])
def test_what_is_no_run_is_one_line(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    assert main(["watch", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "run" in line
    assert not (tmp_path / "page.html").exists()


def test_options_of_a_served_page_do_not_go_with_a_file(run, capsys):
    assert main(["watch", str(run), "-o", "page.html", "--open"]) == 2
    assert "--open" in capsys.readouterr().err


def test_the_newest_run_is_taken_and_named(run, tmp_path, monkeypatch, capsys):
    (tmp_path / "work" / "runs").mkdir(parents=True)
    (tmp_path / "work" / "runs" / "zoo").mkdir()  # no run
    for name, when in (("b", 2000), ("c", 1000)):
        (tmp_path / "work" / "runs" / name).mkdir()
        copy = tmp_path / "work" / "runs" / name / "config.json"
        copy.write_bytes((run / "config.json").read_bytes())
        os.utime(copy, (when, when))
    monkeypatch.chdir(tmp_path / "work")
    assert main(["watch", "-o", "page.html"]) == 0
    assert capsys.readouterr().out.splitlines() == ["the newest run: runs/b", "page.html"]


def test_it_starts_without_tensorflow_and_ctrl_c_ends_it(run):
    code = (
        "import sys\n"
        "from kgan.cli.main import main\n"
        "code = main(sys.argv[1:])\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
        "sys.exit(code)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "watch", str(run)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    url = process.stdout.readline().split()[0]
    assert json.loads(urllib.request.urlopen(url + "news").read())["facts"]["step"] == 1000
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert (process.returncode, output, errors) == (0, "", "")


class AsksAtOnce(io.StringIO):
    """Where a training says what it does: as soon as there is an address, the run is asked for."""

    told = None

    def write(self, text):
        address = re.search(r"watch: (http://127.0.0.1:\d+/)\n", super().getvalue() + text)
        if address and self.told is None:
            self.told = json.loads(urllib.request.urlopen(address[1] + "news").read())
            self.url = address[1]
        return super().write(text)


def test_a_training_serves_its_own_page_while_it_lasts(tmp_path, monkeypatch):
    small = ["--preset", "gan", "--size", "8x8", "--filters", "2", "--batch-size", "16"]
    place = ["--name", "seen", "--out", str(tmp_path)]
    said = AsksAtOnce()
    with contextlib.redirect_stderr(said):
        assert main(["train", *small, "--steps", "2", *place, "--watch"]) == 0
    assert (said.told["name"], said.told["state"]) == ("seen", "training")
    assert dict(said.told["settings"])["preset"] == "gan"
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(said.url)
    noted = json.loads((tmp_path / "seen" / "progress.json").read_text())
    assert noted["epoch_steps"] == 6000 // 16


def test_a_page_that_cannot_be_served_does_not_end_a_training(run, capsys):
    reached = []
    with contextlib.ExitStack() as open_files:
        import resource

        # No more files can be opened, and so no socket.
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        highest = max(int(name) for name in os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest, limits[1]))
        open_files.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        for _ in range(highest):
            try:
                open_files.enter_context(open(os.devnull))
            except OSError:
                break
        with served_beside(run):
            reached.append(True)
    assert reached == [True]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("no page to watch (")


def test_the_port_stays_where_it_is_free(run):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", RUN_PORT), 1):
        pytest.skip("something else is served there")
    with serving(run) as server:
        assert server.server_port == RUN_PORT
