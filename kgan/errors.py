"""Exceptions that a command reports as one line, each with its exit code."""


class KganError(Exception):
    """Base of kgan's own exceptions; the message is one line.

    Attributes:
        exit_code: what the command line exits with.
    """

    exit_code = 1


class InputError(KganError, ValueError):
    """Something the user gave cannot be used.

    The message says what was wrong, the value received and what would be right. In Python it
    is an ordinary `ValueError`.
    """

    exit_code = 2


class NotInstalled(KganError, ImportError):
    """What was asked for needs what is not here: all of kgan, an extra, Keras on TensorFlow."""

    exit_code = 2


class LostWorker(KganError, RuntimeError):
    """Another worker of the same training no longer answers."""


class ParityError(KganError, RuntimeError):
    """An export does not give what Keras gives; it was not kept."""


class FullDisk(KganError, OSError):
    """There is no room for what a run writes."""


class OutOfMemory(KganError, MemoryError):
    """Memory ran out; what needs more than is free from the start is an `InputError`."""


class NotFinite(KganError, ArithmeticError):
    """The numbers of a training do not stay finite; the message names the likely cause."""
