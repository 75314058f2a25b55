"""What `kgan data check` found, in words."""

import collections

from kgan.files import aligned, printable

SHOWN_SIZES = 4
SHOWN_GROUPS = 5
SHOWN_FILES = 4  # of a group


def as_text(report):
    """A `kgan.data.check.Report` as lines of text; every file with a problem or remark is named."""
    parts = [_formats(report), _sizes(report), _classes(report), _duplicates(report)]
    for what, found in report.remarks.items():
        parts.append([f"remark: {what} ({len(found):,})", *_named(found)])
    if report.problems:
        parts.append([f"problem: skipped ({len(report.problems):,})", *_named(report.problems)])
    parts.append([_verdict(report)])
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _verdict(report):
    shape = "x".join(map(str, report.image_shape))
    line = f"{len(report.pictures):,} pictures that training can use, as {shape}"
    return f"{line}; it skips {len(report.problems):,}" if report.problems else line


def _formats(report):
    kinds = collections.Counter((p.header.format, p.header.channels) for p in report.pictures)
    rows = [(*kind, f"{count:,}") for kind, count in sorted(kinds.items())]
    return _table(("format", "channels", "pictures"), rows)


def _sizes(report):
    sizes = sorted((p.header.size for p in report.pictures), key=lambda size: size[0] * size[1])
    if not sizes:
        return []
    ends = {"smallest": sizes[0], "median": sizes[len(sizes) // 2], "largest": sizes[-1]}
    common = collections.Counter(sizes).most_common(SHOWN_SIZES)
    rows = [(name, _size(size), "") for name, size in ends.items()]
    for place, (size, count) in enumerate(common):
        rows.append(("" if place else "commonest", _size(size), f"{count:,}"))
    return _table(("size", "height x width", "pictures"), rows)


def _classes(report):
    rows = [(printable(name, None), f"{count:,}") for name, count in report.classes.items()]
    remark = [f"remark: {printable(report.class_remark)}"] if report.class_remark else []
    return _table(("subfolder", "pictures"), rows) + remark


def _duplicates(report):
    extra = sum(len(group) - 1 for group in report.same)
    near = sum(map(len, report.alike))
    lines = [f"exact duplicates: files with the bytes of another ({extra:,})"]
    lines += _groups(report.same)
    lines.append(f"near duplicates: pictures that look like another, colour aside ({near:,})")
    return lines + _groups(report.alike)


def _groups(groups):
    lines = []
    for group in groups[:SHOWN_GROUPS]:
        names = ", ".join(printable(path, None) for path in group[:SHOWN_FILES])
        more = len(group) - SHOWN_FILES
        lines.append(f"  {names}" + (f" and {more:,} more" if more > 0 else ""))
    if len(groups) > SHOWN_GROUPS:
        lines.append(f"  and {len(groups) - SHOWN_GROUPS:,} more groups")
    return lines


def _named(found):
    return [f"  {printable(path, None)}" + (f": {why}" if why else "") for path, why in found]


def _size(size):
    return f"{size[1]}x{size[0]}"


def _table(head, rows):
    return aligned([head, *rows], right=True) if rows else []
