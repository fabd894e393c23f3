"""How a command reaches the server that runs in the same data folder: a Unix socket that only its user may open.

One line of JSON asks, lines of JSON answer: any number that tell how far things are, and a last one with the result or
the sentence of an error. Whoever hangs up no longer wants it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from comptoir.errors import InvalidInput, ProductError, TryLater

__all__ = ["Answer", "Desk", "Work", "ask"]

_log = logging.getLogger(__name__)
_LONGEST_QUESTION = 65_536
_STOP_WITHIN_SECONDS = 5.0


class Question(msgspec.Struct, frozen=True):
    command: str
    arguments: dict[str, Any] = {}


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """`told` on the way; at the end `done`, or an `error`."""

    told: Any = None
    done: Any = None
    error: str | None = None


class Work(Protocol):
    """What a command does: it tells how far it is, and ends soon once it `should_stop`."""

    def __call__(
        self, arguments: Mapping[str, Any], tell: Callable[[Any], None], should_stop: Callable[[], bool]
    ) -> Any: ...


_question = msgspec.json.Decoder(Question).decode
_answer = msgspec.json.Decoder(Answer).decode


class Desk:
    """Answers commands while a server runs. `start` and `stop` once each."""

    def __init__(self, path: Path, works: Mapping[str, Work]) -> None:
        self._path, self._works = path, works
        self._stopping = threading.Event()
        self._listener: socket.socket | None = None
        self._threads: set[threading.Thread] = set()

    def start(self) -> None:
        """Listen; where no socket can be made, commands cannot reach this server, which goes on without."""
        listener = socket.socket(socket.AF_UNIX)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with _short(self._path) as name:
                with contextlib.suppress(FileNotFoundError):
                    self._path.unlink()  # left behind by a process that was killed
                listener.bind(name)
            self._path.chmod(0o600)  # before anybody can connect
            listener.listen(8)
        except OSError as error:
            listener.close()
            _log.warning("commands cannot reach this server over %s: %s", self._path, error.strerror or error)
            return
        self._listener = listener
        self._begin(self._listen, listener)

    def stop(self) -> None:
        """What is under way is told to end, and is waited for a little."""
        self._stopping.set()
        if self._listener is None:
            return
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._path.unlink(missing_ok=True)
        for thread in list(self._threads):
            thread.join(_STOP_WITHIN_SECONDS)

    def _begin(self, work: Callable[[socket.socket], None], with_: socket.socket) -> None:
        thread = threading.Thread(target=work, args=(with_,), name="desk", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _listen(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return  # closed by `stop`
            self._begin(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        hung_up = threading.Event()

        def send(answer: Answer) -> None:
            try:
                client.sendall(msgspec.json.encode(answer) + b"\n")
            except OSError:
                hung_up.set()

        with client, client.makefile("rb") as lines:
            try:
                question = _question(lines.readline(_LONGEST_QUESTION))
                if (work := self._works.get(question.command)) is None:
                    raise InvalidInput(f"The server that is running does not know {question.command!r}: restart it.")
                done = work(
                    question.arguments,
                    lambda told: send(Answer(told=told)),
                    lambda: hung_up.is_set() or self._stopping.is_set(),
                )
                send(Answer(done=done))
            except ProductError as error:
                send(Answer(error=error.message))
            except msgspec.MsgspecError:
                send(Answer(error="The command was not understood: it may be another version than the server."))
            except Exception:
                _log.exception("a command failed")
                send(Answer(error="Something in Comptoir went wrong. The server's log says more."))
        self._threads.discard(threading.current_thread())


def ask(path: Path, command: str, arguments: Mapping[str, Any]) -> Iterator[Answer] | None:
    """Ask the server that runs in this folder: what it tells, the result last. None if none runs.

    Raises TryLater with the server's sentence if it could not do it, or ended meanwhile.
    """
    connection = socket.socket(socket.AF_UNIX)
    try:
        with _short(path) as name:
            connection.connect(name)
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    return _answers(connection, msgspec.json.encode(Question(command, dict(arguments))))


def _answers(connection: socket.socket, question: bytes) -> Iterator[Answer]:
    with connection, connection.makefile("rb") as lines:
        with contextlib.suppress(BrokenPipeError):
            connection.sendall(question + b"\n")
        for line in lines:
            answer = _answer(line)
            if answer.error is not None:
                raise TryLater(answer.error)
            yield answer
            if answer.done is not None:
                return
    raise TryLater("Comptoir ended before it was done. Start it, and try again.")


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name for the socket that fits: a system takes about a hundred characters, and folders may lie deep."""
    if len(os.fsencode(path)) < 100 or not Path("/proc/self/fd").is_dir():
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
