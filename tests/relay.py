"""Between the product and PostgreSQL: carries bytes, and loses the answers to commits, as a line does that breaks at the
worst moment: what was asked for is done, and whoever asked never hears of it."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Iterator

import sqlalchemy as sa

_COMMIT = b"COMMIT\x00"  # as the protocol writes a simple question


class Relay:
    """`lost_share` of the answers to commits are lost, each with its line; drawn by lot with a seed, because a loss at
    every n-th may meet the same step of an orderly program each time."""

    def __init__(self, database_url: str) -> None:
        url = sa.make_url(database_url)
        self._host, self._port = str(url.query.get("host") or url.host), url.port or 5432
        self._listener = socket.create_server(("127.0.0.1", 0))
        ours = url.set(host="127.0.0.1", port=self._listener.getsockname()[1]).difference_update_query(["host"])
        readable = {"sslmode": "disable", "gssencmode": "disable"}
        self.url = ours.update_query_dict(readable).render_as_string(hide_password=False)
        self.lost_share = 0.0
        self.lost = 0
        self._lot = random.Random(7)
        self._guard = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed: over
            while True:
                ours, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(ours,), daemon=True).start()

    def _carry(self, ours: socket.socket) -> None:
        with contextlib.suppress(OSError), ours, self._server() as theirs:
            is_lost = threading.Event()
            back = threading.Thread(target=self._answers, args=(theirs, ours, is_lost), daemon=True)
            back.start()
            while asked := ours.recv(65536):
                if asked.endswith(_COMMIT) and self._is_to_be_lost():
                    is_lost.set()
                theirs.sendall(asked)
            with contextlib.suppress(OSError):
                theirs.shutdown(socket.SHUT_WR)
            back.join()

    def _server(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port))
        line = socket.socket(socket.AF_UNIX)
        line.connect(f"{self._host}/.s.PGSQL.{self._port}")
        return line

    def _answers(self, theirs: socket.socket, ours: socket.socket, is_lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while answer := theirs.recv(65536):
                if is_lost.is_set():  # the commit is done: only then does the server answer it
                    with self._guard:
                        self.lost += 1
                    break
                ours.sendall(answer)
        for line in (ours, theirs):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _is_to_be_lost(self) -> bool:
        with self._guard:
            return self.lost_share > 0 and self._lot.random() < self.lost_share


@contextlib.contextmanager
def relayed(database_url: str) -> Iterator[Relay]:
    relay = Relay(database_url)
    try:
        yield relay
    finally:
        relay.close()
