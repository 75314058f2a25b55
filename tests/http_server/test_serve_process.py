"""`kgan serve` as a process: where it listens, how it ends, and what it never imports."""

import concurrent.futures
import re
import signal
import subprocess
import sys

import pytest

from kgan.cli.main import main
from tests.documents import ROOT
from tests.http_server.ask import ask, wait_for

EXPORT = str(ROOT / "saved_models/clothes_dcgan")
PROCESS = """
import sys
from kgan.cli.main import main
code = main(sys.argv[1:])
print(*sorted({"tensorflow", "keras"} & set(sys.modules)))
sys.exit(code)
"""


def test_sigterm_ends_it_when_what_has_begun_is_answered(capsys):
    words = ["serve", EXPORT, "--port", "0", "--batch-wait-ms", "2000"]
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("http://127.0.0.1:")
        assert line.endswith("/   (Ctrl-C ends it)\n")
        port = int(line.split("/")[2].rpartition(":")[2])

        assert main(["serve", EXPORT, "--port", str(port)]) == 2
        (said,) = capsys.readouterr().err.splitlines()
        assert "Nothing can be served there" in said
        assert f"--port takes one that is free. Received: 127.0.0.1:{port}" in said

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(ask, port, "/generate?seed=7")
            wait_for(port, 1)
            process.send_signal(signal.SIGTERM)
            assert asked.result()[0] == 200
        assert process.communicate(timeout=30) == ("\n", "")  # neither tensorflow nor keras
        assert process.returncode == 0
    finally:
        process.kill()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nothing"], "Not an export: expected an .onnx file, or a directory .* Received: nothing"),
        ([EXPORT, "--precision", "int8"], "There is no|not in int8"),
        ([EXPORT, "--port", "65536"], "Nothing can be served there .* Received: 127.0.0.1:65536"),
        ([EXPORT, "--host", "256.0.0.1"], "Nothing can be served there .* 256.0.0.1:8000"),
        ([EXPORT, "--queue", "8"], "A queue has room for one batch of 64 at least. Received: 8"),
    ],
)
def test_what_cannot_be_served_is_one_line(capsys, words, says):
    assert main(["serve", *words]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert re.search(says, said)
