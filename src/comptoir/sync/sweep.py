"""What is gone upstream: records held that a complete listing no longer names.

No feed tells of deletions, so absence is the only sign, and it is not believed lightly: a list that comes back empty or
much shorter must say so twice, and what is missing is asked for by itself as far as that is cheap.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

import msgspec

from comptoir.integrations.contract import Kind, Resource

__all__ = ["Verdict", "is_suspicious", "judge", "to_ask_for"]

_MOST_ASKED_FOR = 50


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`deleted` are to be marked so; `warning` says what was doubtful. `is_doubtful`: the list may lack more."""

    deleted: frozenset[str] = frozenset()
    warning: str | None = None
    is_doubtful: bool = False


def is_suspicious(live: int, missing: int) -> bool:
    """More than a fifth of what was live is missing: all of it, if the list came back empty."""
    return missing * 5 > live


def to_ask_for(resource: Resource, missing: Set[str]) -> list[str]:
    """Missing records worth a call each: all where they are few, some from all over where many are lost at once."""
    if resource.kind not in (Kind.LIST, Kind.DOCUMENT) or resource.is_derived or not resource.asked_by_id:
        return []
    return sorted(missing)[:: -(-len(missing) // _MOST_ASKED_FOR) or 1]


def judge(
    resource: Resource,
    live: int,
    missing: Set[str],
    *,
    is_proof: bool,
    is_suspicious: bool,
    asked: Mapping[str, bool],
    failed: str | None,
) -> Verdict:
    """Which of the missing records are gone. `is_proof`: the list stood still, and all of it could be read. `asked`
    tells of those asked for whether they are there; `failed` is the sentence of the error that ended the asking, if one
    did."""
    if not missing:
        return Verdict()
    if failed is not None:
        return Verdict(
            warning=f"{len(missing)} records are missing from {resource.name}, and asking for one failed: {failed} "
            "None is marked deleted until a later sync.",
            is_doubtful=True,
        )
    there = {id_ for id_, is_there in asked.items() if is_there}
    gone = frozenset(asked.keys() - there)
    if not is_proof:
        return Verdict(deleted=gone)
    if is_suspicious:
        if there:
            return Verdict(
                warning=f"{len(missing)} of {live} records are missing from {resource.name}, and yet {len(there)} of "
                f"the {len(asked)} asked for are there. None is marked deleted until a later sync.",
                is_doubtful=True,
            )
        agreed = "two passes and direct reads agree" if asked else "two passes agree"
        return Verdict(
            deleted=frozenset(missing),
            warning=f"{len(missing)} of {live} records of {resource.name} are gone upstream; {agreed}.",
        )
    if there:
        return Verdict(
            deleted=gone,
            warning=f"{len(there)} records are missing from the list {resource.name} and yet there by themselves; "
            "they are kept.",
            is_doubtful=len(missing) > len(asked),  # of the others nobody can say
        )
    return Verdict(deleted=frozenset(missing))
