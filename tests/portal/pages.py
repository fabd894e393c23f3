"""A page as it came, and what a test asks of it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from comptoir.integrations import INTEGRATIONS

PLATFORM = INTEGRATIONS[0]
LIST = "/settings/integrations/accounting"
KEYS = f"{LIST}/{PLATFORM.slug}"


class Answer:
    """A page, and what can be asked of it."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers: Any = response.headers
        self.html: str = response.text

    @property
    def words(self) -> str:
        """What is read on the page."""
        text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", self.html, flags=re.DOTALL)
        return " ".join(unescape(text).split())

    def links(self, beginning: str) -> list[str]:
        """Addresses on the page that begin so, in its order."""
        return [unescape(one) for one in re.findall(rf'href="({re.escape(beginning)}[^"]*)"', self.html)]

    def field(self, name: str) -> dict[str, str]:
        """The attributes of the field with this name."""
        [tag] = re.findall(rf'<input[^>]*\bname="{name}"[^>]*>', self.html)
        return {key: unescape(value) for key, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}

    def error(self, name: str) -> str | None:
        """The sentence that is tied to this field as its error."""
        described = self.field(name).get("aria-describedby", "").split()
        if f"{name}-error" not in described or self.field(name).get("aria-invalid") != "true":
            return None
        found = re.search(rf'id="{name}-error">([^<]+)<', self.html)
        return unescape(found[1]) if found else None
