"""Diagrams hold every layer, shape and number of parameters, in both forms."""

import json
import re
import xml.etree.ElementTree as ElementTree

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.explore import diagram
from kgan.explore.network_diagram import boxes_of, save_diagrams
from kgan.explore.vector_drawing import cut_to


def test_boxes_are_the_layers_as_keras_counts_them(trained_gan):
    discriminator, generator = diagram(trained_gan)
    assert (discriminator.role, generator.role) == ("discriminator", "generator")
    networks = (trained_gan.discriminator, trained_gan.generator)
    for found, network in zip((discriminator, generator), networks, strict=True):
        assert [box.name for box in found.boxes] == [layer.name for layer in network.layers]
        for box, layer in zip(found.boxes, network.layers, strict=True):
            assert box.shape == layer.output.shape[1:]
            assert box.parameters == sum(int(np.prod(w.shape)) for w in layer.weights)
        assert found.parameters == sum(box.parameters for box in found.boxes)
        assert found.parameters == network.count_params()
    assert discriminator.boxes[1].sources == (discriminator.boxes[0].name,)


def test_files_are_whole_and_readable_without_anything_else(trained_gan, tmp_path):
    written = save_diagrams(diagram(trained_gan), tmp_path / "diagrams")
    names = ("generator", "discriminator")
    assert {path.name for path in written} == {
        f"{role}.{suffix}" for role in names for suffix in ("png", "svg", "json")
    }
    svg = ElementTree.parse(tmp_path / "diagrams" / "generator.svg").getroot()
    text = "\n".join(each.text for each in svg.iter("{http://www.w3.org/2000/svg}text"))
    for layer in trained_gan.generator.layers:
        assert layer.name in text
    assert f"{trained_gan.generator.count_params():,} parameters" in text
    width, height = int(svg.get("width")), int(svg.get("height"))
    with Image.open(tmp_path / "diagrams" / "generator.png") as picture:
        assert picture.size == (2 * width, 2 * height)
        assert 1 < width / height < 3  # of the form of a slide
    facts = json.loads((tmp_path / "diagrams" / "generator.json").read_text())
    assert facts["layers"][1]["name"] == trained_gan.generator.layers[1].name
    (tmp_path / "file").touch()
    with pytest.raises(kgan.InputError, match="go into a folder"):
        save_diagrams(diagram(trained_gan), tmp_path / "file")


def test_a_sequential_model_has_shapes_and_arrows_too():
    dense = keras.layers.Dense
    boxes = boxes_of(keras.Sequential([keras.Input((4,)), dense(3, name="a"), dense(2, name="b")]))
    assert [box.shape for box in boxes] == [(4,), (3,), (2,)]
    assert [box.parameters for box in boxes] == [0, 4 * 3 + 3, 3 * 2 + 2]
    assert boxes[2].sources == ("a",)


def test_a_layer_that_takes_another_than_the_one_before_says_so():
    inputs = keras.Input((4,), name="in")
    x = keras.layers.Dense(4, name="a")(inputs)
    y = keras.layers.Dense(4, name="b")(x)
    network = keras.Model(inputs, keras.layers.Add(name="sum")([x, y]))
    boxes = {box.name: box for box in boxes_of(network)}
    assert boxes["sum"].sources == ("a", "b")
    (found,) = diagram(network)
    text = re.findall(">([^<>]+)</text>", found.drawing.to_svg())
    assert "and from a" in text
    assert found.role == "network"


def test_a_network_of_no_functional_api_has_its_layers_too():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(3, name="dense")

        def call(self, inputs):
            return self.dense(inputs)

    network = Own()
    network(np.zeros((1, 4), np.float32))
    (box,) = boxes_of(network)
    assert (box.name, box.parameters) == ("dense", 15)


def test_text_is_cut_to_its_box():
    assert cut_to("short", 200, 13) == "short"
    cut = cut_to("a name that is far too long", 80, 13)
    assert cut.endswith("...")
    assert "a name that is".startswith(cut[:-3])
