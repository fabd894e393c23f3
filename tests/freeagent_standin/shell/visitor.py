"""A person with a browser but no script: follows links, fills forms by label, presses buttons."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

import httpx


class Visitor:
    """One browser with its cookies; it does not leave the stand-in, so that a redirect to an app can be looked at."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url)
        self.page = httpx.Response(200)

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def open(self, path: str) -> httpx.Response:
        return self._follow(self.http.get(path))

    def press(self, button: str, **fields: str | None) -> httpx.Response:
        """Send the form that has this button; a field given None is left out, others keep what they show."""
        for form in re.findall(r"<form.*?</form>", self.page.text, re.DOTALL):
            pressed = re.search(rf"<button([^>]*)>{re.escape(button)}</button>", form)
            if pressed is None:
                continue
            tag = form.split(">", 1)[0]
            data = {name: value for name, value in _values(form) if name not in fields}
            data |= {name: value for name, value in fields.items() if value is not None}
            name = re.search(r'name="([^"]*)" value="([^"]*)"', pressed[1])
            if name:
                data[name[1]] = name[2]
            action = re.search(r'action="([^"]*)"', tag)
            assert action is not None
            origin = str(self.http.base_url).rstrip("/")
            return self._follow(
                self.http.post(
                    urljoin(str(self.page.url), html.unescape(action[1])), data=data, headers={"Origin": origin}
                )
            )
        raise AssertionError(f"{self.page.url} has no button {button!r}: {self.page.text}")

    def value(self, label: str) -> str:
        """What stands in the field with this label."""
        found = re.search(rf'<label for="([^"]+)">{re.escape(label)}</label>', self.page.text)
        assert found is not None, f"{self.page.url} has no field {label!r}"
        field = re.search(rf'<input id="{found[1]}"[^>]* value="([^"]*)"', self.page.text)
        assert field is not None
        return html.unescape(field[1])

    def sign_in(self, email: str = "olive@example.com", password: str = "open sesame") -> httpx.Response:
        return self.press("Sign in", email=email, password=password)

    def _follow(self, answer: httpx.Response) -> httpx.Response:
        while answer.has_redirect_location:
            target = urljoin(str(answer.url), answer.headers["location"])
            if not target.startswith(str(self.http.base_url)):
                break
            answer = self.http.get(target)
        self.page = answer
        return answer


def _values(form: str) -> list[tuple[str, str]]:
    values = []
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        kind = re.search(r'type="([^"]*)"', tag)
        if name is None or (kind and kind[1] in ("checkbox", "radio") and " checked" not in tag):
            continue
        values.append((name[1], html.unescape(value[1]) if value else "on"))
    for name_, text in re.findall(r'<textarea id="[^"]*" name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        values.append((name_, html.unescape(text)))
    return values
