"""What ends a command with one line."""


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message is one line that says what was wrong, the value received and
    what would be right. The command line prints it and exits with code 2; in
    Python it is an ordinary `ValueError`.
    """


class LostWorker(RuntimeError):
    """Another worker of the same training is gone; the message is one line, the exit code 1."""


class ParityError(RuntimeError):
    """An export does not give what Keras gives; it was not kept. One line, the exit code 1."""
