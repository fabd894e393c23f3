"""Reads books: what was asked for is fetched, stored raw, mapped, checked and told.

The front door for API, portal and app.
"""

from comptoir.sync.checks import Report
from comptoir.sync.engine import Engine
from comptoir.sync.progress import Board
from comptoir.sync.pull import Pulled, pull
from comptoir.sync.requests import request
from comptoir.sync.schedule import Scheduler

__all__ = ["Board", "Engine", "Pulled", "Report", "Scheduler", "pull", "request"]
