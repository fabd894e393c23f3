"""Reads books: what was asked for is fetched, stored raw, mapped, checked and told.

The front door for API, portal and app.
"""

from comptoir.sync.checks import Report
from comptoir.sync.engine import Engine
from comptoir.sync.following import Synced, company_named, follow, synced
from comptoir.sync.progress import Board
from comptoir.sync.pull import Pulled, pull
from comptoir.sync.remap import Remapped, Remapping, remap
from comptoir.sync.requests import request
from comptoir.sync.schedule import Scheduler
from comptoir.sync.turns import Turns

__all__ = [
    "Board",
    "Engine",
    "Pulled",
    "Remapped",
    "Remapping",
    "Report",
    "Scheduler",
    "Synced",
    "Turns",
    "company_named",
    "follow",
    "pull",
    "remap",
    "request",
    "synced",
]
