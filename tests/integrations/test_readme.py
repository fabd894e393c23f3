"""The integration's README says what the code does."""

from __future__ import annotations

import re

from tests.integrations import readme

from comptoir.integrations.freeagent import FREEAGENT
from comptoir.integrations.freeagent.mapping.explanations import Kind
from comptoir.model import DATA_TYPE_KEYS

TEXT = readme.README.read_text(encoding="utf-8")


def test_its_tables_are_made_from_what_is_declared() -> None:
    found = re.findall(r"<!-- made: (\w+) -->", TEXT)

    assert sorted(found) == sorted(readme.TABLES)
    assert readme.written(TEXT) == TEXT, "run: python -m tests.integrations.readme"


def test_a_resource_or_data_type_more_would_make_it_stale() -> None:
    names = [one.name for one in FREEAGENT.resources] + [one.name for one in FREEAGENT.data_types]

    assert all(f"| {name} |" in TEXT for name in names)


def test_every_data_type_of_the_platform_is_named() -> None:
    assert all(f"`{key}`" in TEXT or f"| {key} |" in TEXT for key in DATA_TYPE_KEYS)


def test_every_prefix_of_an_id_is_explained() -> None:
    for prefix in ("inv-", "cnr-", "wo-", "exp-", "stock-", "property-", "bank-"):
        assert f"`{prefix}" in TEXT


def test_every_kind_of_explanation_has_its_row() -> None:
    assert {kind.value for kind in Kind} <= set(DATA_TYPE_KEYS)
    assert all(f"| {kind.value} |" in TEXT for kind in Kind)
