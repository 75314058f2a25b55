"""`kgan serve`: its pictures are those of `kgan generate`, and what else is asked is refused."""

import base64
import concurrent.futures
import functools
import io
import json
import re
import socket

import numpy as np
import onnx
import pytest

from kgan.cli.main import main
from kgan.http_server import application
from kgan.http_server.export_server import ExportServer
from kgan.http_server.serve_options import ServeOptions
from kgan.runtime import Generator
from tests.documents import ROOT
from tests.http_server.ask import ask, figures, served, wait_for
from tests.untrusted import tiny


@functools.cache
def shipped(name):
    """A generator of saved_models/."""
    return Generator(ROOT / f"saved_models/{name}_dcgan")


@pytest.fixture(scope="module")
def faces():
    """The port of a server of faces that does not wait for more to draw."""
    with served(shipped("faces"), batch_wait_ms=0) as port:
        yield port


@pytest.fixture(scope="module")
def clothes():
    """The same of clothes, with few pictures in a batch."""
    with served(shipped("clothes"), batch_wait_ms=0, batch_size=4) as port:
        yield port


def refused(answer, status):
    """The line of a refusal."""
    assert answer[0] == status, answer
    (line,) = json.loads(answer[2]).values()
    assert "\n" not in line
    return line


def arrays(answer):
    """What came in format=npy."""
    assert answer[0] == 200, answer
    return np.load(io.BytesIO(answer[2]), allow_pickle=False)


@pytest.mark.parametrize(
    ("words", "address", "body"),
    [
        (["--seeds", "7"], "seed=7", {"seed": 7}),
        (
            ["--seeds", "9,2", "--class", "Bag", "--class", "3", "--truncation", "0.5"],
            "seeds=9,2&class=bag&class=3&truncation=0.5",
            {"seeds": [9, 2], "class": ["Bag", 3], "truncation": 0.5},
        ),
        (["--seed", "5", "-n", "3"], "seed=5&n=3", {"seed": 5, "n": 3}),
    ],
)
def test_what_comes_is_what_kgan_generate_writes(clothes, tmp_path, words, address, body):
    sheet, folder = tmp_path / "sheet.png", tmp_path / "separate"
    command = ["generate", str(ROOT / "saved_models/clothes_dcgan"), *words, "-o", str(sheet)]
    assert main([*command, "--separate", str(folder)]) == 0
    files = {path.stem: path.read_bytes() for path in folder.iterdir()}
    status, headers, data = ask(clothes, f"/generate?{address}")
    assert (status, headers["Content-Type"]) == (200, "image/png")
    assert data == (sheet.read_bytes() if len(files) > 1 else files["seed-000007"])
    status, _, data = ask(clothes, "/generate", body)
    images = json.loads(data)["images"]
    assert {f"seed-{one['seed']:06d}": base64.b64decode(one["png"]) for one in images} == files


def test_attributes_are_asked_for_by_name(faces):
    expected = shipped("faces").from_seeds([4, 5], {"smile": 1, "yaw": -0.5})
    asked = "seed=4&n=2&attributes=smile=1,yaw=-0.5&format=npy"
    np.testing.assert_array_equal(arrays(ask(faces, f"/generate?{asked}")), expected)
    body = {"seed": 4, "n": 2, "attributes": {"smile": 1, "Yaw": -0.5}, "format": "npy"}
    np.testing.assert_array_equal(arrays(ask(faces, "/generate", body)), expected)
    assert (expected != shipped("faces").from_seeds([4, 5])).any()


