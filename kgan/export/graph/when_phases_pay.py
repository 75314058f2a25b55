"""For which transposed convolutions phases are faster, as measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kgan.export.graph.phases import Axis

# Output channels from which phases are faster. With fewer, onnxruntime's convolutions fill up their
# blocks of 16 channels with zeros, while a transposed convolution with one to three channels, the
# last layer of a generator, is a small matrix product: its phases took 2 to 8 times as long.
#
# Speed of a whole generator relative to the plain file, at batch 1 / 64, with phases
# from that many output channels on (onnxruntime 1.31.1, two cores with AVX-512, medians of 11):
#
#                               1            8            16           32           none
#     dcgan 28x28, filters 8    0.72 / 1.05  0.94 / 1.50  0.97 / 1.52  1.02 / 1.20  1.10 / 1.00
#     dcgan 28x28, filters 32   0.99 / 1.24  1.23 / 1.51  1.26 / 1.47  1.22 / 1.49  1.01 / 1.02
#     dcgan 64x64, filters 16   0.98 / 1.22  1.12 / 1.45  1.18 / 1.32  1.11 / 1.20  1.02 / 0.98
#     dcgan 64x64, filters 32   1.05 / 1.11  1.20 / 1.29  1.25 / 1.32  1.25 / 1.36  1.03 / 1.03
#     dcgan_k4 64x64, 16        0.94 / 1.13  1.21 / 1.41  1.19 / 1.35  1.13 / 1.16  1.11 / 1.04
#     dcgan_k4 64x64, 32        1.00 / 1.08  1.23 / 1.28  1.22 / 1.34  1.17 / 1.30  1.11 / 1.08
#     dcgan_512 64x64           1.11 / 1.13  1.19 / 1.22  1.16 / 1.27  1.18 / 1.24  1.04 / 1.04
#
# Speed of single layers' phases relative to the layer itself, at batch 1 / 64:
#
#     64->64  8x8 stride 4   1.22 / 1.31      128->64 3x3 stride 2   0.90 / 1.06
#     128->64 6x6 stride 3   1.02 / 1.16      64->64  2x2 stride 2   0.81 / 0.84
#     128->48 4x4 stride 2   1.15 / 1.22      32->24  4x4 stride 4   0.45 / 0.66
#     128->40 5x5 stride 2   0.94 / 1.14      32->17  16x16 stride 8 0.43 / 1.02
#     128->24 4x4 stride 2   0.80 / 0.97      256->20 3x3 stride 2   0.65 / 0.71
FROM_CHANNELS = 16
BLOCK = 16  # channels that onnxruntime's convolutions work on at once
MOST_FILLED_UP = 1.25  # a phase's channels with the zeros, relative to those without
LARGEST_STRIDE = 4


def pays(kernel_shape: tuple[int, ...], axes: Sequence[Axis]) -> bool:
    """Whether phases are faster than the layer itself.

    Args:
        kernel_shape: (Cout, Cin, H, W).
        axes: `phases.Axis` of the rows and of the columns.
    """
    channels = kernel_shape[0]
    filled_up = -(-channels // BLOCK) * BLOCK
    return (
        channels >= FROM_CHANNELS
        and filled_up <= MOST_FILLED_UP * channels
        and all(
            axis.stride <= LARGEST_STRIDE and size > axis.stride
            for axis, size in zip(axes, kernel_shape[2:], strict=True)
        )
    )
