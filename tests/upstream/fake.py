"""A server that answers whatever bytes a test wants, over real sockets: what no well-behaved server would send."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Asked:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes = b""


Script = Callable[[Asked], "bytes | Iterable[bytes | float]"]  # numbers are seconds to wait


@dataclass
class Fake:
    url: str
    asked: list[Asked] = field(default_factory=list)
    script: Script = lambda _: answer(b'{"company": {"name": "Toft"}}')
    keeps_open: bool = False  # for further requests, as long as the script does not say otherwise
    connections: int = 0


def answer(
    body: bytes = b"", status: str = "200 OK", *, content_type: str = "application/json", **headers: str
) -> bytes:
    """A whole answer; header names are written with underscores."""
    named = {"content_type": content_type, "content_length": str(len(body)), "connection": "close"} | headers
    lines = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in named.items() if text)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body


def _read(connection: socket.socket) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): text.strip() for name, _, text in (one.partition(":") for one in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    return Asked(line, headers, body)


def _serve(connection: socket.socket, fake: Fake) -> None:
    fake.connections += 1
    with connection, suppress(OSError):
        while (asked := _read(connection)) is not None:
            fake.asked.append(asked)
            said = fake.script(asked)
            for part in [said] if isinstance(said, bytes) else said:
                if isinstance(part, bytes):
                    connection.sendall(part)
                else:
                    time.sleep(part)  # the server's own slowness
            if not fake.keeps_open:
                return


@contextmanager
def faking(host: str = "127.0.0.1") -> Iterator[Fake]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family)
    named = f"[{host}]" if ":" in host else host
    fake = Fake(f"http://{named}:{listener.getsockname()[1]}")

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_serve, args=(connection, fake), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield fake
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
