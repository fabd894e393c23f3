"""JSON bodies by the paths of their members, every value as it was written: nothing is rounded on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

__all__ = ["Difference", "at", "differences", "leaves"]

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Difference(msgspec.Struct, frozen=True):
    """A member that differs between two bodies: as it was, and as it became; None where it was not there.

    `is_drift`: it changes without anybody's edit, as a signed link does.
    """

    path: str
    before: bytes | None
    after: bytes | None
    is_drift: bool = False


def leaves(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Every member that holds no others, `lines[0].price`, in the order of the body; an empty list or object too."""
    waiting = [("", body)]  # not by recursion: bodies may be nested deeper than that goes
    while waiting:
        path, value = waiting.pop()
        value = value.strip()
        inside: list[tuple[str, bytes]] = []
        if value[:1] == b"{":
            prefix = f"{path}." if path else ""
            inside = [(prefix + name, bytes(member)) for name, member in _members(value).items()]
        elif value[:1] == b"[":
            inside = [(f"{path}[{place}]", bytes(one)) for place, one in enumerate(_elements(value))]
        if inside:
            waiting += reversed(inside)
        else:
            yield path, value


def differences(before: bytes, after: bytes) -> tuple[Difference, ...]:
    """What became of one body, member by member, those that are gone last."""
    old, new = dict(leaves(before)), dict(leaves(after))
    changed = [Difference(path, old.get(path), value) for path, value in new.items() if old.get(path) != value]
    gone = [Difference(path, value, None) for path, value in old.items() if path not in new]
    return (*changed, *gone)


def at(body: bytes, path: str, places: Sequence[tuple[int, int]], ordered: str | None = None) -> bytes | None:
    """The value of a member, `lines[].price`; None where there is none, or null.

    `places` tell for each `[]` which element is meant, and of how many: a list of another length has no such element.
    A list is taken in the order of the member `ordered` of its elements, where one is named.
    """
    value, remaining = body.strip(), list(places)
    for step in path.split("."):
        name, is_list = step.removesuffix("[]"), step.endswith("[]")
        if value[:1] != b"{" or (member := _members(value).get(name)) is None:
            return None
        value = bytes(member).strip()
        if is_list:
            if value[:1] != b"[" or not remaining:
                return None
            elements = [bytes(one) for one in _elements(value)]
            place, length = remaining.pop(0)
            if len(elements) != length:
                return None
            value = (_in_order(elements, ordered) if ordered else elements)[place].strip()
    return None if value == b"null" else value


def _in_order(elements: Sequence[bytes], member: str) -> list[bytes]:
    def number(element: bytes) -> float:
        found = at(element, member, ())
        try:
            return float((found or b"0").strip(b'"'))
        except ValueError:
            return 0.0

    return sorted(elements, key=number)
