"""Features of streams of images, and of any network in an .onnx file."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import kgan
from kgan import metrics
from tests.metrics.weights import needs_weights

node = helper.make_node
IMAGES = np.random.default_rng(0).integers(0, 256, (7, 6, 6, 3), np.uint8)


def network(
    *nodes,
    images=("batch", 3, 6, 6),
    dtype=TensorProto.FLOAT,
    outputs=("features",),
    tensors=(),
    opsets=(("", 17),),
):
    """A ModelProto; without nodes, each channel's mean as features (batch, 3, 1, 1)."""
    nodes = nodes or (
        node("ReduceMean", ["images"], ["means"], axes=[2, 3], keepdims=1),
        node("Mul", ["means", "two"], ["features"]),
    )
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("images", dtype, images)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.array(2, np.float32), "two"), *tensors],
    )
    opsets = [helper.make_opsetid(*each) for each in opsets]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


@pytest.fixture
def written(tmp_path):
    """A function that writes a ModelProto and returns its path."""

    def write(model):
        path = tmp_path / "net.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    return write


def means(levels):
    """What `network` gives for what it is given, NHWC."""
    return 2 * levels.astype(np.float32).mean(axis=(1, 2))


@pytest.mark.parametrize(
    ("scale", "function"),
    [
        ("levels", lambda x: x),
        ("unit", lambda x: x / 255),
        ("symmetric", lambda x: x / 127.5 - 1),
        (
            "imagenet",
            lambda x: (x / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225]),
        ),
        ((127, 128), lambda x: (x - 127.0) / 128),
        (((1, 2, 3), (4.0, 5.0, 6.0)), lambda x: (x - np.array([1, 2, 3])) / np.array([4, 5, 6])),
    ],
)
def test_a_network_sees_the_scale_that_is_asked_for(written, scale, function):
    features = metrics.Features.from_onnx(written(network()), scale=scale)
    assert (features.name, features.size, features.width) == ("net.onnx", 6, 3)
    np.testing.assert_allclose(
        features.extract(IMAGES), means(function(IMAGES)), rtol=1e-4, atol=1e-5
    )


def test_open_sizes_layouts_and_one_image_at_a_time(written):
    channels_last = (
        node("ReduceMean", ["images"], ["means"], axes=[1, 2], keepdims=0),
        node("Mul", ["means", "two"], ["features"]),
    )
    for nodes, images, asked in (
        ((), ("n", 3, "h", "w"), {"size": 6}),
        ((), ("n", "c", "h", "w"), {"size": 6, "layout": "NCHW"}),
        ((), (1, 3, 6, 6), {}),
        (channels_last, ("n", 6, 6, 3), {}),
        (channels_last, ("n", None, None, "c"), {"size": 6, "layout": "NHWC"}),
    ):
        path = written(network(*nodes, images=images))
        features = metrics.Features.from_onnx(path, scale="levels", **asked)
        np.testing.assert_allclose(features.extract(IMAGES), means(IMAGES), rtol=1e-5)


def test_levels_as_they_are_for_a_uint8_input(written):
    model = network(
        node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        node("ReduceMean", ["floats"], ["means"], axes=[2, 3], keepdims=1),
        node("Mul", ["means", "two"], ["features"]),
        dtype=TensorProto.UINT8,
    )
    features = metrics.Features.from_onnx(written(model))
    np.testing.assert_allclose(features.extract(IMAGES), means(IMAGES), rtol=1e-5)
    with pytest.raises(kgan.InputError, match="takes uint8 levels as they are"):
        metrics.Features.from_onnx(written(model), scale="unit")


def test_any_tensor_can_be_the_features_and_what_follows_is_not_run(written):
    model = network(
        node("ReduceMean", ["images"], ["means"], axes=[2, 3], keepdims=1),
        node("Mul", ["means", "two"], ["pool"]),
        node("Conv", ["pool", "huge"], ["logits"]),
        node("NotAnOperator", ["logits"], ["probabilities"], domain="elsewhere"),
        outputs=("probabilities", "pool"),
        tensors=[numpy_helper.from_array(np.zeros((9, 3, 1, 1), np.float32), "huge")],
        opsets=(("", 17), ("elsewhere", 1), ("not.used", 3)),
    )
    with pytest.raises(kgan.InputError, match=r"Name the tensor.*outputs probabilities, pool"):
        metrics.Features.from_onnx(written(model), scale="levels")
    features = metrics.Features.from_onnx(written(model), scale="levels", output="pool")
    np.testing.assert_allclose(features.extract(IMAGES), means(IMAGES), rtol=1e-5)


def test_images_stream_in_batches_of_any_size(written):
    features = metrics.Features.from_onnx(written(network()), scale="unit")
    whole = features.extract(IMAGES)
    seen = []

    def stream():
        for start, stop in ((0, 1), (1, 6), (6, 7)):
            seen.append(start)
            yield IMAGES[start:stop]

    np.testing.assert_array_equal(features.extract(stream(), batch_size=3), whole)
    assert seen == [0, 1, 6]
    np.testing.assert_array_equal(features.extract(list(IMAGES[:, None]), batch_size=2), whole)
    mixed = features.extract([IMAGES[:2], np.full((1, 9, 4), 51, np.uint8)])
    np.testing.assert_allclose(mixed, [*whole[:2], [0.4] * 3], rtol=1e-5)
    for none in ([], iter([])):
        with pytest.raises(kgan.InputError, match="There must be images"):
            features.extract(none)
    with pytest.raises(kgan.InputError, match=r"batch_size must be .* Received: batch_size=0"):
        features.extract(IMAGES, batch_size=0)
    for wrong in ("photos/", 7, {"images": IMAGES}):
        with pytest.raises(kgan.InputError, match="or an iterable of such arrays"):
            features.extract(wrong)


