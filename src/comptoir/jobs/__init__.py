"""Durable work: what was begun is finished, also when the process is killed in between. The only importer of DBOS."""

from comptoir.jobs.durable import Jobs, Shift, Step, Work
from comptoir.jobs.fence import Outdated, Stopped, fence
from comptoir.jobs.tenure import Tenure

__all__ = ["Jobs", "Outdated", "Shift", "Step", "Stopped", "Tenure", "Work", "fence"]
