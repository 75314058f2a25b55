"""Which form of a transposed convolution is the faster."""


def pays(kernel_shape, axes):
    """Whether phases are faster than the layer as it is."""
    return kernel_shape[0] > 16
