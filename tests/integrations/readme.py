"""The tables in the integration's README, made from what it declares: `python -m tests.integrations.readme`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import comptoir.integrations.freeagent
from comptoir.integrations.contract import DataType, Kind, Resource
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.model import DATA_TYPE_KEYS

__all__ = ["README", "TABLES", "written"]

README = Path(comptoir.integrations.freeagent.__file__).parent / "README.md"
_BLOCK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_KINDS = {Kind.LIST: "pages", Kind.DOCUMENT: "one document", Kind.SINGLE: "one record", Kind.REPORT: "a report"}


def _table(head: str, *rows: str) -> str:
    return "\n".join([head, "|" + "---|" * (head.count("|") - 1), *rows, ""])


def _resources() -> str:
    return _table(
        "| resource | address | answers | level | changes by | asked for |",
        *(_resource(one) for one in FREEAGENT.resources),
    )


def _resource(one: Resource) -> str:
    asked = [f"`{name}={value}`" for name, value in one.params]
    if one.per is not None:
        asked.append(f"`{one.per_param}`, once for each of `{one.per}`")
    if one.windows is not None:
        asked.append("by itself for each range it has")
    if one.today_param is not None:
        asked.append(f"`{one.today_param}`, today")
    since = f"`{one.since}`" if one.since else ""
    return f"| {one.name} | `{one.path}` | {_KINDS[one.kind]} | {one.access_level} | {since} | {', '.join(asked)} |"


def _data_types() -> str:
    return _table("| data type | level | made from | needs |", *(_data_type(one) for one in FREEAGENT.data_types))


def _data_type(one: DataType) -> str:
    made_from = ", ".join(dict.fromkeys(making.resource for making in one.made_from))
    needs = ", ".join(source.resource for source in one.sources if source.required)
    return f"| {one.name} | {one.access_level} | {made_from} | {needs} |"


def _levels() -> str:
    return _table(
        "| level | FreeAgent's name | data types it opens |",
        *(f"| {level} | {name} | {_opened(level)} |" for level, name in FREEAGENT.access_levels.items()),
    )


def _opened(level: int) -> str:
    return ", ".join(one.name for one in FREEAGENT.data_types if one.access_level == level)


def _not_served() -> str:
    served = {one.name for one in FREEAGENT.data_types}
    return ", ".join(f"`{key}`" for key in DATA_TYPE_KEYS if key not in served) + "\n"


TABLES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {"resources": _resources, "data_types": _data_types, "levels": _levels, "not_served": _not_served}
)


def written(text: str) -> str:
    """The page with its tables as the code has them. KeyError for a table nobody makes."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}", text)


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