def test_equal_protocols_are_of_one_network_seen_one_way(written):
    opened = [
        metrics.Features.from_onnx(written(network()), scale=scale).protocol
        for scale in ("unit", "unit", "symmetric")
    ]
    assert opened[0] == opened[1] != opened[2]
    assert len(opened[0]["sha256"]) == 64


def test_features_that_are_not_finite_are_one_line(written):
    model = network(
        node("ReduceMean", ["images"], ["means"], axes=[2, 3], keepdims=1),
        node("Log", ["means"], ["features"]),
    )
    features = metrics.Features.from_onnx(written(model), scale="levels")
    with pytest.raises(kgan.InputError, match=r"net.onnx given the scale .* Received: -inf"):
        features.extract(np.zeros((2, 6, 6, 3), np.uint8))


def test_a_network_that_does_not_keep_to_its_shapes_is_one_line(written):
    constants = {"first": [0], "two_wide": [2]}
    model = network(
        node("GlobalAveragePool", ["images"], ["means"]),
        node("Shape", ["means"], ["shape"]),
        node("Gather", ["shape", "first"], ["count"], axis=0),
        node("Concat", ["count", "two_wide"], ["sides"], axis=0),
        node("Reshape", ["means", "sides"], ["features"]),  # of three values into two
        tensors=[numpy_helper.from_array(np.array(v), k) for k, v in constants.items()],
    )
    with pytest.raises(kgan.InputError, match=r"does not give what its graph says|cannot run"):
        metrics.Features.from_onnx(written(model), scale="levels").extract(IMAGES)


def outside(model):
    """The model with the values of its first tensor in another file."""
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return model


REDUCED = node("ReduceMean", ["images"], ["means"], axes=[2, 3], keepdims=1)
BIG = numpy_helper.from_array(np.array([2**20, 2**12], np.int64), "big")


@pytest.mark.parametrize(
    ("model", "asked", "words"),
    [
        (network(node("Foreign", ["images"], ["features"])), {}, "standard operators.*'Foreign'"),
        (
            network(
                node("Gelu", ["images"], ["features"], domain="com.microsoft"),
                opsets=(("", 17), ("com.microsoft", 1)),
            ),
            {},
            "own operator set",
        ),
        (outside(network()), {}, "one file, with no data in other files"),
        (
            network(REDUCED, node("Expand", ["two", "big"], ["features"]), tensors=[BIG]),
            {},
            "less than",
        ),
        (network(images=("n", 1, 6, 6)), {}, "channels, layout NCHW or NHWC"),
        (network(images=("n", 1, 6, 6)), {"layout": "NCHW"}, "NCHW images of 6x6 with 3 channels"),
        (network(images=("n", 3, "h", "w")), {}, "Say the size"),
        (network(), {"size": 8}, "does not take NCHW images of 8x8"),
        (network(), {"size": 8.0}, "size must be a whole number"),
        (network(), {"layout": "CHW"}, "layout must be 'NCHW' or 'NHWC'. Received: 'CHW'"),
        (network(), {"output": "logits"}, "Name the tensor"),
        (network(images=("n", 6)), {}, r"takes images .*images float32 \(batch, 6\)"),
        (network(images=(4, 3, 6, 6)), {}, "its batch open or 1"),
        (network(node("Relu", ["images"], ["features"])), {}, r"\(batch, d\), further sizes 1"),
        (network(), {"scale": "0..1"}, "scale must be one of 'levels', 'unit'"),
        (network(), {"scale": None}, "scale must be one of"),
        (network(), {"scale": (0, 0)}, "std above 0"),
        (network(), {"scale": (0, (1, 2))}, "a number or three each"),
    ],
)
def test_what_is_no_network_of_features_is_one_line(written, model, asked, words):
    with pytest.raises(kgan.InputError, match=words) as caught:
        metrics.Features.from_onnx(written(model), **{"scale": "levels", **asked})
    assert str(caught.value).isprintable()


def test_files_that_are_no_network_are_one_line(tmp_path, monkeypatch):
    path = tmp_path / "net.onnx"
    with pytest.raises(kgan.InputError, match=r"cannot be read .*net.onnx"):
        metrics.Features.from_onnx(path, scale="unit")
    path.write_bytes(b"no model")
    with pytest.raises(kgan.InputError, match=r"Not a readable ONNX model: .*net.onnx"):
        metrics.Features.from_onnx(path, scale="unit")
    monkeypatch.setattr("kgan.untrusted.onnx_files.LARGEST_FILE", 7)
    with pytest.raises(kgan.InputError, match=r"at most 7 bytes. Received: .*net.onnx, 8"):
        metrics.Features.from_onnx(path, scale="unit")


@needs_weights
def test_the_built_in_network_tells_images_apart(efficientnet):
    random = np.random.default_rng(0)
    blurred = metrics.resize(random.integers(0, 256, (24, 4, 4, 3), np.uint8), 32)
    noise = random.integers(0, 256, (24, 32, 32, 3), np.uint8)
    found = [
        efficientnet.extract(each, batch_size=8) for each in (blurred[:12], blurred[12:], noise)
    ]
    like, unlike = (metrics.kernel_distance(found[0], other) for other in found[1:])
    assert unlike.value > like.value + 5 * like.standard_error
