"""The exports on disk: what there is, what one is, away with one; tensorflow has no part in it."""

from kgan.shelf.deletion import delete
from kgan.shelf.inspection import inspect
from kgan.shelf.listing import Shelved, list_exports, table

__all__ = ["Shelved", "delete", "inspect", "list_exports", "table"]
