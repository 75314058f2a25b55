"""What ails a GAN and what to try, judged from measured numbers alone.

`doctor_measures.py` takes the numbers; here they become verdicts. The bounds come from
healthy runs and from runs made to fail; what both showed stands beside each.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Check:
    """What one look at a GAN measured.

    Attributes:
        step: batches seen.
        separation: share of pairs of a real image and a fake in which the
            discriminator judges the real image more real; 0.5 is guessing.
        pull: how much the generator's loss would change if a fake went along its
            gradient as far as a real image typically is from the real images' mean.
        variety: mean distance between two fakes, relative to that between two real images.
        twins: distance of a fake to its nearest neighbour among the fakes, relative to the
            same among as many real images.
        nearness: distance of a fake to the nearest real image, relative to that of a
            real image to its nearest neighbour.
        offset: distance between the mean of the fakes and that of the real
            images, relative to the typical distance of a real image from it.
        copies: share of fakes that lie less than half as far from a real image as
            those lie from each other, less the share of real images that do.
        swing: how far the mean of the fakes has moved since the last check, relative to
            the typical distance of a real image from their mean; NaN at first.
        turn: cosine between the mean's last two moves, -1 straight back; NaN at first.
    """

    step: int
    separation: float
    pull: float
    variety: float
    twins: float
    nearness: float
    offset: float
    copies: float
    swing: float = float("nan")
    turn: float = float("nan")


@dataclasses.dataclass(frozen=True)
class Remedy:
    """An option of `kgan train` to change, and how; as a string, what to do with it.

    Attributes:
        option: its name as a field of a run's options, such as "d_learning_rate".
        phrase: what to do, with {} in place of the option as the command line spells it.
    """

    option: str
    phrase: str = "{}"

    def __str__(self) -> str:
        return self.phrase.format("--" + self.option.replace("_", "-"))


# What to try: in `tools/try_doctor.py` each ends an illness, by the doctor's measures and by
# others; docs/doctor.md has the figures. What ended none there is not advised: against a
# generator that hardly moves a lower rate of the discriminator, against collapse the Wasserstein
# loss, against copies --ada, which came too late, and against oscillation that loss and R1, under
# which the fakes still went in circles.
NO_GRADIENT = (
    Remedy("loss", "{} hinge"),
    Remedy("d_learning_rate", "a lower {}"),
    # At 16x16 1 ended it, 0.05 did not; the preset r3gan has 1 at 64x64 and 150 at 256x256.
    Remedy("r1_gamma", "{} 1 (above 64x64 more)"),
)
LEFT_BEHIND = (Remedy("g_learning_rate", "a higher {}"),)
COLLAPSED = (
    Remedy("g_learning_rate", "a lower {}"),
    Remedy("d_steps", "a higher {}"),
)
MEMORISED = (
    Remedy("diffaugment"),
    Remedy("filters", "fewer {}"),
)
OSCILLATING = (Remedy("learning_rate", "a lower {}"),)

PERSISTS = 5  # checks in a row that must show a sign
PINNED = 0.999  # healthy runs were there for hundreds of steps, so that alone it is no sign
WON = 0.95
FAINT_PULL = 0.1  # healthy 2 to 100; minimax under a strong discriminator 0.08 to 0.0002
STUCK_FOR = 6  # checks in which the fakes come no nearer to the real images
FAR_OFF = 0.5  # healthy below it after some hundred steps, or coming nearer all the time
STILL = 0.98  # of the offset is left; healthy at most 0.96 in 80 steps, stuck 0.995 and more
# A wide dcgan begins with one tile pattern for all latents: 0.03 for the first hundred batches at
# 64x64, and then more from check to check. That is young. The same picture ever after is ill.
YOUNG = 100  # batches in which fakes that are all alike mean nothing
GROWING = 1.25  # times as much at the last of five checks; young 1.6 to 3.4, ill 0.7 to 1.2
GROWING_ON = 1.05  # in either half of them: one step up is not growth
LITTLE_VARIETY = 0.1  # healthy from 0.2 after the start; ignored latents 0
NEAR_TWINS = 0.25  # healthy from 0.29 after the start; collapsed 0.03 to 0.22
# A swing that shows a generator at work: 0.2 to 1.2 of one that repeats itself, 0.1 to 0.6 of one
# whose tile pattern grows apart; left behind 0.002, a slow starter as at first 0.01 to 0.03.
STIRS = 0.05
MANY_COPIES = 0.25  # healthy 0.0 to 0.02
SWINGS = 6  # checks that show whether the fakes move back and forth
WIDE_SWING = 0.6  # healthy 0.05 to 0.5; swinging 0.7 to 1.7
BATCH = 64  # fakes per check


def diagnose(checks: Iterable[Check]) -> dict[str, str]:
    """The illnesses that the latest checks show.

    Args:
        checks: the checks, oldest first, at regular intervals.

    Returns:
        Dict of an illness's name -> what to say, with figures and what to try.
    """
    checks = list(checks)
    verdicts = {name: judge(checks) for name, judge in ILLNESSES.items()}
    return {name: words for name, words in verdicts.items() if words}


def overwhelmed(checks: Sequence[Check]) -> str | None:
    """The discriminator always wins, and the generator no longer learns from it."""
    last = checks[-PERSISTS:]
    if len(last) == PERSISTS and all(c.separation >= WON and c.pull < FAINT_PULL for c in last):
        return (
            f"The discriminator has overwhelmed the generator: {_steps(last)} it judged the real "
            f"picture more real in {_percent(_median(last, 'separation'))} of all pairs of a real "
            "picture and a fake, and the gradient it gives the generator has all but vanished "
            f"(pull {_median(last, 'pull'):.2g}; a healthy run has 1 to 100). "
            f"{try_one_of(NO_GRADIENT)}."
        )
    last = checks[-STUCK_FOR:]
    if len(last) < STUCK_FOR or not all(
        c.separation >= PINNED and c.offset > FAR_OFF for c in last
    ):
        return None
    before, after = (_median(two, "offset") for two in (last[:2], last[-2:]))
    if after < STILL * before or _median(last[1:], "swing") > STIRS:
        return None
    return (
        f"The discriminator has overwhelmed the generator: {_steps(last)} it judged every real "
        "picture more real than every fake, and the fakes came no nearer: their mean stays "
        f"{after:.1f} times the real pictures' spread away from the real mean. "
        f"{try_one_of(LEFT_BEHIND)}."
    )


def collapsed(checks: Sequence[Check]) -> str | None:
    """The fakes are all alike, or a few images again and again."""
    last = checks[-PERSISTS:]
    if len(last) < PERSISTS or last[0].step < YOUNG:
        return None
    advice = f"{try_one_of(COLLAPSED)}; check that the generator uses its latents."
    if all(c.variety < LITTLE_VARIETY for c in last) and not _grows(last, "variety"):
        return (
            f"Mode collapse: {_steps(last)} the fakes were all nearly the same picture (they "
            f"differ {_percent(_median(last, 'variety'))} as much as real pictures do). {advice}"
        )
    # Fakes that are copies of few images come twice by chance: that is the other illness.
    few = all(c.twins < NEAR_TWINS and c.copies < MANY_COPIES for c in last)
    if few and _median(last, "swing") > STIRS and not _grows(last, "twins"):
        return (
            f"Mode collapse: {_steps(last)} the generator drew a few pictures again and again "
            f"(among {BATCH} fakes the nearest neighbour is {_percent(_median(last, 'twins'))} as "
            f"far away as among real pictures). {advice}"
        )
    return None


def memorised(checks: Sequence[Check]) -> str | None:
    """The fakes are copies of real images."""
    last = checks[-PERSISTS:]
    if len(last) == PERSISTS and all(c.copies > MANY_COPIES for c in last):
        return (
            f"Memorisation: {_steps(last)} about {_percent(_median(last, 'copies'))} of the fakes "
            "were copies of real pictures (less than half as far from one as real pictures are "
            f"from each other). {try_one_of(MEMORISED)}; more pictures help most."
        )
    return None


def oscillating(checks: Sequence[Check]) -> str | None:
    """What the generator draws from the same latents swings back and forth."""
    last = checks[-SWINGS:]
    swings = [c.swing for c in last]
    # A long way straight on is learning; back and forth turns by more than a right angle.
    if (
        len(last) == SWINGS
        and np.median(swings) > WIDE_SWING
        and np.mean([c.turn for c in last[1:]]) < 0
    ):
        return (
            f"Oscillation: {_steps(last)} the generator and the discriminator chased each other "
            f"in circles: the mean of the fakes moved by {np.median(swings):.1f} times the real "
            f"pictures' spread from check to check, back and forth. {try_one_of(OSCILLATING)}."
        )
    return None


ILLNESSES: dict[str, Callable[[Sequence[Check]], str | None]] = {
    "overwhelmed": overwhelmed,
    "mode collapse": collapsed,
    "memorisation": memorised,
    "oscillation": oscillating,
}


def _options(*remedies: Remedy) -> tuple[str, ...]:
    return tuple(dict.fromkeys(remedy.option for remedy in remedies))


# Illness -> the options its verdicts name, as fields of a run's options.
REMEDIES: dict[str, tuple[str, ...]] = {
    "overwhelmed": _options(*NO_GRADIENT, *LEFT_BEHIND),
    "mode collapse": _options(*COLLAPSED),
    "memorisation": _options(*MEMORISED),
    "oscillation": _options(*OSCILLATING),
}


def try_one_of(remedies: Sequence[Remedy]) -> str:
    """Words that advise to try it, or one of them."""
    *most, last = map(str, remedies)
    return f"Try {', '.join(most)} or {last}" if most else f"Try {last}"


def _grows(checks: Sequence[Check], name: str) -> bool:
    first, middle, last = (getattr(checks[i], name) for i in (0, len(checks) // 2, -1))
    goes_on = middle > GROWING_ON * first and last > GROWING_ON * middle
    return bool(goes_on and last > GROWING * first)


def _median(checks: Sequence[Check], name: str) -> float:
    return float(np.median([getattr(check, name) for check in checks]))


def _steps(checks: Sequence[Check]) -> str:
    return f"from step {checks[0].step} to {checks[-1].step}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
