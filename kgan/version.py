"""The version of kgan."""

__version__ = "0.1.0"