def test_requests_are_drawn_together_and_each_is_as_if_alone():
    asked = [
        {"seed": 3 * i, "n": 1 + i % 4, "truncation": 1 - i / 40, "format": "npy"}
        | ({"class": [i % 10, "Bag"]} if i % 3 else {})
        for i in range(24)
    ]
    alone = [
        shipped("clothes").from_seeds(
            range(one["seed"], one["seed"] + one["n"]),
            np.resize([i % 10, 8], one["n"]) if i % 3 else None,
            batch_size=1,
            truncation=one["truncation"],
        )
        for i, one in enumerate(asked)
    ]
    pictures = sum(map(len, alone))
    with served(shipped("clothes"), batch_wait_ms=300, batch_size=32, queue=64) as port:
        with concurrent.futures.ThreadPoolExecutor(len(asked)) as pool:
            answers = list(pool.map(lambda one: ask(port, "/generate", one), asked))
        for answer, expected in zip(answers, alone, strict=True):
            np.testing.assert_array_equal(arrays(answer), expected)
        found = figures(port)
    assert found[("kgan_images_total",)] == found[("kgan_batch_images_sum",)] == pictures == 60
    assert 2 <= found[("kgan_batch_images_count",)] < len(asked) / 2
    assert found[("kgan_batch_images_bucket", "32.0")] == found[("kgan_batch_images_count",)]
    assert found[("kgan_requests_total", "/generate", "200")] == len(asked)
    assert found[("kgan_request_seconds_count", "/generate")] == len(asked)
    assert found[("kgan_images_in_hand",)] == 0


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("?seed=x", "seed must be a whole number from 0 up. Received: 'x'"),
        ("?seed=-1", "seed must be a whole number from 0 up. Received: '-1'"),
        ("?seed=1&seed=2", "seed can be given once. Received: '2' too"),
        ("?seeds=1,,2", "seeds must be whole numbers from 0 up, such as 1,5,9. Received: '1,,2'"),
        ("?seeds=0-99999", "seeds must be whole numbers from 0 up.* Received: '0-99999'"),
        (f"?seed={2**63 - 1}&n=2", f"A seed is up to {2**63 - 1}. Received: {2**63}"),
        ("?class=" + "9" * 5000, r"No such class. Known: T-shirt/top.* Received: '9+'"),
        ("?seeds=1&n=2", "seeds says all, without seed and n. Received: "),
        ("?n=5", "A request is for 1 to 4 pictures. Received: 5"),
        ("?format=gif", "format is one of png, json, npy. Received: 'gif'"),
        ("?class=Hat", "No such class. Known: T-shirt/top.* Received: 'Hat'"),
        (
            "?attributes=smile=1",
            "attributes is for a model of attr.* a model with classes",
        ),
        ("?truncation=nan", "truncation must be a number above 0, up to 1. Received: 'nan'"),
        ("?psi=1", "A request has seed, seeds, n, class, .* Received: 'psi'"),
        (b"", "The body must be a JSON object such as .* Received: nothing"),
        (b"[1]", r"The body must be a JSON object .* Received: \[1\]"),
        (b"\xff\xfe{", "The body must be a JSON object .* Received: "),
        (b"[" * 60000, r"The body must be a JSON object .* Received: \[+\.\.\."),
        (b'{"seed": ' + b"9" * 5000 + b"}", "The body must be a JSON object"),
        ({"seed": 1.5}, "seed must be a whole number from 0 up. Received: 1.5"),
        ({"seed": True}, "seed must be a whole number from 0 up. Received: True"),
        ({"seed": None}, "seed must be a whole number from 0 up. Received: None"),
        ({"seeds": []}, "A request is for 1 to 4 pictures. Received: 0"),
        ({"seeds": "12"}, "seeds must be whole numbers .* Received: '12'"),
        ({"n": 10**30}, f"A request is for 1 to 4 pictures. Received: {10**30}"),
        ({"class": 10}, "No such class. Known: T-shirt/top.* Received: '10'"),
        ({"class": [True]}, "class must be a class's name or number, or a list of them"),
        ({"attributes": []}, "attributes must be numbers by name, such as smile=1. Received"),
        ({"truncation": 2}, "truncation must be a number above 0, up to 1. Received: 2"),
        ({"format": ["png"]}, "format must be text. Received"),
        ({"a\nb": 1}, r"A request has .* Received: 'a\\nb'"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(clothes, asked, says):
    if isinstance(asked, str):
        answer = ask(clothes, f"/generate{asked}")
    else:
        answer = ask(clothes, "/generate", asked)
    assert re.search(says, refused(answer, 400))


def test_what_is_not_there_is_one_line(clothes):
    assert refused(ask(clothes, "/generat"), 404) == (
        "There are /, /generate, /health, /metrics. Received: /generat"
    )
    answer = ask(clothes, "/generate", method="DELETE")
    assert "Received: DELETE" in refused(answer, 405)
    assert sorted(answer[1]["Allow"].split(", ")) == ["GET", "HEAD", "POST"]
    status, _, line = ask(clothes, "/")
    assert (status, line.count(b"\n")) == (200, 1)
    assert line.startswith(b"clothes_dcgan, version 1: pictures of 28x28x1; classes T-shirt/top, ")
    assert ask(clothes, "/health")[::2] == (200, b'{"status":"ok"}')
    status, headers, body = ask(clothes, "/generate", method="HEAD")
    assert (status, headers["Content-Type"], body) == (200, "image/png", b"")


def test_a_page_of_another_site_is_refused(clothes):
    headers = {"Host": "evil.example"}
    assert "Ask for 127.0.0.1 or localhost" in refused(ask(clothes, "/", headers=headers), 403)
    assert ask(clothes, "/", headers={"Host": f"localhost:{clothes}"})[0] == 200
    with served(
        shipped("clothes"), host="0.0.0.0"
    ) as port:  # whoever that is for has a name for it
        assert ask(port, "/health", headers=headers)[0] == 200


def test_a_body_is_not_read_to_its_end_where_it_is_long(clothes):
    body = b" " * application.MOST_BYTES
    line = "A body has at most 65536 bytes. Received: more"
    assert refused(ask(clothes, "/generate", body + b"{}"), 413) == line
    assert ask(clothes, "/generate", b"{}" + body[2:])[0] == 200


def test_who_comes_when_there_is_no_room_is_told_when_to_come_again():
    asked = {"n": 3, "format": "npy"}
    with served(shipped("clothes"), batch_size=4, queue=4, batch_wait_ms=1500) as port:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            first = pool.submit(ask, port, "/generate", asked)
            wait_for(port, 3)
            late = ask(port, "/generate?n=2")
            assert refused(late, 503).endswith("at most 4 do: ask again later. Received: 2 more")
            assert late[1]["Retry-After"] == "1"
            assert len(arrays(first.result())) == 3
        assert ask(port, "/generate?n=2")[0] == 200


def test_a_queue_can_be_of_more_than_the_system_counts_connections():
    with served(shipped("clothes"), queue=2**40) as port:
        assert ask(port, "/health")[0] == 200


def test_an_answers_body_does_not_wait_until_its_headers_have_come():
    server = ExportServer(shipped("clothes"), ServeOptions(port=0))
    with server.socket as listens, socket.create_connection(listens.getsockname(), timeout=30):
        accepted, _ = listens.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_what_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(application, "SECONDS", 0.2)
    with served(shipped("clothes"), batch_wait_ms=900, queue=64) as port:
        late = ask(port, "/generate")
        assert "Not answered within 0.2 seconds" in refused(late, 503)
        assert late[1]["Retry-After"] == "1"
        monkeypatch.setattr(application, "SECONDS", 30)
        assert ask(port, "/generate")[0] == 200
        found = figures(port)
    assert found[("kgan_images_total",)] == 1  # nobody waited for the other
    assert found[("kgan_images_in_hand",)] == 0


def test_a_model_that_cannot_be_run_is_no_end_of_the_server(tmp_path, monkeypatch, caplog):
    onnx.save(tiny.model(shape=(2, 1, 2)), tmp_path / "model.onnx")
    generator = Generator(tmp_path / "model.onnx")
    with served(generator, batch_wait_ms=0) as port:
        with monkeypatch.context() as broken:
            broken.setattr(generator.session, "run", lambda *_: 1 / 0)
            line = refused(ask(port, "/generate"), 500)
        assert line == "Not drawn: division by zero"
        assert "A batch of 1 requests was not drawn" in caplog.text
        # Two channels are no picture: an array, whatever is asked.
        drawn = arrays(ask(port, "/generate?seed=5&n=2"))
        np.testing.assert_array_equal(drawn, generator.generate(2, seed=5))
        line = refused(ask(port, "/generate?format=png"), 400)
        assert line == "format is one of npy. Received: 'png'"
