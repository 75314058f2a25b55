"""The configurations in docs/serving.md, by the messages of the servers that read them."""

import numpy as np
import onnx
import pytest
from google.protobuf import text_format
from onnx.helper import tensor_dtype_to_np_dtype

from tests.documents import ROOT, blocks


def shown(begin):
    """The configurations of docs/serving.md that begin so."""
    texts = [block.text for block in blocks() if block.page == "docs/serving.md"]
    return [text for text in texts if text.startswith(begin)]


def tensors(values):
    """name -> (dtype, sizes but the batch's) of an ONNX graph's inputs or outputs."""
    found = {}
    for value in values:
        kind = value.type.tensor_type
        batch, *sizes = kind.shape.dim
        assert batch.dim_param
        found[value.name] = (
            tensor_dtype_to_np_dtype(kind.elem_type),
            tuple(size.dim_value for size in sizes),
        )
    return found


def test_triton_reads_them_and_they_are_the_models():
    pytest.importorskip("tritonclient", reason="needs kgan[oracle]")
    from tritonclient.grpc import model_config_pb2
    from tritonclient.utils import triton_to_np_dtype

    def promised(fields):
        """The same of a configuration's, after `reshape`: what the model receives."""
        found = {}
        for field in fields:
            name = model_config_pb2.DataType.Name(field.data_type).removeprefix("TYPE_")
            given = field.reshape.shape if field.HasField("reshape") else field.dims
            assert np.prod(given) == np.prod(field.dims)
            found[field.name] = np.dtype(triton_to_np_dtype(name)), tuple(given)
        return found

    names = []
    for text in shown("name: "):
        config = text_format.Parse(text, model_config_pb2.ModelConfig())
        graph = onnx.load(ROOT / "saved_models" / config.name / "1/model.onnx").graph
        assert promised(config.input) == tensors(graph.input)
        assert promised(config.output) == tensors(graph.output)
        assert config.backend == "onnxruntime"
        assert config.max_batch_size > 1
        assert config.HasField("dynamic_batching")
        names.append(config.name)
    assert names == ["faces_dcgan", "clothes_dcgan"]


def test_tensorflow_serving_reads_its_own():
    pytest.importorskip("tensorflow_serving", reason="needs kgan[oracle]")
    from tensorflow_serving.config import model_server_config_pb2

    (text,) = shown("model_config_list")
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    models = config.model_config_list.config
    assert [model.name for model in models] == ["photos", "faces"]
    for model in models:
        assert model.base_path == f"/models/{model.name}"  # which it names by an absolute path
        assert model.model_platform == "tensorflow"
    assert models[0].model_version_policy.latest.num_versions == 2
