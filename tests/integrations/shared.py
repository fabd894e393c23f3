"""Where the shared specification lies, if it lies beside this checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("COMPTOIR_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the shared specification is not beside this checkout (COMPTOIR_SHARED names it)"
)
