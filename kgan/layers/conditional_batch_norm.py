"""Batch normalisation whose scale and shift are each class's own."""

import keras
import tensorflow as tf
from keras import layers, ops


@keras.saving.register_keras_serializable(package="kgan")
class ConditionalBatchNormalization(keras.layers.Layer):
    """Normalises a batch as one, then scales and shifts each picture by its class.

    Under a strategy the batch is that of all replicas.

    Called as `layer(features, labels)`.

    Args:
        num_classes: number of classes.
        momentum, epsilon: as of keras.layers.BatchNormalization.

    Input: features (B, H, W, C), and int labels (B,) from 0 to num_classes - 1.
    Output: as the features.

    Reference:
        Dumoulin et al. 2017, equation 4, https://arxiv.org/abs/1610.07629; the
        generator of Miyato and Koyama 2018, https://arxiv.org/abs/1802.05637
    """

    def __init__(self, num_classes, momentum=0.9, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.momentum = momentum
        self.epsilon = epsilon
        self.norm = layers.BatchNormalization(
            momentum=momentum,
            epsilon=epsilon,
            center=False,
            scale=False,
            synchronized=True,
            dtype=self.dtype_policy,
            name="norm",
        )

    def build(self, inputs_shape, labels_shape):
        shape = (self.num_classes, inputs_shape[-1])
        self.norm.build(inputs_shape)
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer="ones")
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros")

    def call(self, inputs, labels, training=False):
        def of_each(table):
            # keras.ops.take would also look for negative labels, and exports would do so for ever.
            rows = tf.gather(ops.convert_to_tensor(table), labels)
            return ops.reshape(rows, (-1, 1, 1, table.shape[-1]))

        return self.norm(inputs, training=training) * of_each(self.gamma) + of_each(self.beta)

    def compute_output_shape(self, inputs_shape, labels_shape):
        return inputs_shape

    def get_config(self):
        return super().get_config() | {
            "num_classes": self.num_classes,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }
