"""A Keras generator as PyTorch modules with the same weights, for the benchmark of inference.

Keras pads transposed convolutions with stride 2 at the end, PyTorch at the
beginning. So the twin is the mirror image: every kernel and the first maps are
turned round, and what it makes comes out turned round.
"""

import numpy as np
import torch
from torch import nn

import kgan

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}


class Attention(nn.Module):
    """`kgan.layers.SelfAttention2D`."""

    def __init__(self, layer):
        super().__init__()
        self.query, self.key, self.value = (
            convolution(conv) for conv in (layer.query, layer.key, layer.value)
        )
        self.gamma = nn.Parameter(torch.tensor(float(layer.gamma.numpy())))

    def forward(self, maps):
        query, key, value = (conv(maps).flatten(2) for conv in (self.query, self.key, self.value))
        attention = torch.softmax(query.transpose(1, 2) @ key, dim=-1)
        seen = value @ attention.transpose(1, 2)
        return maps + self.gamma * seen.reshape(maps.shape)


def turned(kernel):
    """A kernel turned round, contiguous, as a tensor."""
    return torch.tensor(np.ascontiguousarray(kernel[:, :, ::-1, ::-1]))


def convolution(layer):
    """A Conv2D or Conv2DTranspose, spectral norm applied once and for all."""
    scale = 1.0
    if isinstance(layer, kgan.layers.SpectralNormalization):
        matrix = np.moveaxis(layer.kernel.numpy(), layer.rows_axis, 0)
        matrix = matrix.reshape(len(matrix), -1)
        scale, layer = 1.0 / (layer.u.numpy() @ matrix @ layer.v.numpy()), layer.layer
    kernel = layer.kernel.numpy() * scale
    size, (stride, _) = kernel.shape[0], layer.strides
    if type(layer).__name__ == "Conv2D":
        kernel = kernel.transpose(3, 2, 0, 1)
        padding = size // 2 if layer.padding == "same" else 0
        made = nn.Conv2d(
            kernel.shape[1], kernel.shape[0], size, stride, padding, bias=layer.use_bias
        )
    else:
        kernel = kernel.transpose(3, 2, 0, 1)
        padding, extra = 0, 0
        if layer.padding == "same":
            extra = layer.output_padding[0] if layer.output_padding else stride - size % 2
            padding = size // 2 if size % 2 else size // 2 - 1
            extra = extra if size % 2 else 0
        made = nn.ConvTranspose2d(
            kernel.shape[0], kernel.shape[1], size, stride, padding, extra, bias=layer.use_bias
        )
    made.weight.data = turned(kernel)
    if layer.use_bias:
        made.bias.data = torch.tensor(layer.bias.numpy())
    return made


def normalization(layer, maps):
    """A BatchNormalization of maps, or of vectors."""
    size = layer.moving_mean.shape[0]
    made = (nn.BatchNorm2d if maps else nn.BatchNorm1d)(size, eps=layer.epsilon)
    made.weight.data = torch.tensor(layer.gamma.numpy())
    made.bias.data = torch.tensor(layer.beta.numpy())
    made.running_mean.data = torch.tensor(layer.moving_mean.numpy())
    made.running_var.data = torch.tensor(layer.moving_variance.numpy())
    return made


def dense(layer, maps_shape):
    """A Dense layer, its outputs in the order of turned NCHW maps where they become maps."""
    kernel, bias = layer.kernel.numpy(), layer.bias.numpy() if layer.use_bias else None
    order = np.arange(kernel.shape[1])
    if maps_shape is not None:
        order = order.reshape(maps_shape)[::-1, ::-1].transpose(2, 0, 1).reshape(-1)
    made = nn.Linear(*kernel.shape, bias=bias is not None)
    made.weight.data = torch.tensor(np.ascontiguousarray(kernel[:, order].T))
    if bias is not None:
        made.bias.data = torch.tensor(bias[order])
    return made, order


def twin(generator):
    """The `torch.nn.Sequential` of a generator whose layers follow one another."""
    modules, layers = [], generator.layers[1:]
    order, maps = None, False
    for index, layer in enumerate(layers):
        kind = type(layer).__name__
        if kind == "Dense":
            rest = [type(other).__name__ for other in layers[index + 1 :]]
            becomes_maps = "Dense" not in rest and "Reshape" in rest
            shape = layers[index + 1 + rest.index("Reshape")].target_shape if becomes_maps else None
            module, order = dense(layer, shape)
            if layer.activation.__name__ != "linear":
                module = nn.Sequential(module, ACTIVATIONS[layer.activation.__name__]())
        elif kind == "Reshape":
            height, width, channels = layer.target_shape
            module, maps = nn.Unflatten(1, (channels, height, width)), True
        elif kind == "BatchNormalization":
            module = normalization(layer, maps)
            if not maps:  # it follows the order of the Dense layer before it
                for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                    tensor.data = tensor.data[order.copy()]
        elif kind in ("Conv2D", "Conv2DTranspose", "SpectralNormalization"):
            module = convolution(layer)
        elif kind == "UpSampling2D":
            module = nn.UpsamplingNearest2d(scale_factor=layer.size)
        elif kind == "SelfAttention2D":
            module = Attention(layer)
        elif kind == "ReLU":
            module = nn.ReLU()
        else:
            module = ACTIVATIONS[layer.activation.__name__]()
        modules.append(module)
    return nn.Sequential(*modules).eval()
