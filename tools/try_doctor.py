#!/usr/bin/env python3
"""Does the run doctor see what it should? Trainings made to fail, healthy ones, and its remedies.

    .venv/bin/python tools/try_doctor.py FOLDER [--only NAME ...]

FOLDER holds colour pictures, some hundred or more. Each training is small (16x16 mostly, two cores,
under a minute). Beside the doctor each is watched by measures of this file's own, in NumPy, at
other latents, every ten steps: they say when an illness appeared. Exit status 1 where fewer than 8
of 10 illnesses are told, a healthy training is not left in peace, or a remedy does not help.
"""

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import kgan
from kgan import latents as latent_law
from kgan.callbacks.doctor_verdicts import YOUNG
from kgan.runs import RunOptions, ready, watching

EVERY, HOLDS = 10, 5  # steps between two looks; looks in a row that make a sign an illness
LOOK_BACK = 10  # looks that show whether fakes move on
COUNT = 64
COLOUR, FEW = "the folder's", "eight of the embedded set"  # data of a case, by what they are
GAN = {"preset": "gan", "filters": 64}
DCGAN = {"filters": 8}

# Name -> (illness, steps, options of `kgan train`).
FAILING: dict[str, tuple[str, int, dict]] = {
    "vanishing": ("overwhelmed", 300, GAN | {"loss": "minimax", "d_learning_rate": 5e-3}),
    "G too slow": ("overwhelmed", 300, GAN | {"g_learning_rate": 6e-6}),
    "D of 10 updates": ("overwhelmed", 300, GAN | {"g_learning_rate": 1e-5, "d_steps": 10}),
    "G x30": ("mode collapse", 300, GAN | {"g_learning_rate": 6e-3}),
    "G x30, colour": ("oscillation", 300, GAN | {"g_learning_rate": 6e-3, "data": COLOUR}),
    "one latent": ("mode collapse", 300, DCGAN | {"latent_dim": 1}),
    "G x250": ("mode collapse", 300, GAN | {"g_learning_rate": 5e-2}),
    "both x30": ("oscillation", 300, GAN | {"learning_rate": 6e-3}),
    "G x30, dcgan": ("oscillation", 300, DCGAN | {"g_learning_rate": 6e-3, "data": COLOUR}),
    "8 images": ("memorisation", 600, DCGAN | {"data": FEW, "learning_rate": 2e-3}),
}
HEALTHY: dict[str, tuple[int, dict]] = {
    "dcgan": (400, DCGAN),
    "dcgan, colour": (400, DCGAN | {"data": COLOUR}),
    "dcgan, hinge": (300, DCGAN | {"loss": "hinge"}),
    "dcgan, classes": (300, DCGAN | {"conditional": True}),
    "dcgan, 32x32": (200, DCGAN | {"size": (32, 32), "filters": 4}),
    "dcgan, augmented": (300, DCGAN | {"diffaugment": "color,translation,cutout"}),
    "dcgan_upsample, colour": (300, DCGAN | {"preset": "dcgan_upsample", "data": COLOUR}),
    "sagan": (200, {"preset": "sagan", "filters": 4}),
    "gan": (400, GAN),
    "r3gan": (100, {"preset": "r3gan", "filters": 4}),
}
# Those that the doctor advises: (a training made to fail, options that are to help it).
REMEDIES: list[tuple[str, dict]] = [
    ("vanishing", {"loss": "hinge"}),
    ("vanishing", {"d_learning_rate": 2e-4}),
    ("vanishing", {"r1_gamma": 1.0}),
    ("G too slow", {"g_learning_rate": 2e-4}),
    ("G x30", {"g_learning_rate": 2e-4}),
    ("G x30", {"d_steps": 5}),
    ("8 images", {"diffaugment": "color,translation,cutout"}),
    ("8 images", {"filters": 2}),
    ("both x30", {"learning_rate": 2e-4}),
]


@dataclasses.dataclass
class Look:
    """What is seen at one step: 64 fakes and 64 real images as vectors, and all the logits."""

    step: int
    fakes: np.ndarray
    reals: np.ndarray
    fake_logits: np.ndarray
    real_logits: np.ndarray


