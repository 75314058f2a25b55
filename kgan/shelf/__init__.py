"""Lists, inspects and deletes the exports on disk, without tensorflow."""

from kgan.shelf.deletion import delete
from kgan.shelf.inspection import inspect, inspect_json
from kgan.shelf.listing import Shelved, list_exports, list_json, table
from kgan.shelf.recognition import check_kind, check_place, describe

__all__ = [
    "Shelved",
    "check_kind",
    "check_place",
    "delete",
    "describe",
    "inspect",
    "inspect_json",
    "list_exports",
    "list_json",
    "table",
]
