"""The card of an export as Hugging Face's own library reads it."""

import json
from pathlib import Path

import pytest

import kgan
from kgan.export.card import card
from kgan.export.front_matter import front_matter
from tests.export.test_card import HOSTILE
from tests.untrusted.test_promise import AUTOENCODER, NETWORK, PROBE
from tests.untrusted.tiny import promise

SHIPPED = Path(kgan.__file__).parents[1] / "saved_models/fashion_dcgan/1/manifest.json"
LICENCE_NAME = "apache-2.0-trained-on-fashion-mnist-mit"
MANIFEST = promise() | {"parity": {}, "name": "clothes", "version": 1}


@pytest.fixture
def read():
    """What reads a card's text."""
    hub = pytest.importorskip("huggingface_hub", reason="needs kgan[test]")
    return lambda text: hub.ModelCard(text)


def read_back(read, manifest):
    """The facts in front of a manifest's card, which comes after them as it is."""
    found = read(front_matter(manifest) + card(manifest))
    assert found.text.strip() == card(manifest).strip()
    return found.data


def test_an_export_has_it(exported, read):
    text = (exported.path / "README.md").read_text(encoding="utf-8")
    facts = read(text).data.to_dict()
    assert facts == {
        "library_name": "kgan",
        "pipeline_tag": "unconditional-image-generation",
        "license": "cc0-1.0",
        "tags": ["kgan", "gan", "dcgan", "onnx"],
    }
    assert "\n---\n# clothes, version 1\n" in text
    manifest = json.loads((exported.path / "manifest.json").read_text(encoding="utf-8"))
    assert "README.md" in manifest["files"]


def test_figures_are_those_that_were_measured_with_their_protocol(read):
    manifest = json.loads(SHIPPED.read_text(encoding="utf-8"))
    figures = manifest["evaluation"]["figures"]
    figures["recall"]["value"] = 1e-05  # a number in YAML 1.2, and text in YAML 1.1
    figures["density"]["value"] = float("nan")
    figures["kernel_distance"]["standard_error"] = float("inf")
    facts = read_back(read, manifest)
    assert facts.model_name == "fashion_dcgan"
    found = {result.metric_type: result for result in facts.eval_results}
    assert list(found) == [name for name in figures if name != "density"]
    for name, result in found.items():
        assert result.metric_value == figures[name]["value"]
        assert result.metric_args["floor"] == figures[name]["floor"]
        assert result.metric_name == name.replace("_", " ")
    protocol = dict(manifest["evaluation"]["protocol"])
    first = found["kernel_distance"]
    assert set(first.metric_args) == {"floor"}
    assert first.task_type == "unconditional-image-generation"
    assert (first.dataset_name, first.dataset_split) == (
        protocol.pop("data"),
        protocol.pop("split"),
    )
    known = {name: value for name, value in protocol.items() if value is not None}
    assert first.dataset_args == known
    assert (facts.license, facts.license_name) == ("other", LICENCE_NAME)
    for figure in figures.values():
        figure["value"] = float("inf")
    assert read_back(read, manifest).eval_results is None


@pytest.mark.parametrize("words", [*HOSTILE, "a: b", "- a", "yes", "---", "1.0", "\U0001f600 '\""])
def test_any_words_come_back_as_they_are(read, words):
    manifest = json.loads(SHIPPED.read_text(encoding="utf-8"))
    manifest["name"] = words
    manifest["evaluation"]["protocol"]["data"] = words
    manifest["training"]["preset"] = words
    facts = read_back(read, manifest)
    assert facts.model_name == facts.tags[2] == words
    assert {result.dataset_name for result in facts.eval_results} == {words}


def test_what_yaml_does_not_take_is_shown_as_an_escape(read):
    preset = {"preset": "a\n---\nb\x1b\u2028\x85"}
    facts = read_back(read, MANIFEST | {"training": preset})
    assert facts.tags[2] == "a\\n---\\nb\\x1b\\u2028\\x85"


@pytest.mark.parametrize(
    ("licence", "word", "name"),
    [
        ("Apache-2.0", "apache-2.0", None),
        ("CC-BY-NC-SA-4.0", "cc-by-nc-sa-4.0", None),
        ("GPL-3.0-or-later", "gpl-3.0", None),
        ("GPL-3.0-only", "gpl-3.0", None),
        ("mit", "mit", None),
        ("MIT, or so: 1.1!", "other", "mit-or-so-1.1"),
        ("other", "other", "other"),
        ("\U0001f600", "other", "other"),
    ],
)
def test_a_licence_is_the_hubs_own_word_or_other(read, licence, word, name):
    facts = read_back(read, MANIFEST | {"licence": licence}).to_dict()
    assert facts["license"] == word
    assert facts.get("license_name") == name


@pytest.mark.parametrize(
    ("manifest", "task", "tags"),
    [
        (MANIFEST, "unconditional-image-generation", ["kgan", "generator"]),
        (AUTOENCODER, "image-to-image", ["kgan", "autoencoder"]),
        (PROBE, "image-classification", ["kgan", "probe"]),
        (NETWORK, None, ["kgan", "network"]),
    ],
)
def test_every_kind_has_its_task(read, manifest, task, tags):
    facts = read_back(read, manifest | {"parity": {}}).to_dict()
    assert facts.get("pipeline_tag") == task
    assert facts["tags"] == tags
    assert not {"license", "model-index"} & set(facts)
