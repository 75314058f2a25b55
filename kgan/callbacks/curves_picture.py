"""`CurvesPicture`: what a training's curves look like, without TensorBoard."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from kgan.callbacks.curve_points import CurvePoints
from kgan.callbacks.curves import PeriodicMeans
from kgan.callbacks.curves_drawing import BLUE, DARK, ORANGE, Curve, Panel, draw_panels
from kgan.callbacks.periodic import FIRST, LONGEST, Interval, Logs
from kgan.callbacks.run_doctor import RunDoctor
from kgan.equilibrium import GUESSING, Judgement, judgement_under
from kgan.images import save_png
from kgan.losses import BCE, LOSSES, AdversarialLoss

PICTURE, TABLE = "curves.png", "curves.csv"
TABLE_SECONDS = 10.0  # from one writing of the table to the next


def judgement_of(loss: AdversarialLoss) -> Judgement:
    """How outputs are read under a loss; one of a class derived from kgan's, as under that."""
    names = {kind: name for name, kind in LOSSES.items()}
    name = next((names[kind] for kind in type(loss).__mro__ if kind in names), None)
    if isinstance(loss, BCE):
        return judgement_under(name, loss.label_smoothing, loss.one_mean)
    return judgement_under(name)


def judged(
    judgement: Judgement, real_logits: np.ndarray, fake_logits: np.ndarray
) -> dict[str, float]:
    """D(x), D(G(z)) and the shares judged rightly, by the names of their columns.

    Args:
        judgement: how the outputs are read.
        real_logits, fake_logits: float arrays (N,), of real and of generated images.
    """
    figures = {}
    for name, logits in (("d_real", real_logits), ("d_fake", fake_logits)):
        said = logits.astype(np.float64)
        if judgement.is_probability:
            said = 0.5 * (1.0 + np.tanh(0.5 * said))  # the sigmoid, which never overflows
        figures[name] = float(said.mean())
    if judgement.real_above is not None:
        figures["accuracy_real"] = float(np.mean(real_logits > judgement.real_above))
        figures["accuracy_fake"] = float(np.mean(fake_logits <= judgement.real_above))
    return figures


class CurvesPicture(PeriodicMeans):
    """Draws a training's curves as `curves.png`, and keeps their points in `curves.csv`.

    Losses; D(x) and D(G(z)), what the discriminator says of real and of generated images; and the
    share of both that it judges rightly. Where the loss fixes them, the values of the equilibrium
    are drawn dashed. Of an `Autoencoder` it is the loss alone. Points of earlier fits are gone on
    from. The picture is drawn at the first point 10 seconds after the fit began, then after twice
    as long each time, up to 5 minutes, and at the end.

    Args:
        directory: where both files go.
        doctor: the `RunDoctor` of the same `fit`, before this in its callbacks, whose looks D(x),
            D(G(z)) and the accuracies are of; None for none of them.
        every_steps: steps between two points; 50 when no interval is given. At most 1,000 points
            are kept.
        every_minutes: minutes between two points, in place of steps.

    Raises:
        InputError: an interval that `Periodic` refuses.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        doctor: RunDoctor | None = None,
        every_steps: int | None = None,
        *,
        every_minutes: float | None = None,
    ) -> None:
        super().__init__(every_steps, every_minutes)
        self.directory = Path(directory)
        self.doctor = doctor

    def on_train_begin(self, logs: Logs = None) -> None:
        loss = getattr(self.model, "adversarial_loss", None)
        self._judgement = None if loss is None else judgement_of(loss)
        self._seen_look: object = None
        self._points = CurvePoints(self.directory / TABLE, self.step)
        self._table_is_due = Interval(seconds=TABLE_SECONDS)
        self._picture_is_due = Interval(seconds=FIRST, longest=LONGEST)
        for interval in (self._table_is_due, self._picture_is_due):
            interval.restart(0)
        super().on_train_begin(logs)

    def take(self, figures: dict[str, float]) -> bool:
        look = None if self.doctor is None else self.doctor.logits
        if self._judgement is not None and look is not None and look is not self._seen_look:
            figures |= judged(self._judgement, *look)
        taken = self._points.take(self.step, figures)
        if taken:
            self._seen_look = look
        if self._table_is_due.is_over(self.steps_taken):
            self._points.write()
            self._table_is_due.restart(self.steps_taken)
        if self._picture_is_due.is_over(self.steps_taken):
            began_at = time.monotonic()
            self._draw()
            self._picture_is_due.grow(time.monotonic() - began_at)
            self._picture_is_due.restart(self.steps_taken)
        return taken

    def on_train_end(self, logs: Logs = None) -> None:
        super().on_train_end(logs)
        if self._points.rows:
            self._points.write()
            self._draw()

    def _draw(self) -> None:
        save_png(self.directory / PICTURE, draw_panels(self.panels()))

    def panels(self) -> list[Panel]:
        """What the picture shows."""

        def both(of_real: str, of_fake: str, names: tuple[str, str]) -> list[Curve]:
            colours = ((of_real, BLUE), (of_fake, ORANGE))
            found = [(self._points.curve(column), colour) for column, colour in colours]
            return [Curve(n, colour, p) for n, (p, colour) in zip(names, found, strict=True)]

        if self._judgement is None:
            return [Panel("loss", [Curve("now", DARK, self._points.curve("loss"))])]
        judgement = self._judgement
        panels = [Panel("losses", both("d_loss", "g_loss", ("D", "G")), judgement.d_loss)]
        if self.doctor is None:
            return panels
        says = both("d_real", "d_fake", ("D(x)", "D(G(z))"))
        if judgement.is_probability:
            title = "probability that D gives real and generated images"
            panels.append(Panel(title, says, judgement.equilibrium, (0.0, 1.0)))
        else:
            title = "outputs of D on real and generated images"
            panels.append(Panel(title, says, judgement.equilibrium))
        if judgement.real_above is not None:
            right = both("accuracy_real", "accuracy_fake", ("real", "generated"))
            panels.append(Panel("share that D judges rightly", right, GUESSING, (0.0, 1.0)))
        return panels
