"""Virtual environments for packages that are not ours: made at first need, from pinned versions and hashes.

They are kept in pytest's cache folder and used again as long as `requirements/<kind>-<name>.txt` stays the same. Where
the packages cannot be had, the tests that need them are skipped.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

_REQUIREMENTS = Path(__file__).parents[1] / "requirements"
_INSTALL_WITHIN_SECONDS = 240


class Environments:
    """Those of one kind: the official SDKs, or clients that others wrote."""

    def __init__(self, kind: str, config: pytest.Config) -> None:
        self._kind, self._config = kind, config
        self._refused: dict[str, str] = {}

    def python(self, name: str) -> Path:
        """The interpreter of the environment of one package."""
        if name not in self._refused:
            try:
                return self._made(name)
            except (OSError, subprocess.SubprocessError) as error:
                said = getattr(error, "stderr", None) or str(error)
                self._refused[name] = f"{name} cannot be had on this machine: {said.strip().splitlines()[-1]}"
        pytest.skip(self._refused[name])

    def _made(self, name: str) -> Path:
        requirements = _REQUIREMENTS / f"{self._kind}-{name}.txt"
        what = f"{sys.version} {sys.base_prefix} {requirements.read_text()}"
        cache = self._config.cache
        assert cache is not None
        folder = cache.mkdir(f"{name}-{hashlib.sha256(what.encode()).hexdigest()[:16]}")
        python, finished = folder / "bin" / "python", folder / "finished"
        with (folder.parent / f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs may want it at once
            if not finished.exists():
                _run("-m", "venv", "--clear", "--without-pip", str(folder))
                install = ("install", "--quiet", "--require-hashes", "--only-binary", ":all:", "-r", str(requirements))
                _run("-m", "pip", "--python", str(python), "--disable-pip-version-check", *install)
                finished.touch()
        return python


def _run(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, text=True, timeout=_INSTALL_WITHIN_SECONDS
    )
