"""The words of the pages: nothing untranslated, nothing left over, French as French is written."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from tests.portal.conftest import Browser, House
from tests.portal.pages import LIST

from comptoir.integrations import INTEGRATIONS
from comptoir.model.identities import IDENTITIES
from comptoir.portal.languages import languages
from comptoir.portal.looks import LOOKS
from comptoir.portal.sentences import SENTENCES, tell

SOURCE = Path(__file__).parents[2] / "src/comptoir"
PORTAL = SOURCE / "portal"
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
FRENCH = languages()["fr"]


def _catalogue(code: str) -> Catalog:
    return read_po(BytesIO((PORTAL / f"locales/{code}/messages.po").read_bytes()), locale=code)


def _used() -> set[str | tuple[str, ...]]:
    """Every message of code and templates, and the words of the books check, which a lower floor says."""
    options = {"**/templates/**.html": {"trimmed": "true"}}
    found = extract_from_dir(str(PORTAL), METHODS, options, keywords=KEYWORDS)
    messages = {one if isinstance(one, str) else tuple(one) for _, _, one, _, _ in found}
    return messages | set(IDENTITIES.values())


@pytest.mark.parametrize("code", ["en", "fr"])
def test_a_catalogue_holds_the_messages_that_are_used_and_no_others(code: str) -> None:
    held = {message.id if isinstance(message.id, str) else tuple(message.id) for message in _catalogue(code)} - {""}

    used = _used()

    assert held - used == set()
    assert used - held == set()


def _translations() -> Iterator[tuple[str, str]]:
    for message in _catalogue("fr"):
        ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
        texts = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        if ids != ("",):
            yield from ((ids[min(place, len(ids) - 1)], text) for place, text in enumerate(texts))


def test_every_message_has_its_french() -> None:
    assert [source for source, text in _translations() if not text.strip()] == []


def test_values_stand_in_both_languages() -> None:
    def names(text: str) -> set[str]:
        return set(re.findall(r"%\((\w+)\)s", text))

    # A singular may do without its number.
    odd = [
        source
        for source, text in _translations()
        if names(text) - {"num", "records"} != names(source) - {"num", "records"}
    ]

    assert odd == []


def _french_words() -> Iterator[str]:
    yield from (text for _, text in _translations())
    for one in INTEGRATIONS:
        words = one.words
        yield from (
            found["fr"] for found in (words.about, words.caution, words.client_id_hint, words.client_secret_hint)
        )
        yield from words.what_is_read["fr"]
        yield from (step.text["fr"] for step in words.setup_steps)


def test_french_is_spaced_as_french_is() -> None:
    wrong = [text for text in _french_words() if re.search(r" [;:!?»]|« |\w[;!?»]|«\w", text) and "- ' & @" not in text]

    assert wrong == []


def test_every_data_type_has_a_name_and_a_table() -> None:
    missing = {data_type.name for one in INTEGRATIONS for data_type in one.data_types} - set(LOOKS)

    assert missing == set()


def test_an_integration_has_its_words_in_both_languages() -> None:
    for one in INTEGRATIONS:
        words = one.words
        steps = tuple(step.text for step in words.setup_steps)
        for found in (words.about, words.caution, words.client_id_hint, words.client_secret_hint, *steps):
            assert set(found) == set(languages())
        assert len(words.what_is_read["en"]) == len(words.what_is_read["fr"])


# Sentences of lower floors


def _said_below() -> set[str]:
    """What lower floors write in strings, with a mark where values stand; a line each."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        if "portal" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            if isinstance(node, ast.JoinedStr):
                found.add("".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values))
    return {text.replace("\n", " ") for text in found}


def test_every_sentence_listed_for_translation_is_one_that_a_lower_floor_says() -> None:
    below = "\n".join(_said_below())

    def is_said(sentence: str) -> bool:
        # Where a sentence is glued together, or an integration says it with its own name, its fixed words stand there.
        parts = [
            re.escape(part.strip())
            for part in re.split(r"%\(\w+\)s(?:'s token endpoint)?", sentence)
            if part.strip(" .'")
        ]
        return re.search("[^\n]*?".join(parts), below) is not None

    assert [one for one in SENTENCES if not is_said(one)] == []


