"""A full disk told apart from other failures, whichever of a run's writers met it first."""

import errno
import os

from kgan.errors import FullDisk
from kgan.training.saving import batches_seen, chain
from kgan.runs.load import find_model, has_model

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def full_disk(problem, directory):
    """A `FullDisk` to raise in place of an exception, or None if it is something else.

    Args:
        problem: the exception that ended a training.
        directory: the run's directory.
    """
    for one in chain(problem):
        for number in NO_ROOM:
            reason = os.strerror(number)
            # TensorFlow has one class for this and for a full GPU, and tells them apart in words.
            if getattr(one, "errno", None) == number or reason in getattr(one, "message", ""):
                place = getattr(one, "filename", None) or directory
                return FullDisk(
                    f"{reason}: {place}. {_what_is_saved(directory)}; make room, then go on with "
                    f"kgan train --resume {directory}"
                )
    return None


def _what_is_saved(directory):
    if not has_model(directory):
        return "Nothing was trained yet"
    state = find_model(directory)
    return f"All up to step {batches_seen(state)} is saved"
