"""What ails a GAN, told from measured numbers alone.

`measures.py` takes the numbers; here they become verdicts. The bounds come from
runs that were healthy and runs made to die; what both showed stands beside each.
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Check:
    """What one look at a GAN found.

    Attributes:
        step: batches seen.
        separation: share of pairs of a real picture and a fake in which the
            discriminator finds the real one more real; 0.5 is guessing.
        pull: how much the generator's loss would change if a fake went along its
            gradient as far as a real picture typically is from their mean.
        variety: mean distance between two fakes, that of real pictures being 1.
        twins: distance of a fake to the nearest other fake, that of as many
            real pictures being 1.
        nearness: distance of a fake to the nearest real picture, that of a
            real picture to the nearest other being 1.
        offset: distance between the mean of the fakes and that of the real
            pictures, the typical distance of a real picture from it being 1.
        copies: share of fakes that lie less than half as far from a real picture as
            those lie from each other, less the share of real pictures that do.
        swing: how far the mean of the fakes has moved since the last check,
            the typical distance of a real picture from their mean being 1; NaN at first.
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


PERSISTS = 5  # checks in a row that must show a sign
PINNED = 0.999  # healthy runs were there for hundreds of steps, so that alone it is no sign
WON = 0.95
FAINT_PULL = 0.1  # healthy 2 to 100; minimax under a strong discriminator 0.08 to 0.0002
STUCK_FOR = 10  # checks that fakes stay as far from the real ones as they are
FAR_OFF = 0.5  # healthy below it after some hundred steps, or coming nearer all the time
STILL = 0.9
YOUNG = 100  # batches in which a generator's fakes are all alike before it has learned
LITTLE_VARIETY = 0.1  # healthy from 0.24 after the start; ignored latents 0
NEAR_TWINS = 0.25  # healthy from 0.32 after the start; collapsed 0.11 to 0.2
MANY_COPIES = 0.25  # healthy 0.0 to 0.02
SWINGS = 6  # checks that show whether the fakes go there and back
WIDE_SWING = 0.7  # healthy 0.05 to 0.5; swinging 0.7 to 1.7


def diagnose(checks):
    """The illnesses that the latest checks show.

    Args:
        checks: list of `Check`, oldest first, at a steady interval.

    Returns:
        Dict of an illness's name -> what to say, with figures and what to try.
    """
    verdicts = {name: judge(list(checks)) for name, judge in ILLNESSES.items()}
    return {name: words for name, words in verdicts.items() if words}


def overwhelmed(checks):
    """The discriminator wins always, and the generator no longer learns from it."""
    last = checks[-PERSISTS:]
    if len(last) == PERSISTS and all(c.separation >= WON and c.pull < FAINT_PULL for c in last):
        return (
            f"The discriminator has overwhelmed the generator: {_steps(last)} it told "
            f"{_percent(_median(last, 'separation'))} of the pairs of a real picture and a fake "
            f"apart, and the gradient it gives the generator has all but vanished (pull "
            f"{_median(last, 'pull'):.2g}; a healthy run has 1 to 100). Try another loss than "
            "minimax (bce, hinge), a lower learning rate for the discriminator, or the penalty r1."
        )
    last = checks[-STUCK_FOR:]
    if len(last) < STUCK_FOR or not all(
        c.separation >= PINNED and c.offset > FAR_OFF for c in last
    ):
        return None
    before, after = (_median(half, "offset") for half in (last[:5], last[5:]))
    if after < STILL * before:
        return None
    return (
        f"The discriminator has overwhelmed the generator: {_steps(last)} it told every fake from "
        f"every real picture, and the fakes came no nearer: their mean stays {after:.1f} of the "
        "real pictures' spread away from theirs. Try a lower learning rate for the discriminator "
        "or a higher one for the generator, a wider generator, DiffAugment, or the penalty r1."
    )


def collapsed(checks):
    """The fakes are all alike, or a few pictures again and again."""
    last = checks[-PERSISTS:]
    if len(last) < PERSISTS or last[0].step < YOUNG:
        return None
    remedy = (
        "Try a lower learning rate for the generator, more discriminator steps (d_steps), a loss "
        "with a penalty (wasserstein with gradient_penalty, relativistic with r1 and r2), or "
        "smaller batches; see that the generator uses its latents."
    )
    if all(c.variety < LITTLE_VARIETY for c in last):
        return (
            f"Mode collapse: {_steps(last)} the fakes were all nearly the same picture (they "
            f"differ {_percent(_median(last, 'variety'))} as much as real pictures do). {remedy}"
        )
    # Fakes that are copies of few pictures come twice by chance: that is the other illness.
    if all(c.twins < NEAR_TWINS and c.copies < MANY_COPIES for c in last):
        return (
            f"Mode collapse: {_steps(last)} the generator drew a few pictures again and again "
            f"(the nearest of {BATCH} fakes to a fake is {_percent(_median(last, 'twins'))} as far "
            f"away as with real pictures). {remedy}"
        )
    return None


def memorised(checks):
    """The fakes are copies of real pictures."""
    last = checks[-PERSISTS:]
    if len(last) == PERSISTS and all(c.copies > MANY_COPIES for c in last):
        return (
            f"Memorisation: {_steps(last)} about {_percent(_median(last, 'copies'))} of the fakes "
            "were copies of real pictures (less than half as far from one as real pictures are "
            "from each other). Try more pictures, DiffAugment (--diffaugment, --ada), a smaller "
            "model, or an earlier checkpoint."
        )
    return None


def oscillating(checks):
    """What the generator draws of the same latents swings there and back."""
    last = checks[-SWINGS:]
    swings = [c.swing for c in last]
    # A long way straight on is learning; there and back turns by more than a right angle.
    if (
        len(last) == SWINGS
        and np.median(swings) > WIDE_SWING
        and np.mean([c.turn for c in last[1:]]) < 0
    ):
        return (
            f"Oscillation: {_steps(last)} the generator and the discriminator chased each other "
            f"in circles: the mean of the fakes moved by {np.median(swings):.1f} of the real "
            "pictures' spread from check to check, there and back. Try lower learning rates, "
            "less momentum (Adam's beta_1 of 0.5 or 0), a penalty (r1, gradient_penalty), or an "
            "averaged generator (--ema-half-life-images)."
        )
    return None


BATCH = 64  # fakes of a check
ILLNESSES = {
    "overwhelmed": overwhelmed,
    "mode collapse": collapsed,
    "memorisation": memorised,
    "oscillation": oscillating,
}


def _median(checks, name):
    return float(np.median([getattr(check, name) for check in checks]))


def _steps(checks):
    return f"from step {checks[0].step} to {checks[-1].step}"


def _percent(share):
    return f"{100 * share:.3g} %"