@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        ("User cancelled.", "L'utilisateur a refusé."),
        (
            "bills 7300456: 600 and 120 are not 719.99",
            "bills 7300456\u00a0: 600 et 120 ne font pas 719.99",
        ),
        (
            "bills 7300456 line 2: 20 and 100 are not 119",
            "bills 7300456, ligne 2\u00a0: 20 et 100 ne font pas 119",
        ),
        (
            "invoices 5150077 posts 0 on the control account, not 810",
            "invoices 5150077 porte 0 au compte collectif, et non 810",
        ),
        ("bankTransactions was not read in this sync.", "bankTransactions n'a pas été lu cette fois."),
        ("FreeAgent did not answer in time.", "FreeAgent n'a pas répondu à temps."),
        (
            "FreeAgent does not offer trial_balance to this company.",
            "FreeAgent ne propose pas trial_balance à cette entreprise.",
        ),
        (
            "FreeAgent's due_on is '31/31', which cannot be read: it was left out.",
            "Le champ due_on de FreeAgent vaut '31/31', ce qui est illisible\u00a0: il a été laissé de côté.",
        ),
        (
            "The status 'Lost' is not documented for a bill.",
            "Le statut 'Lost' n'est pas documenté pour une facture fournisseur.",
        ),
        (
            "Account 602-1 stands at 12.50 on 2026-03-31, and FreeAgent's balance sheet says 14.",
            "Le compte 602-1 est à 12.50 au 2026-03-31, et le bilan de FreeAgent dit 14.",
        ),
        (
            "Served without users: FreeAgent refuses users to the user who approved.",
            "Fourni sans users\u00a0: FreeAgent refuse users à l'utilisateur qui a donné son accord.",
        ),
        (
            (
                "FreeAgent answered with an error (503). It usually passes. It is tried again at 2026-11-27 07:10 UTC; a "
                "refresh asked for runs at once."
            ),
            (
                "FreeAgent a répondu par une erreur (503). Cela passe en général. Nouvelle tentative à 2026-11-27 07:10 "
                "UTC\u202f; une lecture demandée a lieu aussitôt."
            ),
        ),
        (
            (
                "FreeAgent refuses bills to the user who approved. FreeAgent says: Forbidden. Have it approved again by a "
                "user with the access level 'Bills' or higher."
            ),
            (
                "FreeAgent refuse bills à l'utilisateur qui a donné son accord. FreeAgent précise\u00a0: Forbidden. Faites "
                "redonner l'accord par un utilisateur ayant au moins le niveau d'accès 'Bills'."
            ),
        ),
    ],
)
def test_a_sentence_from_below_is_told_in_french(said: str, becomes: str) -> None:
    assert str(tell(FRENCH, said)) == becomes
    assert str(tell(languages()["en"], said)) == said


def test_a_sentence_nobody_knows_stays_as_it_is_and_is_marked_as_english() -> None:
    assert str(tell(FRENCH, "Something <new> happened.")) == '<span lang="en">Something &lt;new&gt; happened.</span>'


@pytest.mark.parametrize("said", ["User cancelled. " * 500, "a: " * 3000, " It is tried again at " * 400])
def test_long_text_from_outside_is_told_at_once(said: str) -> None:
    assert said.strip() in str(tell(FRENCH, said))


# Which language


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        ("fr", "fr"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("de,fr;q=0.5", "fr"),
        ("de", "en"),
        ("fr;q=0, en", "en"),
        ("", "en"),
        ("*", "en"),
        ("fr;q=abc", "en"),
        (";;q=,", "en"),
    ],
)
def test_pages_are_in_the_language_the_browser_asks_for(house: House, wish: str, language: str) -> None:
    page = house.visitor(wish).get("/sign-in")

    assert f'<html lang="{language}">' in page.html


def test_the_switch_counts_from_then_on_for_a_visitor(house: House) -> None:
    visitor = house.visitor("en")

    page = visitor.follow(visitor.post("/language", {"language": "fr", "next": "/sign-in"}))

    assert '<html lang="fr">' in page.html
    assert "Se connecter" in page.words
    assert '<html lang="fr">' in visitor.get("/no-such-page").html


def test_the_choice_of_an_operator_follows_them_to_another_browser(house: House, operator: Browser) -> None:
    operator.post("/language", {"language": "fr", "next": LIST})

    elsewhere = house.operator("en")

    assert "Intégrations comptables" in elsewhere.get(LIST).words


def test_the_switch_of_languages_works_on_every_page_even_one_that_is_not_there(operator: Browser) -> None:
    page = operator.get("/nothing/here")
    [token] = set(re.findall(r'name="csrf" value="([^"]+)"', page.html))

    answer = operator.send(
        "/language", {"csrf": token, "language": "fr", "next": "/nothing/here"}, Origin="http://127.0.0.1:8299"
    )

    assert answer.status == 303
    assert "Cette page n'existe pas" in operator.follow(answer).words
