"""What `kgan data check` prints: text, or what JSON takes."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Sequence
from typing import Any

from kgan.data.checked import Report, UsableImage
from kgan.files import aligned, printable

SHOWN_SIZES = 4
SHOWN_GROUPS = 5
SHOWN_FILES = 4  # per group


def as_text(report: Report) -> str:
    """A `kgan.data.checked.Report` as lines; every file with a problem or remark is named."""
    parts = [_formats(report), _sizes(report), _classes(report), _duplicates(report)]
    for what, files in report.remarks.items():
        parts.append([f"remark: {what} ({len(files):,})", *_named(files)])
    if report.problems:
        parts.append([f"problem: skipped ({len(report.problems):,})", *_named(report.problems)])
    parts.append([_verdict(report)])
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def as_json(report: Report) -> dict[str, Any]:
    """A `kgan.data.checked.Report` for programs.

    Args:
        report: it.

    Returns:
        Dict that `json.dumps` takes: "folder"; "image_shape" [H, W, C]; "images", of each that
        training can use its "file", "format", "channels" and "size" [height, width]; "problems"
        and each kind of "remarks", lists of [file, why]; "classes", images by class;
        "class_remark", a line or None; "same" and "alike", lists of files.
    """
    return {
        "folder": str(report.folder),
        "image_shape": list(report.image_shape),
        "images": [_facts(image) for image in report.images],
        "problems": report.problems,
        "remarks": report.remarks,
        "classes": report.classes,
        "class_remark": report.class_remark,
        "same": report.same,
        "alike": report.alike,
    }


def _facts(image: UsableImage) -> dict[str, Any]:
    width, height = image.header.size
    known = {"format": image.header.format, "channels": image.header.channels}
    return {"file": image.file, **known, "size": [height, width]}


def _verdict(report: Report) -> str:
    shape = "x".join(map(str, report.image_shape))
    line = f"{len(report.images):,} pictures that training can use, as {shape}"
    return f"{line}; it skips {len(report.problems):,}" if report.problems else line


def _formats(report: Report) -> list[str]:
    kinds = collections.Counter((i.header.format, i.header.channels) for i in report.images)
    rows = [(*kind, f"{count:,}") for kind, count in sorted(kinds.items())]
    return _table(("format", "channels", "pictures"), rows)


def _sizes(report: Report) -> list[str]:
    sizes = sorted((i.header.size for i in report.images), key=lambda size: size[0] * size[1])
    if not sizes:
        return []
    ends = {"smallest": sizes[0], "median": sizes[len(sizes) // 2], "largest": sizes[-1]}
    common = collections.Counter(sizes).most_common(SHOWN_SIZES)
    rows = [(name, _size(size), "") for name, size in ends.items()]
    for place, (size, count) in enumerate(common):
        rows.append(("" if place else "commonest", _size(size), f"{count:,}"))
    return _table(("size", "height x width", "pictures"), rows)


def _classes(report: Report) -> list[str]:
    rows = [(printable(name, None), f"{count:,}") for name, count in report.classes.items()]
    remark = [f"remark: {printable(report.class_remark)}"] if report.class_remark else []
    return _table(("subfolder", "pictures"), rows) + remark


def _duplicates(report: Report) -> list[str]:
    extra = sum(len(group) - 1 for group in report.same)
    near = sum(map(len, report.alike))
    lines = [f"exact duplicates: files with the bytes of another ({extra:,})"]
    lines += _groups(report.same)
    lines.append(f"near duplicates: pictures that look like another, colour aside ({near:,})")
    return lines + _groups(report.alike)


def _groups(groups: Sequence[Sequence[str]]) -> list[str]:
    lines = []
    for group in groups[:SHOWN_GROUPS]:
        names = ", ".join(printable(path, None) for path in group[:SHOWN_FILES])
        more = len(group) - SHOWN_FILES
        lines.append(f"  {names}" + (f" and {more:,} more" if more > 0 else ""))
    if len(groups) > SHOWN_GROUPS:
        lines.append(f"  and {len(groups) - SHOWN_GROUPS:,} more groups")
    return lines


def _named(files: Iterable[tuple[str, str]]) -> list[str]:
    return [f"  {printable(path, None)}" + (f": {why}" if why else "") for path, why in files]


def _size(size: tuple[int, int]) -> str:
    return f"{size[1]}x{size[0]}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return aligned([head, *rows], right=True) if rows else []
