#!/usr/bin/env python3
"""Measures training: kgan's step beside keras.io's, the TensorFlow tutorial's and PyTorch's.

    .venv/bin/python tools/bench_training.py [ROW ...] [--variants VARIANT ...] [--rounds 5]
        [--steps 40] [--whole] [--markdown]

Each variant trains in a process of its own, and they take turns, round after round. A turn in
which other processes took more than a twentieth of the cores is repeated, twice at most.
docs/speed.md says what is measured and how to read it. PyTorch is an extra of this benchmark:
pip install torch==2.13.0.
"""

import argparse
import importlib.util
import statistics
import sys
from typing import Any

from training_speed import contest, machine, worker
from training_speed.rows import REFERENCE, ROWS, VARIANTS, Row, Variant

COLUMNS = ("", "images/s", "relative", "from to", "of peak", "memory", "of steps", "whole fit")


def positive(text: str) -> int:
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def parsed() -> argparse.Namespace:
    """The arguments, their names checked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument(
        "--variants", nargs="+", metavar="VARIANT", default=list(VARIANTS), help=", ".join(VARIANTS)
    )
    parser.add_argument("--rounds", type=positive, default=5, help="turns of each variant")
    parser.add_argument("--steps", type=positive, default=40, help="steps of a turn")
    parser.add_argument(
        "--whole", action="store_true", help="also time a process from its start to a saved model"
    )
    parser.add_argument("--markdown", action="store_true", help="as tables for docs/speed.md")
    arguments = parser.parse_args()
    arguments.rows = arguments.rows or list(ROWS)
    for kind, names, known in (
        ("row", arguments.rows, ROWS),
        ("variant", arguments.variants, VARIANTS),
    ):
        unknown = [name for name in names if name not in known]
        if unknown:
            parser.error(f"no such {kind}: {', '.join(unknown)} (there are {', '.join(known)})")
    if importlib.util.find_spec("torch") is None:
        wanted = [name for name in arguments.variants if VARIANTS[name].framework == "torch"]
        if wanted:
            parser.error(
                f"PyTorch is not installed: pip install torch==2.13.0, or name other variants "
                f"than {', '.join(wanted)}"
            )
    return arguments


def say(text: str) -> None:
    """Tells how far it is, beside the table."""
    print(text, file=sys.stderr, flush=True)


def measured(row: Row, arguments: argparse.Namespace) -> list[tuple[str, ...]]:
    """A row's table: a line of cells for each variant."""
    variants = [VARIANTS[name] for name in arguments.variants]
    work = None
    if importlib.util.find_spec("torch") is not None:
        work = contest.work_of(row, VARIANTS[REFERENCE])
        say(f"{row}: {work['step'] / row.batch / 1e9:.2f} GFLOP an image")
    turns, failed = contest.hold(row, variants, arguments.rounds, arguments.steps, say)
    check_equal({title: answers[0]["parameters"] for title, answers in turns.items()})
    reference = next((v.title for v in (VARIANTS[REFERENCE], *variants) if v.title in turns), None)
    tell_of_disturbed(turns)
    lines = []
    for variant in variants:
        if variant.title in failed:
            lines.append((variant.title, f"failed: {failed[variant.title]}", *["-"] * 6))
            continue
        cells = figures(row, variant, turns, reference, arguments.steps, work)
        lines.append((variant.title, *cells, whole(row, variant, arguments)))
    return lines


def tell_of_disturbed(turns: dict[str, list[dict[str, Any]]]) -> None:
    """Says how many turns others disturbed in every try."""
    others = [answer["others"] for answers in turns.values() for answer in answers]
    disturbed = [share for share in others if share > contest.DISTURBED]
    if disturbed:
        print(
            f"\nDisturbed in each of {contest.TRIES} tries: {len(disturbed)} of {len(others)} "
            f"turns; others took up to {max(disturbed):.0%} of the cores"
        )


def check_equal(parameters: dict[str, list[int]]) -> None:
    """Raises a SystemExit where two variants do not train equally many numbers."""
    if len({tuple(counts) for counts in parameters.values()}) > 1:
        raise SystemExit(f"The networks are not the same: {parameters}")


def figures(
    row: Row,
    variant: Variant,
    turns: dict[str, list[dict[str, Any]]],
    reference: str,
    steps: int,
    work: dict[str, int] | None,
) -> tuple[str, ...]:
    """Images a second, relative, from and to, share of the peak, memory, that of the steps."""
    taken = [answer["seconds"] for answer in turns[variant.title]]
    relative = [
        other["seconds"] / seconds for seconds, other in zip(taken, turns[reference], strict=True)
    ]
    share = "-"
    if work is not None:
        peak = max(
            answer["peak"]
            for other in VARIANTS.values()
            if (other.framework, other.precision) == (variant.framework, variant.precision)
            for answer in turns.get(other.title, ())
        )
        own_work = work["reusing" if variant.trainer == "Tutorial" else "step"]
        share = f"{own_work * steps / statistics.median(taken) / peak:.0%}"
    answer = turns[variant.title][-1]
    memory = [answer[kind] for kind in ("memory", "device_memory") if answer[kind] is not None]
    return (
        f"{row.batch * steps / statistics.median(taken):.1f}",
        f"{statistics.median(relative):.2f}",
        f"{min(relative):.2f} {max(relative):.2f}",
        share,
        " + ".join(f"{size / 2**30:.2f} GiB" for size in memory) or "-",
        "-" if answer["steps_memory"] is None else f"{answer['steps_memory'] / 2**30:.2f} GiB",
    )


def whole(row: Row, variant: Variant, arguments: argparse.Namespace) -> str:
    """Seconds of a whole fit, where it is asked for."""
    if not arguments.whole:
        return "-"
    try:
        taken = contest.undisturbed(
            lambda: contest.whole_fit(row, variant, arguments.steps),
            f"whole fit, {variant.title}",
            say,
        )
    except contest.Failed as why:
        return f"failed: {why}"
    return f"{taken['seconds']:.1f} s"


def table(lines: list[tuple[str, ...]], markdown: bool) -> str:
    """The lines as one text; the first is the head."""
    if markdown:
        rule = ("---",) * len(COLUMNS)
        return "\n".join(f"| {' | '.join(cells)} |" for cells in (lines[0], rule, *lines[1:]))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, cells, widths)).rstrip() for cells in lines)


def main() -> None:
    """Prints the tables."""
    if sys.argv[1:2] == ["--worker"]:  # one of the processes that this one starts
        worker.main(sys.argv[2])
        return
    arguments = parsed()
    print(machine.describe())
    for name in arguments.rows:
        lines = [COLUMNS, *measured(ROWS[name], arguments)]
        print(f"\n{ROWS[name]}\n", flush=True)
        print(table(lines, arguments.markdown), flush=True)


if __name__ == "__main__":
    main()
