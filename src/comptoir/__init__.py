"""Comptoir: an open, self-hosted accounting-data platform."""

from importlib.metadata import version

__version__ = version("comptoir")
