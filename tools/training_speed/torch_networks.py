"""kgan's networks as PyTorch writes them: the same layers, sizes and numbers of weights.

A 'same' convolution of stride 2 pads in Keras at the end and in PyTorch at the beginning.
Where a side is even, these are the mirror images of Keras's: equal where kernels and pictures
are turned round, and the same work.
"""

import itertools
import math
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from training_speed.rows import Row


def networks(row: Row) -> tuple[nn.Module, nn.Module]:
    """(generator, discriminator) of a row, with PyTorch's own first weights."""
    return BUILDERS[row.networks](row)


def dcgan(row: Row) -> tuple[nn.Module, nn.Module]:
    """`kgan.models.DCGANGenerator` and its discriminator."""
    height, width, channels = row.image_shape
    sizes = [(height, width)]
    while min(-(-height // 2), -(-width // 2)) >= 4:
        height, width = -(-height // 2), -(-width // 2)
        sizes.append((height, width))
    wide = 8 * row.filters
    make = [
        nn.Linear(row.latent_dim, height * width * wide, bias=False),
        nn.Unflatten(1, (wide, height, width)),
        nn.BatchNorm2d(wide),
        nn.ReLU(),
    ]
    made = wide
    for (small, _), (large, _) in zip(sizes[:0:-1], sizes[-2::-1], strict=True):
        last = large == row.image_shape[0]
        given, made = made, channels if last else made // 2
        extra = large - 2 * small + 1
        make.append(nn.ConvTranspose2d(given, made, 5, 2, 2, extra, bias=last))
        make += [nn.Tanh()] if last else [nn.BatchNorm2d(made), nn.ReLU()]
    judge: list[nn.Module] = []
    given = channels
    for step in range(len(sizes) - 1):
        made = wide // 2 ** (len(sizes) - 2 - step)
        judge.append(nn.Conv2d(given, made, 5, 2, 2, bias=step == 0))
        judge += [nn.BatchNorm2d(made)] if step else []
        judge.append(nn.LeakyReLU(0.2))
        given = made
    judge += [nn.Flatten(), nn.Linear(height * width * wide, 1)]
    return nn.Sequential(*make), nn.Sequential(*judge)


def tutorial(row: Row) -> tuple[nn.Module, nn.Module]:
    """The networks of https://www.tensorflow.org/tutorials/generative/dcgan."""
    height, width, channels = row.image_shape
    wide = 4 * row.filters
    base = (wide, height // 4, width // 4)

    def norm(size: int, kind: type = nn.BatchNorm2d) -> list[nn.Module]:
        return [kind(size, eps=1e-3, momentum=0.01), nn.LeakyReLU(0.3)]

    make = nn.Sequential(
        nn.Linear(row.latent_dim, math.prod(base), bias=False),
        *norm(math.prod(base), nn.BatchNorm1d),
        nn.Unflatten(1, base),
        nn.ConvTranspose2d(wide, wide // 2, 5, 1, 2, bias=False),
        *norm(wide // 2),
        nn.ConvTranspose2d(wide // 2, wide // 4, 5, 2, 2, 1, bias=False),
        *norm(wide // 4),
        nn.ConvTranspose2d(wide // 4, channels, 5, 2, 2, 1, bias=False),
        nn.Tanh(),
    )
    judge = nn.Sequential(
        nn.Conv2d(channels, wide // 4, 5, 2, 2),
        nn.LeakyReLU(0.3),
        nn.Dropout(row.dropout),
        nn.Conv2d(wide // 4, wide // 2, 5, 2, 2),
        nn.LeakyReLU(0.3),
        nn.Dropout(row.dropout),
        nn.Flatten(),
        nn.Linear(wide // 2 * base[1] * base[2], 1),
    )
    return make, judge


class Attention(nn.Module):
    """`kgan.layers.SelfAttention2D` with spectral normalisation, its softmax in float32."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        few = max(1, channels // 8)
        self.gamma = nn.Parameter(torch.zeros(()))
        self.query, self.key, self.value = (
            spectral_norm(nn.Conv2d(channels, made, 1)) for made in (few, few, channels)
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        query, key, value = (conv(maps).flatten(2) for conv in (self.query, self.key, self.value))
        attention = torch.softmax(query.float().transpose(1, 2) @ key.float(), dim=-1)
        seen = value @ attention.to(value.dtype).transpose(1, 2)
        return maps + self.gamma * seen.reshape(maps.shape)


def sagan(row: Row) -> tuple[nn.Module, nn.Module]:
    """`kgan.models.SAGANGenerator` and its discriminator."""
    height, width, channels = row.image_shape
    steps = (min(height, width) // 4).bit_length() - 1
    base = (height // 2**steps, width // 2**steps)
    make: list[nn.Module] = [nn.Unflatten(1, (row.latent_dim, 1, 1))]
    given = row.latent_dim
    for step in range(steps):
        made = row.filters * 2 ** (steps - 1 - step)
        form = (4, 2, 1) if step else (base, 1, 0)
        make.append(spectral_norm(nn.ConvTranspose2d(given, made, *form, bias=False)))
        make += [nn.BatchNorm2d(made), nn.ReLU()]
        make += [Attention(made)] if step >= steps - 2 else []
        given = made
    make += [spectral_norm(nn.ConvTranspose2d(given, channels, 4, 2, 1)), nn.Tanh()]
    judge: list[nn.Module] = []
    given = channels
    for step in range(steps):
        made = row.filters * 2**step
        judge += [spectral_norm(nn.Conv2d(given, made, 4, 2, 1)), nn.LeakyReLU(0.1)]
        judge += [Attention(made)] if step >= steps - 2 else []
        given = made
    judge += [spectral_norm(nn.Conv2d(given, 1, base)), nn.Flatten()]
    return nn.Sequential(*make), nn.Sequential(*judge)


class Basis(nn.Module):
    """`kgan.models.r3gan.LearnedBasis`."""

    def __init__(self, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.basis = nn.Parameter(torch.randn(channels, *size))

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return vectors[:, :, None, None] * self.basis


class Bias(nn.Module):
    """`kgan.models.r3gan.ChannelBias`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps + self.bias


class Block(nn.Module):
    """`kgan.models.r3gan.residual_block`."""

    def __init__(self, channels: int, blocks: int) -> None:
        super().__init__()
        inner = 2 * channels
        self.body = nn.Sequential(
            nn.Conv2d(channels, inner, 1, bias=False),
            Bias(inner),
            nn.LeakyReLU(0.2),
            nn.Conv2d(inner, inner, 3, 1, 1, groups=inner // math.gcd(inner, 16), bias=False),
            Bias(inner),
            nn.LeakyReLU(0.2),
            nn.Conv2d(inner, channels, 1, bias=False),
        )
        gain = math.sqrt(2.0 / 1.04) * blocks ** (-1 / 4)
        for convolution in (self.body[0], self.body[3]):
            fan_in = convolution.weight[0].numel()
            nn.init.normal_(convolution.weight, 0.0, gain / math.sqrt(fan_in))
        nn.init.zeros_(self.body[6].weight)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps + self.body(maps)


def r3gan(row: Row) -> tuple[nn.Module, nn.Module]:
    """`kgan.models.R3GANGenerator` and its discriminator."""
    height, width, channels = row.image_shape
    steps = (min(height, width) // 4).bit_length() - 1
    base = (height // 2**steps, width // 2**steps)
    wides = [max(8, row.filters // 2 ** max(0, step - 3)) for step in range(steps + 1)]
    blocks = 2 * len(wides)

    def two(wide: int) -> list[nn.Module]:
        return [Block(wide, blocks), Block(wide, blocks)]

    make = [nn.Linear(row.latent_dim, wides[0], bias=False), Basis(wides[0], base), *two(wides[0])]
    judge = [nn.Conv2d(channels, wides[-1], 1, bias=False), *two(wides[-1])]
    for small, large in itertools.pairwise(wides):
        make += [] if small == large else [nn.Conv2d(small, large, 1, bias=False)]
        make += [nn.Upsample(scale_factor=2, mode="bilinear"), *two(large)]
    for large, small in zip(wides[:0:-1], wides[-2::-1], strict=True):
        judge.append(nn.AvgPool2d(2))
        judge += [] if small == large else [nn.Conv2d(large, small, 1, bias=False)]
        judge += two(small)
    make.append(nn.Conv2d(wides[-1], channels, 1, bias=False))
    judge += [
        nn.Conv2d(wides[0], wides[0], base, groups=wides[0], bias=False),
        nn.Flatten(),
        nn.Linear(wides[0], 1, bias=False),
    ]
    return nn.Sequential(*make), nn.Sequential(*judge)


BUILDERS: dict[str, Callable[[Row], tuple[nn.Module, nn.Module]]] = {
    "dcgan": dcgan,
    "tutorial": tutorial,
    "sagan": sagan,
    "r3gan": r3gan,
}
