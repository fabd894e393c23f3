"""What no list of faults names: answers that lie, repeat, contradict themselves or are sent before they are asked for."""

from __future__ import annotations

import gzip
import socket
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.sync.house import HastyClock
from tests.upstream.conftest import ClientOf, a_connection
from tests.upstream.fake import Asked, Fake, answer, faking

from comptoir.errors import TryLater, UpstreamChanged
from comptoir.integrations.contract import Attached, Resource
from comptoir.integrations.freeagent import FREEAGENT
from comptoir.upstream import Client, FixedToken, Page
from comptoir.upstream.addresses import public_address

INVOICES = FREEAGENT.resource("invoices")
TOKENS = FixedToken("token-of-tests")
COMPANY = b'{"company": {"name": "Toft"}}'
GOOD = b'{"url": "https://api.freeagent.com/v2/invoices/1", "reference": "good"}'


def _get(client: Client, connection: str = "c1") -> bytes:
    return client.get(a_connection(connection), "/company", (), TOKENS).body


def _page(client: Client, resource: Resource = INVOICES) -> Page:
    return client.reader(a_connection(), TOKENS).page(resource, 1)


# One record that is no JSON costs that record


_NO_JSON = {
    "not a number": b'{"url": "/v2/invoices/2", "total_value": NaN}',
    "infinite": b'{"url": "/v2/invoices/2", "total_value": -Infinity}',
    "a half of a pair": b'{"url": "/v2/invoices/2", "reference": "\\ud800"}',
    "a control character": b'{"url": "/v2/invoices/2", "reference": "a\x01\nb"}',
    "an escape that is none": b'{"url": "/v2/invoices/2", "reference": "a\\q]}b"}',
    "leading zeros": b'{"url": "/v2/invoices/2", "total_value": 007}',
    "names without quotes": b"{url: 2}",
    "a comma too many": b'{"url": "/v2/invoices/2",}',
    "brackets in text": b'{"url": "/v2/invoices/2", "reference": "}]\\"}]", "x": NaN}',
    "nested without end": b'{"url": "/v2/invoices/2", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "words": b"undefined",
}


@pytest.mark.parametrize("odd", _NO_JSON)
def test_a_record_that_is_no_json_is_told_apart_from_its_neighbours(fake: Fake, client_of: ClientOf, odd: str) -> None:
    last = GOOD.replace(b"/1", b"/3")
    fake.script = lambda _: answer(b'{"note": [1], "invoices": [%b,\n%b , %b]}' % (GOOD, _NO_JSON[odd], last))

    page = _page(client_of(fake.url))

    assert page.records == [("invoices", one) for one in (GOOD, _NO_JSON[odd], last)]


@pytest.mark.parametrize("end", [b"", b"]", b"}", b"]}]}", b"}]", b'"]}', b"]} trailing", b'], "more": }x'])
def test_a_page_that_is_no_json_and_does_not_end_as_it_began_is_not_told_apart(
    fake: Fake, client_of: ClientOf, end: bytes
) -> None:
    fake.script = lambda _: answer(b'{"invoices": [%b, {"x": NaN}' % GOOD + end)

    with pytest.raises((TryLater, UpstreamChanged)):
        _page(client_of(fake.url))


def test_a_member_that_comes_twice_is_read_twice(fake: Fake, client_of: ClientOf) -> None:
    fake.script = lambda _: answer(b'{"invoices": [%b], "invoices": []}' % GOOD)

    assert _page(client_of(fake.url)).records == [("invoices", GOOD)]


def test_a_byte_order_mark_is_no_part_of_a_page(fake: Fake, client_of: ClientOf) -> None:
    fake.script = lambda _: answer(b'\xef\xbb\xbf{"invoices": [%b]}' % GOOD)

    assert _page(client_of(fake.url)).records == [("invoices", GOOD)]


def test_a_body_that_was_cut_without_a_word_is_asked_for_again_at_once(fake: Fake, client_of: ClientOf) -> None:
    """HTTP/1.0 ends a body by closing: nothing else tells that it is not whole."""
    whole = b'{"invoices": [%b]}' % GOOD
    bodies = iter([whole[:40], whole])
    fake.script = lambda _: b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + next(bodies)

    assert _page(client_of(fake.url)).records == [("invoices", GOOD)]


# Statuses


@pytest.mark.parametrize("status", ["201 Created", "202 Accepted", "204 No Content", "206 Partial", "304 Not Modified"])
def test_only_200_comes_with_data(fake: Fake, client_of: ClientOf, status: str) -> None:
    body = b"" if status[:3] in ("204", "304") else b'{"invoices": []}'
    fake.script = lambda _: answer(body, status)

    with pytest.raises(TryLater, match="no data"):
        _page(client_of(fake.url))

    assert len(fake.asked) == 4


def test_what_is_said_before_an_answer_is_passed_over(fake: Fake, client_of: ClientOf) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=next\r\n\r\n"
    fake.script = lambda _: early * 3 + answer(b'{"invoices": [%b]}' % GOOD)

    page = _page(client_of(fake.url))

    assert page.has_next is None
    assert len(page.records) == 1


def test_words_before_an_answer_without_end_are_given_up(fake: Fake, client_of: ClientOf) -> None:
    def script(_: Asked) -> Iterator[bytes | float]:
        for _number in range(1000):
            yield b"HTTP/1.1 102 Processing\r\n\r\n"
            yield 0.01

    fake.script = script
    began = time.monotonic()

    with pytest.raises(TryLater, match="did not answer in time"):
        _get(client_of(fake.url, whole_seconds=0.1))

    assert time.monotonic() - began < 20


def test_no_other_protocol_is_gone_over_to(fake: Fake, client_of: ClientOf) -> None:
    fake.script = lambda _: b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n{}"

    with pytest.raises(TryLater):
        _get(client_of(fake.url, idle_seconds=0.2))


