"""Bodies by the paths of their members, every value as it was written."""

from __future__ import annotations

import pytest

from comptoir.sync.bodies import Difference, at, differences, leaves

BODY = b'{"total": 1.50, "lines":[{"price":"2.0","position":2},{"price":"1.0","position":1}], "none":null, "empty":[]}'


def test_values_are_told_as_they_were_written() -> None:
    assert list(leaves(BODY)) == [
        ("total", b"1.50"),
        ("lines[0].price", b'"2.0"'),
        ("lines[0].position", b"2"),
        ("lines[1].price", b'"1.0"'),
        ("lines[1].position", b"1"),
        ("none", b"null"),
        ("empty", b"[]"),
    ]


def test_a_body_may_be_nested_deeply() -> None:
    assert list(leaves(b"[" * 900 + b"1" + b"]" * 900)) == [("[0]" * 900, b"1")]


def test_differences_name_what_came_changed_and_went() -> None:
    found = differences(b'{"a":1.0,"b":2,"c":{"d":3}}', b'{"a":1.00,"b":2,"e":4}')

    assert found == (
        Difference("a", b"1.0", b"1.00"),
        Difference("e", None, b"4"),
        Difference("c.d", b"3", None),
    )


@pytest.mark.parametrize(("path", "places", "ordered", "value"), [
    ("total", (), None, b"1.50"), ("lines[].price", ((0, 2),), None, b'"2.0"'), ("lines[].price", ((0, 2),), "position", b'"1.0"'),
    ("lines[].price", ((0, 3),), None, None), ("lines[].price", (), None, None), ("none", (), None, None), ("total.x", (), None, None),
    ("nosuch", (), None, None), ("total[]", ((0, 1),), None, None),
])  # fmt: skip
def test_a_member_is_found_by_its_path(
    path: str, places: tuple[tuple[int, int], ...], ordered: str | None, value: bytes | None
) -> None:
    assert at(BODY, path, places, ordered) == value
