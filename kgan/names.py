"""Names of files, folders, classes and presets as text, whatever their encoding and the locale."""

from __future__ import annotations

import os
import re
import unicodedata

# How Python holds the bytes of a name that it cannot decode.
LONE_BYTES = re.compile("[\udc80-\udcff]+")
ESCAPED_BYTE = re.compile(r"\\x([89a-f][0-9a-f])")


def with_other_discriminator(preset: str, discriminator: str) -> str:
    """The name of a preset that has another discriminator; one that has it already keeps its."""
    end = f"+{discriminator}"
    return preset if preset.endswith(end) else preset + end


def readable(text: str) -> str:
    r"""Text without the surrogates by which Python holds what it could not decode.

    Bytes that are UTF-8 after all, which Python takes apart under a locale such as C, become
    their characters; any other byte is replaced by its escape, such as `\xe9`.
    """
    whole = LONE_BYTES.sub(lambda lone: _decoded(lone[0].encode("utf-8", "surrogateescape")), text)
    return whole.encode("utf-8", "backslashreplace").decode()


def escaped(text: str, kept: str = "") -> str:
    """`readable` text that no terminal obeys: what is not printed, other than `kept`, is escaped.

    That is control characters, those that turn the direction of writing, and those unseen.
    """
    text = readable(text)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else _escape(c) for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def as_name(text: str) -> str:
    """`readable` text in Unicode's composed form (NFC): names that look alike are equal."""
    return unicodedata.normalize("NFC", readable(text))


def text_of_path(path: str | os.PathLike[str]) -> str:
    """A path as `readable` text, the same under any locale."""
    try:
        return _decoded(os.fsencode(path))
    except UnicodeEncodeError:  # no path that this system could have
        return readable(os.fspath(path))


def path_of_text(text: str) -> str:
    r"""The path of which `text_of_path` made that text.

    A text with escapes such as `\xe9` stands for the bytes where only they are found.
    """
    path = os.fsdecode(text.encode())
    if os.path.lexists(path) or not ESCAPED_BYTE.search(text):
        return path
    lone = ESCAPED_BYTE.sub(lambda byte: chr(0xDC00 + int(byte[1], 16)), text)
    found = os.fsdecode(lone.encode("utf-8", "surrogateescape"))
    return found if os.path.lexists(found) else path


def name_of(path: str | os.PathLike[str]) -> str:
    """A part of a path `as_name`, the same under any locale."""
    return as_name(text_of_path(path))


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
