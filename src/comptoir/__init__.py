"""Comptoir: an open, self-hosted accounting-data platform."""
