"""The real thing in processes of its own, and a browser to walk it with."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize
from tests.cli.conftest import Running, free_ports

WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}
COMMAND = Path(sys.executable).parent / "comptoir"


class House:
    """A stand-in and Comptoir, serving: with nothing set up, or with a company linked and read."""

    def __init__(self, folder: Path, *, manual: bool = True) -> None:
        port, standin_port = free_ports(2)
        ready = folder / "ready.json"
        self.running = Running(
            [
                *(str(COMMAND), "demo", "--port", str(port), "--standin-port", str(standin_port)),
                *("--limits", "off", "--ready-file", str(ready)),
                *(["--manual"] if manual else []),
            ]
        )
        self.running.stay()
        self.running.wait_for("until you press Ctrl-C")
        self.facts: dict[str, Any] = json.loads(ready.read_text())
        self.portal: str = self.facts["portalUrl"]
        self.developer: str = self.facts["developerUrl"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A fresh one, with nothing set up."""
    served = House(tmp_path)
    yield served
    served.running.stop()


def visitor(browser: Browser, language: str, size: ViewportSize = WIDE, *, script: bool = True) -> BrowserContext:
    """A person of their own: own cookies, own language."""
    context = browser.new_context(locale=language, viewport=size, java_script_enabled=script)
    context.set_default_timeout(15_000)
    return context


def keep_picture(page: Page, name: str) -> None:
    """Pictures at both widths to look at, when COMPTOIR_TEST_PICTURES names a folder for them."""
    folder = os.environ.get("COMPTOIR_TEST_PICTURES")
    if not folder:
        return
    before = page.viewport_size
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        page.screenshot(path=f"{folder}/{name}-{size['width']}.png", full_page=True)
    if before is not None:
        page.set_viewport_size(before)
