"""Pictures of the running portal for the documents: `python -m tests.docs.pictures READY-FILE` takes them anew.

READY-FILE is what `comptoir demo --ready-file` wrote; the demo must still run.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

_FOLDER = Path(__file__).parents[2] / "docs" / "images"
_CHROMIUM = "/usr/bin/chromium"
_LANGUAGES = (("en-GB", ""), ("fr-FR", ".fr"))


def _sign_in(page: Page, facts: dict[str, Any]) -> None:
    page.goto(facts["portalUrl"])
    page.locator("#email").fill(facts["email"])
    page.locator("#password").fill(facts["password"])
    page.locator("main button").click()
    page.wait_for_url("**/companies")


def take(facts: dict[str, Any]) -> None:
    """Each page in each language, as a window of a desktop shows it."""
    set_up = "/settings/integrations/accounting/freeagent/set-up"
    pages = (("company", f"/companies/{facts['companyId']}"), ("set-up", set_up))
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for locale, suffix in _LANGUAGES:
            page = browser.new_page(locale=locale, viewport={"width": 1280, "height": 940}, color_scheme="light")
            _sign_in(page, facts)
            for name, path in pages:
                page.goto(facts["portalUrl"] + path)
                # The picture is of a place not yet set up: the Client ID of the demo would only puzzle.
                for field in page.locator("#client_id").all():
                    field.fill("")
                page.screenshot(path=_FOLDER / f"{name}{suffix}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    take(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