# Lengths that lie


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 40, "5, 6", "0x10", "nonsense"])
def test_a_length_that_is_none_is_no_answer(fake: Fake, client_of: ClientOf, length: str) -> None:
    fake.script = lambda _: answer(COMPANY, content_length=length)

    with pytest.raises(TryLater):
        _get(client_of(fake.url))


def test_a_length_of_less_than_there_is_gives_no_half_of_a_page(fake: Fake, client_of: ClientOf) -> None:
    fake.keeps_open = True
    fake.script = lambda _: answer(COMPANY, content_length="12", connection="")

    with pytest.raises(TryLater):
        _get(client_of(fake.url))


def test_an_answer_beyond_an_answer_is_never_taken_for_that_of_the_next_call(fake: Fake, client_of: ClientOf) -> None:
    """Connections are kept open and serve every tenant: what one was sent must not be read by another."""
    fake.keeps_open = True
    more = answer(b'{"company": {"name": "of the first tenant"}}', connection="")
    answers = iter([answer(COMPANY, connection="") + more])
    fake.script = lambda _: next(answers, answer(b'{"company": {"name": "of the second tenant"}}', connection=""))
    client = client_of(fake.url)

    assert _get(client, "first") == COMPANY
    assert _get(client, "second") == b'{"company": {"name": "of the second tenant"}}'


def test_two_lengths_at_once_are_no_answer(fake: Fake, client_of: ClientOf) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\nContent-Length: 29\r\n\r\n"
    fake.script = lambda _: head + COMPANY

    with pytest.raises(TryLater):
        _get(client_of(fake.url))


@pytest.mark.parametrize("packed", ["gzip in gzip", "deflate", "many members"])
def test_a_body_packed_in_any_way_is_bounded_after_it_is_unpacked(fake: Fake, client_of: ClientOf, packed: str) -> None:
    large = b"[" + b" " * 30_000_000 + b"]"
    body, encoding = {
        "gzip in gzip": (gzip.compress(gzip.compress(large)), "gzip, gzip"),
        "deflate": (zlib.compress(large), "deflate"),
        "many members": (gzip.compress(b" " * 300_000) * 100, "gzip"),
    }[packed]
    fake.script = lambda _: answer(body, content_encoding=encoding)

    with pytest.raises((UpstreamChanged, TryLater)):
        _get(client_of(fake.url, largest_body=1_000_000))


# Connections


def test_a_connection_that_was_closed_meanwhile_costs_no_wait(
    fake: Fake, client_of: ClientOf, clock: HastyClock
) -> None:
    fake.script = lambda _: answer(COMPANY, connection="keep-alive")  # and closes all the same
    client = client_of(fake.url)

    assert [_get(client) for _ in range(3)] == [COMPANY] * 3

    assert fake.connections == 3
    assert clock.waited < 6


def test_connections_are_kept_for_further_calls(fake: Fake, client_of: ClientOf) -> None:
    fake.keeps_open = True
    fake.script = lambda _: answer(COMPANY, connection="")
    client = client_of(fake.url)

    assert [_get(client) for _ in range(3)] == [COMPANY] * 3

    assert fake.connections == 1


def test_an_origin_may_be_an_address_of_the_newer_kind(client_of: ClientOf) -> None:
    with faking("::1") as fake:
        assert _get(client_of(fake.url)) == COMPANY

    assert fake.asked[0].headers["host"] == fake.url.removeprefix("http://")


# Links to files

NOW = datetime(2026, 3, 1, tzinfo=UTC)
A_FILE = Attached(
    id="7", name="a.pdf", content_type="application/pdf", size=4, created=None, link=None, expires_at=None
)
_PUBLIC = "93.184.215.14"


@pytest.mark.parametrize("address", [
    "::10.0.0.1", "::127.0.0.1", "fec0::1", "64:ff9b:1::a00:1", "5f00::1", "100::1", "ff02::1", "2001:db8::1",
    "2002:7f00:1::", "2001::a00:1", "::ffff:127.0.0.1", "::ffff:0:10.0.0.1", "fe80::1%1", "2130706433", "0x7f000001",
    "017700000001", "127.1", "0", "255.255.255.255", "198.18.0.1", "192.0.0.8", "192.88.99.1",
])  # fmt: skip
def test_no_spelling_of_an_address_that_is_not_public_is_taken(address: str) -> None:
    try:
        with pytest.raises(UpstreamChanged, match="not public"):
            public_address(address, 443)
    except socket.gaierror:
        pass  # this machine cannot read it, and so cannot be led there


def test_a_name_is_looked_up_once_and_connected_at_what_was_vetted(
    fake: Fake, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever owns the name answers with a public address first, and with this machine's own afterwards."""
    own_port = int(fake.url.rpartition(":")[2])
    asked: list[str] = []
    look_up = socket.getaddrinfo

    def rebinding(host: str, *more: object, **named: object) -> object:
        if host != "files.example":
            return look_up(host, *more, **named)  # type: ignore[arg-type]  # passed on as it came
        asked.append(host)
        address = _PUBLIC if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, own_port))]

    client = client_of(fake.url, connect_seconds=0.2)
    client._origin = client._origin._replace(netloc="upstream.example")
    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    told = answer(
        b'{"attachment": {"url": "/v2/attachments/7", "content_src": "http://files.example:%d/it"}}' % own_port
    )
    fake.script = lambda _: told

    with pytest.raises(UserWarning, match=_PUBLIC):  # of the tests, which let nothing be connected at
        client.file(a_connection(), A_FILE, TOKENS, NOW)

    assert len(asked) == 1
    assert [one.line.split()[1] for one in fake.asked] == ["/v2/attachments/7"]
