"""For which transposed convolutions phases are faster, as it was measured."""

# Output channels from which phases are faster. Below it onnxruntime's convolutions fill up their
# blocks of 16 channels with zeros, while a transposed convolution of one to three channels, the
# last layer of a generator, is a small matrix product: phases of it took 2 to 8 times as long.
#
# How many times as fast a whole generator was than the plain file, at batch 1 / 64, with phases
# from so many output channels on (onnxruntime 1.31.1, two cores with AVX-512, medians of 11):
#
#                               1            8            16           32           none
#     dcgan 28x28, filters 8    0.72 / 1.05  0.94 / 1.50  0.97 / 1.52  1.02 / 1.20  1.10 / 1.00
#     dcgan 28x28, filters 32   0.99 / 1.24  1.23 / 1.51  1.26 / 1.47  1.22 / 1.49  1.01 / 1.02
#     dcgan 64x64, filters 16   0.98 / 1.22  1.12 / 1.45  1.18 / 1.32  1.11 / 1.20  1.02 / 0.98
#     dcgan 64x64, filters 32   1.05 / 1.11  1.20 / 1.29  1.25 / 1.32  1.25 / 1.36  1.03 / 1.03
#     dcgan_k4 64x64, 16        0.94 / 1.13  1.21 / 1.41  1.19 / 1.35  1.13 / 1.16  1.11 / 1.04
#     dcgan_k4 64x64, 32        1.00 / 1.08  1.23 / 1.28  1.22 / 1.34  1.17 / 1.30  1.11 / 1.08
#     dcgan_512 64x64           1.11 / 1.13  1.19 / 1.22  1.16 / 1.27  1.18 / 1.24  1.04 / 1.04
FROM_CHANNELS = 16


def pays(kernel_shape, axes):
    """Whether phases are faster than the layer as it is.

    Args:
        kernel_shape: (Cout, Cin, H, W).
        axes: `phases.Axis` of the rows and of the columns.
    """
    return kernel_shape[0] >= FROM_CHANNELS
