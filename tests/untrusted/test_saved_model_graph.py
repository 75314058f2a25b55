"""SavedModels that do more than compute are refused before TensorFlow loads, and so runs, them."""

import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.python.framework import op_def_registry

import kgan
from kgan.untrusted.saved_model_graph import OPERATIONS, check_saved_model

LATENTS = [tf.TensorSpec((None, 4), tf.float32, name="latents")]


def saved(place, act, **attributes):
    """A SavedModel whose signature does `act` on the way; nothing is run yet."""
    module = tf.Module()
    module.weight = tf.Variable(tf.ones((4, 4)))
    for name, value in attributes.items():
        setattr(module, name, value)
    inner = tf.function(lambda z: act(z @ module.weight), autograph=False)

    @tf.function(input_signature=LATENTS, autograph=False)
    def serve(latents):
        return {"images": tf.tanh(inner(latents))}

    tf.saved_model.save(module, str(place), signatures={"serving_default": serve})
    return place


def test_one_that_computes_is_taken(tmp_path):
    check_saved_model(saved(tmp_path / "model", lambda x: x))


@pytest.mark.parametrize("operation", ["WriteFile", "ReadFile", "EagerPyFunc"])
def test_operations_that_reach_outside_are_refused_and_not_run(tmp_path, operation):
    marker = tmp_path / "written"

    def write(x):
        with tf.control_dependencies([tf.io.write_file(str(marker), "x")]):
            return tf.identity(x)

    def read(x):
        size = tf.strings.length(tf.io.read_file(str(marker)))
        return x + tf.cast(size, tf.float32)

    def python(x):
        return tf.ensure_shape(tf.py_function(lambda y: y, [x], tf.float32), (None, 4))

    act = {"WriteFile": write, "ReadFile": read, "EagerPyFunc": python}[operation]
    place = saved(tmp_path / "model", act)
    with pytest.raises(kgan.InputError, match=f"a program.*{operation}.* in ") as caught:
        kgan.models.read_network(place)
    assert "\n" not in str(caught.value)
    assert not marker.exists()


def test_what_loading_alone_would_run_is_looked_at_too(tmp_path):
    keys = tf.constant([1], tf.int64)
    table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, keys), 0)
    place = saved(tmp_path / "model", lambda x: x, table=table)
    with pytest.raises(kgan.InputError, match="HashTable"):
        check_saved_model(place)


def test_other_files_are_one_line(tmp_path):
    place = saved(tmp_path / "model", lambda x: x)
    file = place / "saved_model.pb"
    content = SavedModel.FromString(file.read_bytes())
    content.meta_graphs[0].ClearField("object_graph_def")  # as TensorFlow 1 wrote it
    file.write_bytes(content.SerializeToString())
    with pytest.raises(kgan.InputError, match="of TensorFlow 1"):
        check_saved_model(place)
    file.write_bytes(b"\xff" * 50)
    with pytest.raises(kgan.InputError, match=r"^Not a readable SavedModel. Received: .*model$"):
        check_saved_model(place)


def test_the_operations_are_tensorflows_and_none_takes_text():
    for name in OPERATIONS - {"Assert"}:  # which only says why it stops
        definition = op_def_registry.get(name)
        assert definition is not None, name
        assert not [a for a in definition.input_arg if a.type == tf.string.as_datatype_enum], name
