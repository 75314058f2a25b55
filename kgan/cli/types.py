"""Argument types: text to values, or one line that says what would be right."""

import argparse
import re


def whole_number(text):
    """A whole number above 0."""
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def seed(text):
    """A whole number from 0 up."""
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 up")
    return int(text)


def minutes(text):
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes above 0")
    return value


def size(text):
    """HxW or HxWxC, such as 64x64 or 28x28x1."""
    if not re.fullmatch(r"\d+x\d+(x\d+)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 64x64 or 64x64x1")
    return tuple(map(int, text.split("x")))


def background(text):
    """R,G,B, each 0 to 255."""
    levels = text.split(",")
    if len(levels) != 3 or not all(part.isdecimal() and int(part) < 256 for part in levels):
        raise argparse.ArgumentTypeError(f"{text!r} is not a colour such as 255,255,255")
    return tuple(map(int, levels))


def names(text):
    """Comma-separated names; "none" is the empty list."""
    return [] if text == "none" else [name.strip() for name in text.split(",")]
