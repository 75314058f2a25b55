"""A file of torch.save gives its tensors, and runs nothing."""

import collections
import io
import os
import pickle

import numpy as np
import pytest

import kgan
from kgan.pretrained.torch_weights import MAGIC, PROTOCOL, read_weights
from tests.oracle import needs_torch, torch


def saved(value):
    """The bytes of a legacy file of torch.save."""
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


@needs_torch
def test_tensors_come_as_torch_has_them():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    state = collections.OrderedDict(
        a=base, b=base.t(), c=base[1:3, ::2], d=torch.tensor(7), e=torch.zeros(3)
    )
    read = read_weights(saved(state))
    assert list(read) == list("abcde")
    for name, tensor in state.items():
        assert read[name].dtype == tensor.numpy().dtype
        np.testing.assert_array_equal(read[name], tensor.numpy())


@needs_torch
def test_other_files_of_torch_are_one_line():
    zipped = io.BytesIO()
    torch.save({}, zipped)
    for data, words in (
        (saved({"a": torch.zeros(2, dtype=torch.float64)}), "it names torch.DoubleStorage"),
        (saved({"a": torch.nn.Linear(1, 1)}), "it names torch.nn.modules.linear.Linear"),
        (saved({"a": torch.zeros(2)})[:-3], "a storage is missing|buffer"),
        (zipped.getvalue(), "Not readable as weights"),
        (b"", "Not readable as weights"),
    ):
        with pytest.raises(kgan.InputError, match=words) as caught:
            read_weights(data)
        assert str(caught.value).isprintable()


class Harmful:
    """What a pickle can be made to call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(
    "harm",
    [Harmful(os.system, "exit 1"), Harmful(eval, "1"), Harmful(getattr, "", "join"), os.mkdir],
)
def test_a_pickle_that_would_do_anything_else_does_not(place, harm):
    parts = [MAGIC, PROTOCOL, {}, collections.OrderedDict()]
    parts[place] = harm
    data = b"".join(pickle.dumps(part, 2) for part in [*parts, []])
    with pytest.raises(kgan.InputError, match="it names "):
        read_weights(data)


def tensor_file(offset, shape, strides, count=4, kept=4):
    """A file of one tensor whose description may not fit its values."""
    pickled = (
        b"\x80\x02ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n"
        b"((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
        + b"I%d\nNtQI%d\n(" % (count, offset)
        + b"".join(b"I%d\n" % side for side in shape)
        + b"t("
        + b"".join(b"I%d\n" % step for step in strides)
        + b"t\x89}tRu."
    )
    head = b"".join(pickle.dumps(part, 2) for part in (MAGIC, PROTOCOL, {}))
    values = kept.to_bytes(8, "little") + np.arange(kept, dtype="<f4").tobytes()
    return head + pickled + pickle.dumps(["0"], 2) + values


def test_a_tensor_stays_within_its_storage():
    np.testing.assert_array_equal(
        read_weights(tensor_file(1, (3,), (1,)))["a"], np.array([1, 2, 3], np.float32)
    )
    for arguments in (
        (2, (3,), (1,)),
        (0, (2, 2), (4, 1)),
        (-1, (2,), (1,)),
        (3, (2,), (-1,)),
        (0, (2**40,), (1,)),
    ):
        with pytest.raises(kgan.InputError, match="reaches beyond its storage"):
            read_weights(tensor_file(*arguments))
    with pytest.raises(kgan.InputError, match="another size"):
        read_weights(tensor_file(0, (4,), (1,), count=8))
