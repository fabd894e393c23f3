"""Durable work: what was begun is finished, also when the process is killed in between. The only importer of DBOS."""

from comptoir.jobs.durable import Jobs, Step, Stopped, Work

__all__ = ["Jobs", "Step", "Stopped", "Work"]
