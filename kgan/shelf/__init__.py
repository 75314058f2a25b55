"""Lists, inspects and deletes the exports on disk, without tensorflow."""

from kgan.shelf.deletion import delete
from kgan.shelf.inspection import inspect
from kgan.shelf.listing import Shelved, list_exports, table
from kgan.shelf.recognition import check_place, describe

__all__ = ["Shelved", "check_place", "delete", "describe", "inspect", "list_exports", "table"]