def between(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Distances of all pairs (N, M), computed pair by pair."""
    return np.sqrt(np.stack([np.square(one - others).sum(1) for one in some]))


def neighbours(vectors: np.ndarray) -> tuple[float, float]:
    """Mean distance of a pair, median distance to the nearest neighbour."""
    apart = between(vectors, vectors)
    mean = apart.sum() / (len(apart) * (len(apart) - 1))
    return mean, float(np.median(np.sort(apart, axis=1)[:, 1]))


def are_alike(looks: list[Look]) -> bool:
    """A pair of fakes, or a fake and its nearest, differ a tenth or a quarter as real images do."""
    if looks[-1].step < YOUNG:
        return False
    (pair, nearest), (real_pair, real_nearest) = map(
        neighbours, (looks[-1].fakes, looks[-1].reals[:COUNT])
    )
    return pair < 0.1 * real_pair or nearest < 0.25 * real_nearest


def are_copies(looks: list[Look]) -> bool:
    """A quarter of the fakes are less than half as far from a real image as those are apart."""
    reals = looks[-1].reals
    near = between(looks[-1].fakes, reals).min(1)
    return bool(np.mean(near < 0.5 * neighbours(reals)[1]) > 0.25)


def spread(look: Look) -> float:
    return float(np.sqrt(look.reals.var(0).sum()))


def stand_still(looks: list[Look]) -> bool:
    """D judges 95% of the pairs right, and in 100 steps the fakes' mean came 2% nearer at most."""
    if len(looks) <= LOOK_BACK:
        return False
    now, before = looks[-1], looks[-1 - LOOK_BACK]
    right = np.mean(now.real_logits[:, None] > now.fake_logits)
    off = [np.linalg.norm(look.fakes.mean(0) - look.reals.mean(0)) for look in (now, before)]
    return bool(right >= 0.95 and off[0] > max(0.5 * spread(now), 0.98 * off[1]))


def go_in_circles(looks: list[Look]) -> bool:
    """In 100 steps the fakes' mean went 3 spreads, and ended a third of the way off at most."""
    means = np.stack([look.fakes.mean(0) for look in looks[-1 - LOOK_BACK :]])
    way = np.linalg.norm(np.diff(means, axis=0), axis=1).sum() / spread(looks[-1])
    ended = np.linalg.norm(means[-1] - means[0]) / spread(looks[-1])
    return len(looks) > LOOK_BACK and bool(way > 3 and ended < way / 3)


SIGNS: dict[str, Callable[[list[Look]], bool]] = {
    "overwhelmed": stand_still,
    "mode collapse": are_alike,
    "memorisation": are_copies,
    "oscillation": go_in_circles,
}


class Watch(keras.callbacks.Callback):
    """Looks every ten steps, and notes at which step the doctor told which illness."""

    def __init__(self, doctor, reals, illness):
        super().__init__()
        self.doctor, self.reals, self.illness = doctor, reals, illness
        self.looks, self.told, self.signs = [], {}, []

    def on_train_batch_end(self, batch, logs=None):
        step = self.doctor.step
        for illness in self.doctor.ills:
            self.told.setdefault(illness, step)
        if step % EVERY == 0 and self.illness:
            self.looks.append(self.look(step))
            self.signs.append(SIGNS[self.illness](self.looks))
            # Once both have seen it, more would be wasted.
            self.model.stop_training = self.illness in self.told and self.appeared is not None

    def look(self, step: int) -> Look:
        gan = self.model
        latents = latent_law.from_seeds(
            range(1000, 1000 + COUNT), gan.latent_dim, gan.latent_distribution
        )
        with keras.StatelessScope():
            fakes = gan.generator(latents, training=True)
            logits = [gan.discriminator(images, training=True) for images in (self.reals, fakes)]
        flat = [
            np.asarray(images, np.float32).reshape(len(images), -1)
            for images in (fakes, self.reals)
        ]
        return Look(step, *flat, *(np.asarray(each)[:, 0] for each in logits[::-1]))

    @property
    def appeared(self) -> int | None:
        """The first step of the first five looks in a row that show the illness."""
        for first in range(len(self.signs) - HOLDS + 1):
            if all(self.signs[first : first + HOLDS]):
                return self.looks[first].step
        return None


def train(options: dict, steps: int, illness: str | None, data: dict[str, str]) -> Watch:
    """Trains a fresh model of these options of `kgan train`."""
    keras.utils.clear_session()
    small = {"size": (16, 16), "batch_size": 32, "augment": [], "precision": "float32"}
    if options.get("data") == COLOUR:
        small["size"] = (16, 16, 3)
    options = small | options | {"data": data.get(options.get("data")), "steps": steps}
    (source, model, batches, _), resolved = ready.begin(
        RunOptions(**options), tf.distribute.get_strategy(), False
    )
    with tempfile.TemporaryDirectory() as place:
        watchers = watching.watchers(model, source, batches, resolved, Path(place), None)
        (doctor,) = (each for each in watchers if isinstance(each, kgan.callbacks.RunDoctor))
        doctor.every_steps = doctor.default_every_steps  # whatever the batch
        reals = kgan.images.from_uint8(doctor.gallery.images[:COUNT], model.value_range)
        watch = Watch(doctor, reals, illness)
        stop = kgan.callbacks.StopAfter(steps)
        model.fit(batches, epochs=10**6, callbacks=[doctor, watch, stop], verbose=0)
    return watch


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def told(watch: Watch) -> str:
    return ", ".join(f"{illness} at {step}" for illness, step in watch.told.items()) or "nothing"


def try_failing(names: list[str], data: dict[str, str]) -> int:
    """How many illnesses were told that the other measure shows as well."""
    row("made to fail", "illness", "appeared at step", "the doctor said")
    named = 0
    for name in names:
        illness, steps, options = FAILING[name]
        watch = train(options, steps, illness, data)
        named += illness in watch.told and watch.appeared is not None
        row(name, illness, watch.appeared, told(watch))
    return named


def try_healthy(names: list[str], data: dict[str, str]) -> int:
    """How many were left in peace."""
    row("healthy", "steps", "the doctor said")
    silent = 0
    for name in names:
        steps, options = HEALTHY[name]
        watch = train(options, steps, None, data)
        silent += not watch.told
        row(name, steps, told(watch))
    return silent


def try_remedies(remedies: list[tuple[str, dict]], data: dict[str, str]) -> int:
    """How many ended the illness, by the doctor and by the other measure."""
    row("made to fail", "remedy", "appeared at step", "the doctor said", "helps")
    helped = 0
    for name, remedy in remedies:
        illness, steps, options = FAILING[name]
        watch = train(options | remedy, steps, illness, data)
        helps = illness not in watch.told and watch.appeared is None
        helped += helps
        row(name, remedy, watch.appeared, told(watch), helps)
    return helped


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    cases = [*FAILING, *HEALTHY]
    parser.add_argument("--only", nargs="+", choices=cases, default=cases, help="cases to try")
    arguments = parser.parse_args()
    failing = [name for name in FAILING if name in arguments.only]
    healthy = [name for name in HEALTHY if name in arguments.only]
    remedies = [remedy for remedy in REMEDIES if remedy[0] in arguments.only]
    with tempfile.TemporaryDirectory() as place:
        few = Path(place) / "few.npz"
        np.savez(few, x_train=kgan.data.open_source(None, image_shape=(16, 16, 1)).images[:8])
        data = {COLOUR: arguments.folder, FEW: str(few)}
        named = try_failing(failing, data)
        silent = try_healthy(healthy, data)
        helped = try_remedies(remedies, data)
    print(f"told {named} of {len(failing)}, silent on {silent} of {len(healthy)}, ", end="")
    print(f"{helped} of {len(remedies)} remedies helped")
    good = named >= 0.8 * len(failing) and silent == len(healthy) and helped == len(remedies)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
