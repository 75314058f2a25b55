"""The one exception that stands for a mistake in what the user gave."""


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message is one line that says what was wrong, the value received and
    what would be right. The command line prints it and exits with code 2; in
    Python it is an ordinary `ValueError`.
    """
