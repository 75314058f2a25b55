"""A run's page: what its directory tells, served on this machine or as one file."""

from kgan.watch.local_server import WatchServer, served_beside
from kgan.watch.watch_page import save_page

__all__ = ["WatchServer", "save_page", "served_beside"]
