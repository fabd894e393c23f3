"""Reference pages made from the code: `python -m tests.docs.reference` writes them, a test compares."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter, cleandoc, signature
from pathlib import Path
from types import MappingProxyType

import msgspec
from cyclopts import App

from comptoir.api.coverage import CoveredMember, CoveredResource, Reading, Use, coverage_of
from comptoir.cli import app, audit, keys, operators, tenants
from comptoir.commands import routes
from comptoir.integrations import INTEGRATIONS
from comptoir.integrations.contract import DataType
from comptoir.model import SHAPES, ColumnKind
from comptoir.portal.looks import LOOKS
from comptoir.store.tables import snake
from comptoir.store.views import OWN, SOURCE_VIEWS, view_name

__all__ = ["FOLDER", "PAGES"]

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
_MADE = "<!-- Made from the code by `python -m tests.docs.reference`. -->\n"


def commands() -> str:
    """Every command with its options, from the functions behind them."""
    parts = ["# Commands", "", _MADE]
    groups = (
        (app, "comptoir"),
        (audit, "comptoir audit"),
        (operators, "comptoir operator"),
        (tenants, "comptoir tenant"),
        (keys, "comptoir keys"),
    )
    for name, function in [one for group, prefix in groups for one in _functions(group, prefix)]:
        about, options = _documented(function)
        parts += [f"## `{name}`", "", about, ""]
        rows = [_option(parameter, options) for parameter in signature(function).parameters.values()]
        if rows:
            parts += ["| option | default | what it does |", "|---|---|---|", *rows, ""]
    return "\n".join(parts)


def _functions(group: App, prefix: str) -> Iterator[tuple[str, Callable[..., object]]]:
    for name in sorted(group):
        command = group[name].default_command
        if command is not None and not name.startswith("-"):
            yield f"{prefix} {name}", command


def _documented(function: Callable[..., object]) -> tuple[str, Mapping[str, str]]:
    """What a command says of itself, and of each parameter, out of its docstring."""
    about, _, described = cleandoc(function.__doc__ or "").partition("\n\nParameters\n----------\n")
    found = re.findall(r"^(\w+)\n((?: {4}.*\n?)+)", described, re.MULTILINE)
    return about.replace("\n", " "), {name: " ".join(text.split()) for name, text in found}


def _option(parameter: Parameter, options: Mapping[str, str]) -> str:
    dashed = parameter.name.replace("_", "-")
    shown = f"--{dashed}" if parameter.kind is Parameter.KEYWORD_ONLY else dashed.upper()
    if parameter.default is Parameter.empty:
        default = "must be given"
    else:
        default = "" if parameter.default is None or parameter.default is False else f"`{parameter.default}`"
    return f"| `{shown}` | {default} | {options[parameter.name]} |"


def data_types() -> str:
    """Every data type that is served, by integration: what it is made from and who may see it."""
    parts = ["# Data types", "", _MADE]
    for integration in INTEGRATIONS:
        parts += [
            f"## {integration.name}",
            "",
            f"Platform key `{integration.key}`. A source that is not required only costs a warning when it is refused.",
            "",
            "| key | name | access level needed | made from | also reads |",
            "|---|---|---|---|---|",
            *(_data_type(one, integration.access_levels) for one in integration.data_types),
            "",
        ]
    return "\n".join(parts)


def _data_type(one: DataType, levels: Mapping[int, str]) -> str:
    made_from = dict.fromkeys(making.resource for making in one.made_from)
    others = [
        f"`{source.resource}`" + ("" if source.required else " (not required)")
        for source in one.sources
        if source.resource not in made_from
    ]
    optional = {source.resource for source in one.sources if not source.required}
    named = [f"`{name}`" + (" (not required)" if name in optional else "") for name in made_from]
    level = f"{one.access_level}, {levels[one.access_level]}"
    return f"| `{one.name}` | {LOOKS[one.name].name} | {level} | {', '.join(named)} | {', '.join(others)} |"


def all_routes() -> str:
    """Every route, as `comptoir routes` lists them."""
    rows = [re.fullmatch(r"(\S+)\s+(\S+)\s+(.+)", line) for line in routes()]
    lines = [f"| {row[1]} | `{row[2]}` | {row[3]} |" for row in rows if row is not None]
    assert len(lines) == len(rows)
    head = "What each address takes: an API key, an operator with a permission, or nothing. `comptoir routes` prints the same."
    return "\n".join(["# Routes", "", _MADE, head, "", "| method | path | takes |", "|---|---|---|", *lines, ""])


def coverage() -> str:
    """Every member of every data type: what it is read from, or why it is not there."""
    parts = [
        "# Coverage",
        "",
        _MADE,
        "Where each member of each data type comes from. `[]` stands behind a member that holds a list. A member is",
        "copied from the first source that has it, unless the remark says what is made of them. Nothing is written to a",
        "source yet. [The same as JSON](coverage.json); the API serves it at `/integrations/{platformKey}/coverage`.",
        "",
        "Every record also has `modifiedDate`, when our copy last changed, and most have `metadata.isDeleted`.",
        "",
    ]
    for integration in INTEGRATIONS:
        table = coverage_of(integration)
        parts += [
            f"## {integration.name}: what becomes of each resource",
            "",
            "All that is read is kept as it came, with earlier versions: see [tracing](tracing.md).",
            "",
            "| resource | access level needed | what becomes of it |",
            "|---|---|---|",
            *map(_resource, table.resources),
            "",
        ]
        for one in table.data_types:
            parts += [
                f"## {integration.name}: `{one.data_type}`",
                "",
                "| member | read from | remark |",
                "|---|---|---|",
            ]
            parts += [_member(member) for member in one.members]
            parts.append("")
    return "\n".join(parts)


_USES = {Use.MADE_FROM: "made into ", Use.MADE_WITH: "looked at for ", Use.KEPT: "kept as it came"}


def _resource(one: CoveredResource) -> str:
    types = ", ".join(f"`{name}`" for name in one.data_types)
    told = f"**not read.** {one.remark}" if one.use is Use.NOT_READ else _USES[one.use] + types
    return f"| `{one.resource}` | {one.access_level or ''} | {told} |"


def _member(one: CoveredMember) -> str:
    sources = ", ".join(f"`{source}`" for source in one.sources)
    if one.read is Reading.NOT_SUPPORTED:
        sources = "**not supported**"
    return f"| `{one.path}` | {sources} | {one.remark or ''} |"


def coverage_as_json() -> str:
    """The same for programs."""
    tables = {integration.key: coverage_of(integration) for integration in INTEGRATIONS}
    return msgspec.json.format(msgspec.json.encode(tables), indent=1).decode() + "\n"


_SQL_TYPES = {
    ColumnKind.AMOUNT: "exact number",
    ColumnKind.INTEGER: "whole number",
    ColumnKind.BOOLEAN: "yes or no",
    ColumnKind.DATE: "day and time of the books",
    ColumnKind.INSTANT: "moment",
}


def sql_views() -> str:
    """Every view that people query with plain SQL, and its columns."""
    parts = [
        "# SQL views",
        "",
        _MADE,
        "For whoever brings a tool of their own: one view for each data type, and two for the source's own records. On",
        "PostgreSQL connect to Comptoir's database with a user that may only read; on SQLite copy `comptoir.db` from the",
        "data folder while Comptoir is stopped, and open the copy. Views may be queried and joined, and nothing is written",
        "through them. They hold every tenant and company there is: name yours by `tenant_id` and `company_id`.",
        "",
        "Moments and days are `timestamptz` and `timestamp` on PostgreSQL, and text on SQLite, where amounts are as near as",
        "its numbers come. `modified_date` and `source_modified_date` are text on both.",
        "",
        "```sql",
        "SELECT customer_ref_company_name, currency, sum(amount_due)",
        "FROM invoices",
        "WHERE company_id = '...' AND NOT is_deleted AND amount_due > 0",
        "GROUP BY 1, 2;",
        "```",
        "",
        "## The source's records",
        "",
        "As they came, deleted ones too; `body` is text that holds JSON. `source_versions` has every body each of them had,",
        "`since` when and `until` when: null for the one that still stands.",
        "",
        "| view | columns |",
        "|---|---|",
        *(f"| `{name}` | {', '.join(f'`{one}`' for one in columns)} |" for name, columns in SOURCE_VIEWS.items()),
        "",
        "## Data types",
        "",
        f"Each also has {', '.join(f'`{name}`' for name in OWN)}: see `source_records` for what became of deleted ones.",
        "",
    ]
    for shape in SHAPES.values():
        rows = [
            f"| `{snake(one.path.replace('.', '_'))}` | `{one.path}` | {_SQL_TYPES.get(one.kind, 'text')} |"
            for one in shape.columns
            if one.path not in ("id", "sourceModifiedDate")
        ]
        parts += [f"### `{view_name(shape.name)}`", ""]
        parts += (
            ["| column | member | kind |", "|---|---|---|", *rows, ""]
            if rows
            else ["It has no columns of its own.", ""]
        )
    return "\n".join(parts)


PAGES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "commands.md": commands,
        "coverage.md": coverage,
        "coverage.json": coverage_as_json,
        "data-types.md": data_types,
        "routes.md": all_routes,
        "sql-views.md": sql_views,
    }
)

if __name__ == "__main__":
    for page, made in PAGES.items():
        (FOLDER / page).write_text(made(), encoding="utf-8")
