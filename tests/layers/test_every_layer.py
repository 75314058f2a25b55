"""Every public layer of kgan.layers goes through the battery."""

import keras
import numpy as np
import pytest
from keras import layers

import kgan.layers
from kgan.layers import (
    AttributeBatchNormalization,
    AttributeScaling,
    ConditionalBatchNormalization,
    DiffAugment,
    GatedLinearUnit,
    GroupedConv2D,
    MinibatchStdDev,
    SelfAttention2D,
    SpectralNormalization,
)
from tests.layers.battery import run_layer_test
from tests.tiers import tiered

RNG = np.random.default_rng(5)
FEATURES = RNG.normal(2.0, 3.0, size=(6, 4, 3, 8)).astype(np.float32)
IMAGES = RNG.uniform(-1, 1, (5, 12, 10, 3)).astype(np.float32)
VECTORS = RNG.normal(size=(4, 7)).astype(np.float32)
TOKENS = np.array([0, 3, 8, 3], np.int32)

SHAPE = FEATURES.shape
# name -> (class, arguments, inputs, shape of the output, what else the battery is told)
CASES = {
    "attribute_batch_norm": (
        AttributeBatchNormalization,
        {"momentum": 0.8, "epsilon": 1e-3},
        [FEATURES, RNG.uniform(-1, 1, (6, 5)).astype(np.float32)],
        SHAPE,
        {"trainable_weights": 4, "non_trainable_weights": 2, "training_arg": True},
    ),
    "attribute_scaling": (
        AttributeScaling,
        {"ranges": [(0.0, 1.0), (-2.0, 6.0), (3.0, 3.5)]},
        [RNG.uniform(0, 1, (4, 3)).astype(np.float32)],
        (4, 3),
        {},
    ),
    "conditional_batch_norm": (
        ConditionalBatchNormalization,
        {"num_classes": 3, "momentum": 0.8, "epsilon": 1e-3},
        [FEATURES, np.array([0, 2, 1, 2, 0, 2], np.int32)],
        SHAPE,
        {"trainable_weights": 2, "non_trainable_weights": 2, "training_arg": True},
    ),
    "gated_linear_unit": (GatedLinearUnit, {}, [FEATURES], (*SHAPE[:3], 4), {}),
    "grouped_conv": (
        GroupedConv2D,
        {"filters": 4, "kernel_size": 3, "groups": 2, "kernel_initializer": "he_normal"},
        [FEATURES],
        (*SHAPE[:3], 4),
        {"trainable_weights": 1},
    ),
    "minibatch_stddev": (
        MinibatchStdDev,
        {"group_size": 3, "momentum": 0.8},
        [FEATURES],
        (*SHAPE[:3], 9),
        {"non_trainable_weights": 1, "training_arg": True},
    ),
    "self_attention": (
        SelfAttention2D,
        {},
        [FEATURES],
        SHAPE,
        {"trainable_weights": 7, "training_arg": True},
    ),
    "self_attention_spectral_norm": (
        SelfAttention2D,
        {"spectral_norm": True},
        [FEATURES],
        SHAPE,
        {"trainable_weights": 7, "non_trainable_weights": 6, "training_arg": True},
    ),
    "spectral_norm_dense": (
        SpectralNormalization,
        {"layer": lambda: layers.Dense(5, name="own"), "power_iterations": 2, "seed": 3},
        [VECTORS],
        (4, 5),
        {"trainable_weights": 2, "non_trainable_weights": 2, "training_arg": True},
    ),
    "spectral_norm_conv": (
        SpectralNormalization,
        {"layer": lambda: layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False)},
        [FEATURES],
        (6, 2, 2, 6),
        {"trainable_weights": 1, "non_trainable_weights": 2, "training_arg": True},
    ),
    "spectral_norm_transposed": (
        SpectralNormalization,
        {"layer": lambda: layers.Conv2DTranspose(6, 4, strides=2, padding="same")},
        [FEATURES],
        (6, 8, 6, 6),
        {"trainable_weights": 2, "non_trainable_weights": 2, "training_arg": True},
    ),
    "spectral_norm_embedding": (
        SpectralNormalization,
        {"layer": lambda: layers.Embedding(9, 4)},
        [TOKENS],
        (4, 4),
        {"trainable_weights": 1, "non_trainable_weights": 2, "training_arg": True},
    ),
    "diff_augment": (
        DiffAugment,
        {"policy": "rotation,hue,cutout", "value_range": (0.0, 1.0), "probability": 0.7},
        [IMAGES, np.array([3, 1], np.int32)],
        IMAGES.shape,
        {"non_trainable_weights": 1, "fixed_inputs": (1,), "output_dtype": "float32"},
    ),
    "diff_augment_adaptive": (
        DiffAugment,
        {"policy": "color,translation,cutout", "target": 0.6, "adapt_images": 100},
        [IMAGES, np.array([3, 1], np.int32)],
        IMAGES.shape,
        {"non_trainable_weights": 1, "fixed_inputs": (1,), "output_dtype": "float32"},
    ),
}
LONG = ("diff_augment", "self_attention_spectral", "spectral_norm_")


def is_short(name):
    return name == "spectral_norm_dense" or not name.startswith(LONG)


@pytest.mark.parametrize("case", tiered(CASES, is_short))
def test_it_is_a_layer_of_keras(case):
    layer_class, arguments, inputs, shape, more = CASES[case]
    run_layer_test(layer_class, arguments, inputs, shape, **more)


def test_no_public_layer_is_left_out():
    public = {getattr(kgan.layers, name) for name in kgan.layers.__all__}
    assert public == {layer_class for layer_class, *_ in CASES.values()}


def test_the_battery_finds_a_layer_that_forgets_an_argument():
    """A proof of the battery itself."""

    @keras.saving.register_keras_serializable(package="tests")
    class Forgetful(layers.Layer):
        def __init__(self, factor=1.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, inputs):
            return self.factor * inputs

    with pytest.raises(AssertionError):
        run_layer_test(Forgetful, {"factor": 2.0}, [VECTORS], VECTORS.shape)
