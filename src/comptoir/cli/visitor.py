"""A person without a browser: opens pages, fills forms by their visible labels, presses buttons.

The demo links a company with it over the real pages, so nothing it shows took a short cut. It runs no script; the
pages work without.
"""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx2

from comptoir.errors import UpstreamChanged

__all__ = ["Visitor"]

_MOST_REDIRECTS = 10


class _Field:
    def __init__(self, attributes: dict[str, str | None]) -> None:
        self.name = attributes.get("name")
        self.id = attributes.get("id")
        self.type = (attributes.get("type") or "text").lower()
        self.value = attributes.get("value") or ("on" if self.type == "checkbox" else "")
        self.is_sent = self.type not in ("checkbox", "radio") or "checked" in attributes


class _Button:
    def __init__(self, attributes: dict[str, str | None]) -> None:
        self.name = attributes.get("name")
        self.value = attributes.get("value") or ""
        self.formaction = attributes.get("formaction")
        self.text = attributes.get("aria-label") or ""


class _Form:
    def __init__(self, attributes: dict[str, str | None]) -> None:
        self.action = attributes.get("action") or ""
        self.method = (attributes.get("method") or "get").lower()
        self.fields: list[_Field] = []
        self.buttons: list[_Button] = []


class _Page(HTMLParser):
    """What a form-filling person sees: forms with fields and buttons, labels, links, read-only fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self.fields: list[_Field] = []
        self.labels: dict[str, str] = {}
        self.links: list[tuple[str, str]] = []
        self._form: _Form | None = None
        self._text_of: list[tuple[str, object, list[str]]] = []
        self._wrapping_label: list[str] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self._form = _Form(attributes)
            self.forms.append(self._form)
        elif tag in ("input", "textarea", "select"):
            if tag == "input" and (attributes.get("type") or "").lower() in ("submit", "image"):
                button = _Button(attributes)
                button.text = attributes.get("aria-label") or button.value
                if self._form:
                    self._form.buttons.append(button)
                return
            field = _Field(attributes)
            self.fields.append(field)
            if self._form:
                self._form.fields.append(field)
            if attributes.get("aria-label") and field.id:
                self.labels[str(attributes["aria-label"])] = field.id
            if tag == "textarea":
                self._text_of.append(("textarea", field, []))
        elif tag == "button":
            button = _Button(attributes)
            if self._form and (attributes.get("type") or "submit") == "submit":
                self._form.buttons.append(button)
            self._text_of.append(("button", button, []))
        elif tag == "label":
            self._text_of.append(("label", attributes.get("for") or "", []))
        elif tag == "a":
            self._text_of.append(("a", attributes.get("href") or "", []))

    def handle_data(self, data: str) -> None:
        for _, _, text in self._text_of:
            text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if not self._text_of or self._text_of[-1][0] != tag:
            return
        _, thing, parts = self._text_of.pop()
        text = " ".join("".join(parts).split())
        if isinstance(thing, _Button):
            thing.text = thing.text or text
        elif isinstance(thing, _Field):
            thing.value = "".join(parts)
        elif tag == "label":
            self.labels[text] = str(thing)
        else:
            self.links.append((text, str(thing)))


class Visitor:
    """One visit with cookies of its own. Every step raises UpstreamChanged if the page lacks what it looks for."""

    def __init__(self) -> None:
        self._http = httpx2.Client(timeout=30, headers={"Accept-Language": "en", "Accept": "text/html"})
        self.url = ""
        self.status = 0
        self._page = _Page("")

    def close(self) -> None:
        self._http.close()

    def open(self, url: str) -> None:
        self._go("GET", url, None)

    def follow(self, text: str) -> None:
        """Follow the link with this text."""
        for shown, href in self._page.links:
            if shown == text:
                self.open(urljoin(self.url, href))
                return
        raise self._missing(f"a link {text!r}")

    def value(self, label: str) -> str:
        """What stands in the field with this label, read-only ones included."""
        return self._field(label).value

    def submit(self, button: str, fields: dict[str, str] | None = None) -> None:
        """Fill fields by their labels and press the button with this text."""
        filled = {id(self._field(label)): text for label, text in (fields or {}).items()}
        for form in self._page.forms:
            pressed = next((one for one in form.buttons if one.text == button), None)
            if pressed is None or not {id(field) for field in form.fields} >= filled.keys():
                continue
            data = [
                (field.name, filled.get(id(field), field.value))
                for field in form.fields
                if field.name and (field.is_sent or id(field) in filled)
            ]
            if pressed.name:
                data.append((pressed.name, pressed.value))
            self._go(form.method.upper(), urljoin(self.url, pressed.formaction or form.action or self.url), data)
            return
        raise self._missing(f"a button {button!r}")

    def _field(self, label: str) -> _Field:
        field_id = self._page.labels.get(label)
        field = next((one for one in self._page.fields if field_id and one.id == field_id), None)
        if field is None:
            raise self._missing(f"a field {label!r}")
        return field

    def _missing(self, what: str) -> UpstreamChanged:
        path = urlsplit(self.url).path
        return UpstreamChanged(f"The page {path} (status {self.status}) has not {what}. Please report this.")

    def _go(self, method: str, url: str, data: list[tuple[str, str]] | None) -> None:
        for _ in range(_MOST_REDIRECTS):
            if method == "GET":
                answer = self._http.get(url, params=httpx2.QueryParams(tuple(data))) if data else self._http.get(url)
            else:
                origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
                form: dict[str, list[str]] = {}
                for name, value in data or []:
                    form.setdefault(name, []).append(value)
                answer = self._http.post(url, data=form, headers={"Origin": origin, "Referer": self.url or url})
            self.url, self.status = str(answer.url), answer.status_code
            if not answer.has_redirect_location:
                self._page = _Page(answer.text)
                return
            method, url, data = "GET", urljoin(self.url, answer.headers["location"]), None
        raise UpstreamChanged(f"{url} redirects without end. Please report this.")
