"""What documents promise is there: links, names, labels, and reference pages that agree with the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from tests.docs import reference

from comptoir import settings
from comptoir.integrations import INTEGRATIONS
from comptoir.portal.languages import languages

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/README.md")])
GUIDE, FRENCH_GUIDE = ROOT / "docs/how-to/set-up-freeagent.md", ROOT / "docs/how-to/set-up-freeagent.fr.md"
SETTING = re.compile(r"COMPTOIR_[A-Z][A-Z_]*[A-Z]")

# The labels people follow guides by: of the developer site and the approval, and of the portal in both languages.
UPSTREAM_LABELS = (
    *("My Apps", "Create New App", "Name", "Description", "OAuth Redirect URIs", "Enable Accountancy Practice API"),
    *("Create App", "OAuth identifier", "OAuth secret", "Approve", "Deny"),
)
PORTAL_LABELS = (
    ("Email", "E-mail"),
    ("Password", "Mot de passe"),
    ("Sign in", "Se connecter"),
    ("Accounting integrations", "Intégrations comptables"),
    ("Set up", "Configurer"),
    ("Manage", "Gérer"),
    ("Integration settings", "Paramètres d'intégration"),
    ("Client ID", "Client ID"),
    ("Client secret", "Client secret"),
    ("Save", "Enregistrer"),
    ("Enable FreeAgent", "Activer FreeAgent"),
    ("Enable now", "Activer maintenant"),
    ("Later", "Plus tard"),
    ("New company", "Nouvelle entreprise"),
    ("Company name", "Nom de l'entreprise"),
    ("Create", "Créer"),
    ("Link URL", "URL de liaison"),
    ("Connect FreeAgent", "Connecter FreeAgent"),
)


def _prose(document: Path) -> str:
    """A document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def _bold(document: Path) -> set[str]:
    return {" ".join(words.split()) for words in re.findall(r"\*\*(.+?)\*\*", _prose(document), re.DOTALL)}


def _named(document: Path) -> set[str]:
    """Bold words and those in italics that repeat a label."""
    text = " ".join(_prose(document).split())
    return set(re.findall(r"\*{1,2}([^*]+?)\*{1,2}", text))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(document: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", _prose(document))

    missing = [
        target
        for target in targets
        if "://" not in target
        and not target.startswith(("#", "mailto:"))
        and not (document.parent / target.partition("#")[0]).exists()
    ]

    assert missing == []


@pytest.mark.parametrize("page", sorted(reference.PAGES))
def test_a_reference_page_is_what_the_code_says(page: str) -> None:
    written = (reference.FOLDER / page).read_text(encoding="utf-8")

    assert written == reference.PAGES[page](), "stale: run `python -m tests.docs.reference`"


def test_the_settings_page_names_every_setting_and_no_other() -> None:
    page = (reference.FOLDER / "settings.md").read_text(encoding="utf-8")

    assert set(re.findall(r"^\| `COMPTOIR_([A-Z_]+)`", page, re.MULTILINE)) == settings.names()


def test_settings_named_anywhere_are_on_the_settings_page() -> None:
    known = set(SETTING.findall((reference.FOLDER / "settings.md").read_text(encoding="utf-8")))

    named = {
        name
        for document in DOCUMENTS
        for name in SETTING.findall(document.read_text(encoding="utf-8"))
        if not name.startswith("COMPTOIR_TEST_")
    }

    assert named - known == set()


def _commands_named() -> Iterator[tuple[str, str, str]]:
    """Every `comptoir ...` in documents: where, the verb, and the rest of the line."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for found in re.finditer(r"(?:`|^)(?:\.venv/bin/)?comptoir ([a-z]+)([^`\n]*)", text, re.MULTILINE):
            yield str(document.relative_to(ROOT)), found[1], found[2]


def test_commands_and_options_named_in_documents_exist() -> None:
    page = reference.PAGES["commands.md"]()
    verbs = set(re.findall(r"^## `comptoir ([a-z]+)", page, re.MULTILINE))
    options = set(re.findall(r"`(--[a-z-]+)`", page))

    named = list(_commands_named())

    assert named
    assert [one for one in named if one[1] not in verbs] == []
    assert [one for one in named for option in re.findall(r"--[a-z-]+", one[2]) if option not in options] == []


def test_verbs_of_make_named_in_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))

    named = set(re.findall(r"`make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8")))

    assert named
    assert named - targets == set()


@pytest.mark.parametrize(("english", "french"), PORTAL_LABELS)
def test_a_label_of_the_portal_is_in_both_guides_and_in_the_portal(english: str, french: str) -> None:
    key = english.replace("FreeAgent", "%(name)s")

    assert english in _named(GUIDE)
    assert french in _named(FRENCH_GUIDE)
    assert languages()["fr"].gettext(key).replace("%(name)s", "FreeAgent") == french


@pytest.mark.parametrize("label", UPSTREAM_LABELS)
def test_a_label_of_the_developer_site_is_in_both_guides_and_on_the_stand_in(label: str) -> None:
    templates = (ROOT / "src/freeagent_standin/pages/templates").glob("*.html")

    assert label in _named(GUIDE)
    assert label in _named(FRENCH_GUIDE)
    assert any(f">{label}<" in unescape(one.read_text(encoding="utf-8")) for one in templates)


@pytest.mark.parametrize(("guide", "code"), [(GUIDE, "en"), (FRENCH_GUIDE, "fr")])
def test_words_in_bold_are_words_on_the_screen(guide: Path, code: str) -> None:
    catalogue = languages()["fr"].messages
    portal = {key if code == "en" else texts[0] for key, texts in catalogue.items()}
    shown = {text.replace("%(name)s", "FreeAgent") for text in portal} | {*UPSTREAM_LABELS, "OAuth Redirect URI"}
    shown |= {"FreeAgent", "bold", "gras"}
    cautions = {caution for one in INTEGRATIONS for caution in one.words.caution.values()}

    unknown = {words for words in _bold(guide) if words not in shown}

    assert {words for words in unknown if not any(words.rstrip(".") in caution for caution in cautions)} == set()


_FAULTS = {
    *(f"G{n}" for n in range(1, 11)),
    *(f"F{n:02}" for n in (*range(1, 39), *range(50, 55))),
    *(f"T{n:02}" for n in range(1, 43) if n != 34),  # a number that was never given
    *(f"S{n}" for n in range(1, 7)),
}


def _rows_of_faults() -> Iterator[tuple[list[str], str]]:
    for line in (reference.FOLDER / "faults.md").read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\| ([GFTS]\d+(?:, [GFTS]\d+)*) \|(.*)", line):
            yield found[1].split(", "), found[2]


def test_every_fault_is_on_its_page_once() -> None:
    ids = [id_ for row, _ in _rows_of_faults() for id_ in row]

    assert sorted(ids) == sorted(_FAULTS)


def test_every_fault_is_shown_by_tests_that_exist_or_is_said_not_to_be() -> None:
    missing, unshown = [], []
    for ids, text in _rows_of_faults():
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", text)
        if not named and "Not shown yet" not in text:
            unshown.append(ids)
        for file, name in named:
            path = ROOT / "tests" / file
            if not path.exists() or f"\ndef {name}(" not in path.read_text(encoding="utf-8"):
                missing.append(f"{file}::{name}")

    assert unshown == []
    assert missing == []


def test_the_french_guide_has_french_spacing() -> None:
    text = _prose(FRENCH_GUIDE)

    assert re.findall(r".{0,20} [;:!?»]", text) == []
    assert re.findall(r"« .{0,20}", text) == []
