"""PyTorch's training of a row: kgan's step as its users write it."""

import contextlib
import itertools
import math
from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from training_speed.machine import Window
from training_speed.rows import BATCHES, UNTIMED, Row, Variant
from training_speed.torch_networks import networks

PEAK_SIDE = {"cpu": 2048, "cuda": 8192}
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

# Each takes logits (real, fake): the discriminator's loss and the generator's.
LOSSES = {
    "bce": (
        lambda real, fake: functional.softplus(-real).mean() + functional.softplus(fake).mean(),
        lambda real, fake: functional.softplus(-fake).mean(),
    ),
    "hinge": (
        lambda real, fake: functional.relu(1.0 - real).mean() + functional.relu(1.0 + fake).mean(),
        lambda real, fake: -fake.mean(),
    ),
    "relativistic": (
        lambda real, fake: functional.softplus(fake - real).mean(),
        lambda real, fake: functional.softplus(real - fake).mean(),
    ),
}
PAIRS_REAL = ("relativistic",)


def synchronize() -> None:
    """Waits for the device."""
    if DEVICE == "cuda":
        torch.cuda.synchronize()


class Torch:
    """Two networks, their optimizers and pictures in memory."""

    def __init__(self, row: Row, variant: Variant) -> None:
        # What TensorFlow does with float32 on GPUs that can.
        torch.set_float32_matmul_precision("high")
        torch.manual_seed(0)
        self.row, self.variant = row, variant
        self.device = torch.cuda.get_device_name() if DEVICE == "cuda" else "CPU"
        memory = torch.channels_last if variant.channels_last else torch.contiguous_format
        self.generator, self.discriminator = (
            network.to(DEVICE, memory_format=memory).train() for network in networks(row)
        )
        self.g_optimizer, self.d_optimizer = (
            # Keras's epsilon.
            torch.optim.Adam(network.parameters(), rate, (beta_1, beta_2), eps=1e-7)
            for network, (rate, beta_1, beta_2) in (
                (self.generator, row.g_adam),
                (self.discriminator, row.d_adam),
            )
        )
        self.make, self.judge = self.generator, self.discriminator
        if variant.compiled:
            self.make, self.judge = torch.compile(self.generator), torch.compile(self.discriminator)
        # torch.compile has no second derivatives: what a penalty looks at is not compiled.
        self.judge_twice = self.discriminator if row.gamma else self.judge
        self.autocast = contextlib.nullcontext
        if variant.precision == "bfloat16":
            self.autocast = lambda: torch.autocast(DEVICE, torch.bfloat16)
        height, width, channels = row.image_shape
        pictures = torch.rand(BATCHES, row.batch, channels, height, width) * 2.0 - 1.0
        batches = [batch.contiguous(memory_format=memory) for batch in pictures]
        if DEVICE == "cuda":
            batches = [batch.pin_memory() for batch in batches]
        self.batches = itertools.cycle(batches)

    @property
    def parameters(self) -> tuple[int, int]:
        """Trainable numbers of the generator and of the discriminator."""
        return tuple(
            sum(p.numel() for p in network.parameters())
            for network in (self.generator, self.discriminator)
        )

    def latents(self) -> torch.Tensor:
        """New ones."""
        return torch.randn(self.row.batch, self.row.latent_dim, device=DEVICE)

    def judged(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | float]:
        """Logits and, where the row has one, the penalty at the images."""
        if not self.row.gamma:
            return self.judge_twice(images).float(), 0.0
        images = images.detach().requires_grad_()
        logits = self.judge_twice(images).float()
        (steepness,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
        squares = steepness.float().square().sum((1, 2, 3))
        return logits, 0.5 * self.row.gamma * squares.mean()

    def step(
        self, real: torch.Tensor, d_latents: torch.Tensor, g_latents: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One step: the discriminator's half, then the generator's; their losses."""
        d_loss_of, g_loss_of = LOSSES[self.row.loss]
        with self.autocast():
            with torch.no_grad():
                fake = self.make(d_latents).float()
            real_logits, real_penalty = self.judged(real)
            fake_logits, fake_penalty = self.judged(fake)
            d_loss = d_loss_of(real_logits, fake_logits) + real_penalty + fake_penalty
        self.d_optimizer.zero_grad(set_to_none=True)
        d_loss.backward()
        self.d_optimizer.step()

        with frozen(self.discriminator), self.autocast():
            real_logits = None
            if self.row.loss in PAIRS_REAL:
                with torch.no_grad():
                    real_logits = self.judge(real).float()
            fake = self.make(g_latents).float()
            g_loss = g_loss_of(real_logits, self.judge(fake).float())
        self.g_optimizer.zero_grad(set_to_none=True)
        g_loss.backward()
        self.g_optimizer.step()
        return d_loss.detach(), g_loss.detach()

    def run(self, steps: int) -> dict[str, float]:
        """Trains; what `Window` says of it."""
        window = Window()
        for step in range(-UNTIMED, steps):
            if step == 0:
                synchronize()
                window.open()
            real = next(self.batches).to(DEVICE, non_blocking=True)
            d_loss, g_loss = self.step(real, self.latents(), self.latents())
        synchronize()
        timed = window.close()
        assert all(map(math.isfinite, (d_loss, g_loss))), "the losses are not finite"
        return timed

    def save(self, path: str) -> None:
        """Networks and optimizers."""
        parts = (self.generator, self.discriminator, self.g_optimizer, self.d_optimizer)
        torch.save([part.state_dict() for part in parts], path)

    def peak(self) -> float:
        """Floating-point operations a second of the best of some matrix products."""
        side = PEAK_SIDE[DEVICE]
        matrix = torch.rand(side, side, device=DEVICE, dtype=getattr(torch, self.variant.precision))
        taken = []
        for _ in range(4):
            window = Window()
            synchronize()
            window.open()
            matrix @ matrix
            synchronize()
            taken.append(window.close()["seconds"])
        return 2 * side**3 / min(taken)

    def device_memory(self) -> int | None:
        """The most bytes taken on the GPU."""
        return torch.cuda.max_memory_allocated() if DEVICE == "cuda" else None

    def work(self) -> dict[str, int]:
        """Floating-point operations of a step, and of one that reuses the fakes."""
        real = next(self.batches).to(DEVICE)
        arguments = real, self.latents(), self.latents()
        whole = counted(lambda: self.step(*arguments))
        with torch.no_grad():
            make = counted(lambda: self.generator(arguments[1]))
            judge = counted(lambda: self.discriminator(real))
        again = 2 if self.row.loss in PAIRS_REAL else 1
        return {"step": whole, "reusing": whole - make - again * judge}


@contextlib.contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Its weights have no gradients meanwhile."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


class Counter(TorchDispatchMode):
    """Counts the floating-point operations of convolutions and products, two a multiply-add.

    FlopCounterMode of PyTorch counts gradients of convolutions as if they had one group, and
    fails on second derivatives.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        operation = func._overloadpacket
        if operation == torch.ops.aten.convolution:
            given, weight, *_, transposed, _, _ = args
            self.total += of_convolution(given, weight, given if transposed else made)
        elif operation == torch.ops.aten.convolution_backward:
            gradient, given, weight, *_, transposed, _, _, wanted = args
            once = of_convolution(given, weight, given if transposed else gradient)
            self.total += sum(wanted[:2]) * once
        elif operation in flop_registry:
            self.total += flop_registry[operation](*args, **(kwargs or {}), out_val=made)
        return made


def of_convolution(given: torch.Tensor, weight: torch.Tensor, places: torch.Tensor) -> int:
    """Each weight is used once for each image of the batch and each place of the smaller maps."""
    return 2 * len(given) * math.prod(places.shape[2:]) * weight.numel()


def counted(run: Callable[[], object]) -> int:
    """Floating-point operations of what `run` does."""
    with Counter() as counter:
        run()
    return counter.total
