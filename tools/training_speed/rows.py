"""What is measured: rows (a network at a size) and variants (who trains it, and how).

Neither TensorFlow nor PyTorch is imported here: the process of each variant imports its own.
"""

import dataclasses
from typing import Literal

BATCHES = 4  # of pictures in memory
UNTIMED = 2  # steps at the beginning of each turn


@dataclasses.dataclass(frozen=True)
class Row:
    """Two networks, their loss and their optimizers.

    Attributes:
        networks: a preset of kgan's, or "tutorial" for those of TensorFlow's DCGAN tutorial.
        image_shape, latent_dim, filters, batch: (H, W, C), the others whole numbers.
        loss: a name in `kgan.losses.LOSSES`.
        g_adam, d_adam: learning rate, beta_1, beta_2.
        gamma: weight of the R1 and of the R2 penalty; 0 for none.
        dropout: rate in the tutorial's discriminator.
    """

    networks: str
    image_shape: tuple[int, int, int]
    latent_dim: int
    filters: int
    batch: int
    loss: str
    g_adam: tuple[float, float, float]
    d_adam: tuple[float, float, float]
    gamma: float = 0.0
    dropout: float = 0.0

    def __str__(self) -> str:
        shape = "x".join(map(str, self.image_shape))
        return f"{self.networks} {shape}, batch {self.batch}"


ROWS = {
    "dcgan-64": Row(
        "dcgan", (64, 64, 3), 100, 64, 64, "bce", (2e-4, 0.5, 0.999), (2e-4, 0.5, 0.999)
    ),
    # https://www.tensorflow.org/tutorials/generative/dcgan
    "tutorial-28": Row(
        "tutorial",
        (28, 28, 1),
        100,
        64,
        256,
        "bce",
        (1e-4, 0.9, 0.999),
        (1e-4, 0.9, 0.999),
        dropout=0.3,
    ),
    "sagan-64": Row("sagan", (64, 64, 3), 20, 64, 16, "hinge", (1e-4, 0.0, 0.9), (4e-4, 0.0, 0.9)),
    # Without the average of the weights that the preset keeps: no other variant has it.
    "r3gan-32": Row(
        "r3gan",
        (32, 32, 3),
        64,
        128,
        16,
        "relativistic",
        (2e-4, 0.0, 0.99),
        (2e-4, 0.0, 0.99),
        gamma=1.0,
    ),
    # For its memory: maps of 128 px, few weights.
    "r3gan-128": Row(
        "r3gan",
        (128, 128, 3),
        64,
        32,
        16,
        "relativistic",
        (2e-4, 0.0, 0.99),
        (2e-4, 0.0, 0.99),
        gamma=1.0,
    ),
}


def narrowed(row: Row, divisor: int) -> Row:
    """The row with its width divided."""
    return dataclasses.replace(row, filters=row.filters // divisor)


@dataclasses.dataclass(frozen=True)
class Variant:
    """Who trains, and how.

    Attributes:
        title: its name in the table.
        trainer: the class in `keras_side` or `torch_side`.
        precision: what most of the work is computed in.
        compiled: by XLA, or by torch.compile.
        channels_last: PyTorch's memory format.
        remat: blocks recomputed in the backward pass, in kgan's step.
    """

    title: str
    trainer: Literal["Kgan", "KerasIO", "Tutorial", "Torch"]
    precision: Literal["float32", "bfloat16"] = "float32"
    compiled: bool = False
    channels_last: bool = False
    remat: bool = False

    @property
    def framework(self) -> Literal["keras", "torch"]:
        """Whose matrix product is its peak."""
        return "torch" if self.trainer == "Torch" else "keras"


REFERENCE = "torch"
VARIANTS = {
    "torch": Variant("PyTorch eager", "Torch"),
    "torch-last": Variant("PyTorch, channels_last", "Torch", channels_last=True),
    "torch-compile": Variant("PyTorch, torch.compile", "Torch", compiled=True),
    "keras-io": Variant("keras.io's `train_step` under `fit`", "KerasIO"),
    "tutorial": Variant("TensorFlow tutorial's loop (reuses the fakes: less work)", "Tutorial"),
    "kgan": Variant("`kgan.GAN`", "Kgan"),
    "kgan-remat": Variant("`kgan.GAN`, `remat`", "Kgan", remat=True),
    "kgan-xla": Variant("`kgan.GAN`, XLA", "Kgan", compiled=True),
    "torch-bfloat16": Variant("PyTorch, bfloat16 autocast", "Torch", "bfloat16"),
    "torch-bfloat16-last": Variant(
        "PyTorch, bfloat16 autocast, channels_last", "Torch", "bfloat16", channels_last=True
    ),
    "kgan-bfloat16": Variant("`kgan.GAN`, `mixed_bfloat16`", "Kgan", "bfloat16"),
    "kgan-bfloat16-xla": Variant(
        "`kgan.GAN`, `mixed_bfloat16`, XLA", "Kgan", "bfloat16", compiled=True
    ),
}
