"""PyTorch's DCGAN example, with its own loop."""

import itertools
import time

import numpy as np
import torch
from torch import nn

CHUNK = 5  # steps between two looks at the clock


class TorchExample:
    """https://github.com/pytorch/examples/tree/main/dcgan for 28x28x1.

    That is of 64x64x3, with four doublings from 4x4: here it has the last three, the first of
    which goes from 4x4 to 7x7. As published, the discriminator's gradients of real and of fake
    images come from two passes, the generator's fakes are those that the discriminator has just
    seen, and images are drawn with the statistics of their own batch.

    Args:
        divisor: what its widths, 64 and more, are divided by.
        pictures: float32 (N, 28, 28, 1), from -1 to 1.
        seed: of weights, latents and order.
    """

    LATENTS, BATCH, RATE, BETAS = 100, 64, 2e-4, (0.5, 0.999)

    def __init__(self, divisor: int, pictures: np.ndarray, seed: int) -> None:
        torch.manual_seed(seed)
        self.width = 64 // divisor
        self.generator, self.discriminator = self._generator(), self._discriminator()
        for network in (self.generator, self.discriminator):
            network.apply(first_weights)
        self.g_optimizer, self.d_optimizer = (
            torch.optim.Adam(network.parameters(), lr=self.RATE, betas=self.BETAS)
            for network in (self.generator, self.discriminator)
        )
        self.loss = nn.BCELoss()
        data = torch.utils.data.TensorDataset(torch.from_numpy(pictures.transpose(0, 3, 1, 2)))
        self.batches = itertools.chain.from_iterable(
            itertools.repeat(
                torch.utils.data.DataLoader(data, self.BATCH, shuffle=True, drop_last=True)
            )
        )

    def _generator(self) -> nn.Module:
        wide = [4 * self.width, 2 * self.width, self.width]
        return nn.Sequential(
            nn.ConvTranspose2d(self.LATENTS, wide[0], 4, 1, 0, bias=False),
            *(nn.BatchNorm2d(wide[0]), nn.ReLU(True)),
            nn.ConvTranspose2d(wide[0], wide[1], 3, 2, 1, bias=False),
            *(nn.BatchNorm2d(wide[1]), nn.ReLU(True)),
            nn.ConvTranspose2d(wide[1], wide[2], 4, 2, 1, bias=False),
            *(nn.BatchNorm2d(wide[2]), nn.ReLU(True)),
            nn.ConvTranspose2d(wide[2], 1, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def _discriminator(self) -> nn.Module:
        wide = [self.width, 2 * self.width, 4 * self.width]
        return nn.Sequential(
            nn.Conv2d(1, wide[0], 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(wide[0], wide[1], 4, 2, 1, bias=False),
            *(nn.BatchNorm2d(wide[1]), nn.LeakyReLU(0.2, inplace=True)),
            nn.Conv2d(wide[1], wide[2], 3, 2, 1, bias=False),
            *(nn.BatchNorm2d(wide[2]), nn.LeakyReLU(0.2, inplace=True)),
            nn.Conv2d(wide[2], 1, 4, 1, 0, bias=False),
            nn.Sigmoid(),
        )

    def train(self, seconds: float) -> int:
        """Trains for so many seconds of the processor's; the steps."""
        begun, steps = time.process_time(), 0
        while time.process_time() - begun < seconds:
            for (real,) in itertools.islice(self.batches, CHUNK):
                self.step(real)
            steps += CHUNK
        return steps

    def step(self, real: torch.Tensor) -> None:
        """One step, as published."""
        ones, zeros = torch.ones(len(real)), torch.zeros(len(real))
        self.discriminator.zero_grad()
        self.loss(self.discriminator(real).flatten(), ones).backward()
        fake = self.generator(torch.randn(len(real), self.LATENTS, 1, 1))
        self.loss(self.discriminator(fake.detach()).flatten(), zeros).backward()
        self.d_optimizer.step()
        self.generator.zero_grad()
        self.loss(self.discriminator(fake).flatten(), ones).backward()
        self.g_optimizer.step()

    def draw(self, n: int) -> np.ndarray:
        """Images, uint8 (n, 28, 28, 1)."""
        with torch.no_grad():
            parts = [
                self.generator(torch.randn(self.BATCH, self.LATENTS, 1, 1)).numpy()
                for _ in range(-(-n // self.BATCH))
            ]
        images = np.concatenate(parts)[:n].transpose(0, 2, 3, 1)
        return np.clip(np.rint(images * 127.5 + 127.5), 0, 255).astype(np.uint8)


def first_weights(layer: nn.Module) -> None:
    """The example's `weights_init`."""
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
        nn.init.zeros_(layer.bias)


PEERS = {"pytorch": TorchExample}
