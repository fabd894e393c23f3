"""The languages of the pages: catalogues, the reader's choice, numbers and dates as the reader writes them.

A message's English text is its key; the French catalogue translates it. Sentences of lower floors are English; they are
translated where the catalogue knows them and marked as English where it does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from io import BytesIO

import msgspec
from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, get_currency_precision
from babel.units import format_unit

__all__ = ["N_", "Language", "chosen", "languages"]

_CODES = {"en": "en_GB", "fr": "fr_FR"}


def N_(text: str) -> str:  # noqa: N802 - the name gettext's own tools look for
    """Marks a sentence that is declared here and translated where it is shown."""
    return text


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """One language: its words, and how it writes numbers and days."""

    code: str
    name: str
    locale: Locale
    messages: Mapping[str, tuple[str, ...]]

    def gettext(self, text: str) -> str:
        found = self.messages.get(text)
        return found[0] if found else text

    def ngettext(self, one: str, many: str, count: int) -> str:
        found = self.messages.get(one)
        # English: one thing is singular. French: none and one are.
        is_many = count > 1 if self.code == "fr" else count != 1
        if found is None:
            return many if is_many else one
        return found[-1] if is_many else found[0]

    def say(self, text: str, **values: object) -> str:
        """The sentence in this language, with values in their places."""
        return self.gettext(text) % values if values else self.gettext(text)

    def number(self, value: int | Decimal) -> str:
        return format_decimal(value, locale=self.locale, decimal_quantization=False)

    def amount(self, value: Decimal, currency: str | None = None) -> str:
        """Money with at least the digits its currency has; more where there are more."""
        digits = get_currency_precision(currency) if currency else 2
        exponent = value.as_tuple().exponent
        given = -exponent if isinstance(exponent, int) else 0
        pattern = "#,##0" + ("." + "0" * max(digits, given) if max(digits, given) else "")
        written = format_decimal(value, format=pattern, locale=self.locale, decimal_quantization=False)
        return f"{written}\N{NO-BREAK SPACE}{currency}" if currency else written

    def size(self, count: int) -> str:
        """A number of bytes in the largest unit that it fills, to the tenth."""
        units = ("digital-byte", "digital-kilobyte", "digital-megabyte")
        power = next((power for power in (2, 1) if count >= 1000**power), 0)
        value = (Decimal(count) / 1000**power).quantize(Decimal("0.1") if power else Decimal(1))
        return format_unit(value.normalize(), units[power], "short" if power else "long", locale=self.locale)

    def day(self, value: date) -> str:
        return format_date(value, format="d MMM y", locale=self.locale)

    def month(self, value: date) -> str:
        return format_date(value, format="MMM y", locale=self.locale)

    def moment(self, value: datetime) -> str:
        """Date and time in UTC, and says so."""
        return format_datetime(value, "d MMM y, HH:mm", locale=self.locale) + "\N{NO-BREAK SPACE}UTC"

    def second(self, value: datetime) -> str:
        """The time of day in UTC to the second; which day it is, and that it is UTC, is said beside it."""
        return format_datetime(value, "HH:mm:ss", locale=self.locale)

    def duration(self, milliseconds: int) -> str:
        """Milliseconds below a second, else seconds to the tenth."""
        if milliseconds < 1000:
            return format_unit(milliseconds, "duration-millisecond", "short", locale=self.locale)
        seconds = (Decimal(milliseconds) / 1000).quantize(Decimal("0.1"))
        return format_unit(seconds, "duration-second", "short", locale=self.locale)


def _catalogue(code: str) -> dict[str, tuple[str, ...]]:
    data = resources.files("comptoir.portal").joinpath("locales", code, "messages.po").read_bytes()
    messages: dict[str, tuple[str, ...]] = {}
    for message in read_po(BytesIO(data), locale=code):
        if not message.id or not message.string:
            continue
        key = message.id if isinstance(message.id, str) else message.id[0]
        texts = (message.string,) if isinstance(message.string, str) else tuple(message.string)
        if all(texts):
            messages[key] = texts
    return messages


def _load(code: str) -> Language:
    locale = Locale.parse(_CODES[code])
    own_name = (locale.get_language_name(locale.language) or code).capitalize()
    return Language(code=code, name=own_name, locale=locale, messages=_catalogue(code))


@cache
def languages() -> Mapping[str, Language]:
    """All we have, by code; read from the catalogues once."""
    return {code: _load(code) for code in _CODES}


def chosen(accept_language: str) -> Language:
    """The reader's best language of those we have, by the browser's `Accept-Language`; English else."""
    wishes: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language[:1000].split(",")):
        tag, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
            code = Locale.parse(tag.strip(), sep="-").language
        except (ValueError, UnknownLocaleError):
            continue
        wishes.append((-quality, place, code))
    for quality, _, code in sorted(wishes):
        if quality < 0 and code in languages():
            return languages()[code]
    return languages()["en"]
