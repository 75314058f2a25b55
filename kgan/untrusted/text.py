"""Words of a file for a person's eyes: shown, and never obeyed by a terminal."""

MOST = 300  # characters of one value


def printable(value):
    """A value as one line without control characters, cut where it is long."""
    text = str(value)[: MOST + 1]
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= MOST else f"{text[:MOST]}..."


def reason(error):
    """The first line of what an exception says."""
    lines = str(error).strip().splitlines()
    return printable(lines[0] if lines else type(error).__name__)
