"""Deletes one version of an export."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path

from kgan.errors import InputError
from kgan.export_places import versions_of
from kgan.files import ONE_NAME, staging_directory
from kgan.shelf.listing import read_manifest


def delete(directory: str | os.PathLike[str], which: str) -> Path:
    """Deletes one version; the others stay, and its number is not reused while a higher one exists.

    It is renamed before it is removed, so that no reader sees half of it.

    Args:
        directory: such as "saved_models".
        which: NAME/VERSION in it.

    Returns:
        Path of what was deleted.

    Raises:
        InputError: `which` is not of that form, is a link to another place, or is not an export
            of kgan.
    """
    match = re.fullmatch(rf"({ONE_NAME})/([1-9][0-9]*)", str(which))
    if not match:
        raise InputError(
            "Only one version of an export can be deleted, NAME/VERSION such as photos/2, in "
            f"{directory}. Received: {which}"
        )
    name = Path(directory) / match[1]
    path = versions_of(name).get(int(match[2]), name / match[2])
    if path.is_symlink() or path.parent.is_symlink():
        raise InputError(f"This is a link to another place. Received: {path}")
    if not path.is_dir():
        raise InputError(f"No such export. Received: {path}")
    read_manifest(path)
    try:
        with staging_directory(path.parent) as grave:
            os.rename(path, grave / path.name)
            shutil.rmtree(grave / path.name)
    except OSError as error:
        raise InputError(f"Cannot delete this export ({error.strerror}): {path}") from None
    with contextlib.suppress(OSError):  # a name with other versions stays
        path.parent.rmdir()
    return path
