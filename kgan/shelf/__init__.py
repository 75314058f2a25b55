"""Lists, inspects and deletes the exports on disk, without tensorflow."""

from kgan.shelf.deletion import delete
from kgan.shelf.inspection import inspect
from kgan.shelf.listing import Shelved, list_exports, table
from kgan.shelf.recognition import describe

__all__ = ["Shelved", "delete", "describe", "inspect", "list_exports", "table"]
