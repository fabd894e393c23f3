"""Commands reach the server of their data folder over a socket that only its user may open."""

from __future__ import annotations

import socket
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from comptoir.errors import Conflict, TryLater
from comptoir.runtime.local_socket import Answer, Desk, Work, ask

Tell = Callable[[Any], None]
ShouldStop = Callable[[], bool]


class Opened:
    def __init__(self, path: Path, work: Work) -> None:
        self.path, self.desk = path, Desk(path, {"count": work})
        self.desk.start()
        self.close = self.desk.stop

    def ask(self, **arguments: Any) -> Iterator[Answer]:
        answers = ask(self.path, "count", arguments)
        assert answers is not None
        return answers


def _count(arguments: Mapping[str, Any], tell: Tell, should_stop: ShouldStop) -> Any:
    for number in range(arguments["to"]):
        tell(number)
    return {"counted": arguments["to"]}


def test_it_tells_how_far_it_is_and_then_the_result(tmp_path: Path) -> None:
    with closing(Opened(tmp_path / "it.sock", _count)) as opened:
        assert [(one.told, one.done) for one in opened.ask(to=2)] == [(0, None), (1, None), (None, {"counted": 2})]
        assert stat.S_IMODE(opened.path.stat().st_mode) == 0o600


def test_without_a_server_nobody_answers(tmp_path: Path) -> None:
    path = tmp_path / "it.sock"
    assert ask(path, "count", {}) is None
    Opened(path, _count).close()
    assert ask(path, "count", {}) is None


def test_a_socket_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "it.sock"
    with closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(str(path))
    assert ask(path, "count", {}) is None
    with closing(Opened(path, _count)) as opened:
        assert list(opened.ask(to=0))[-1].done == {"counted": 0}


def test_a_folder_that_lies_deep_is_reached(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    with closing(Opened(deep / "it.sock", _count)) as opened:
        assert list(opened.ask(to=0))[-1].done == {"counted": 0}


def test_an_error_comes_with_its_sentence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def work(arguments: Mapping[str, Any], tell: Tell, should_stop: ShouldStop) -> Any:
        raise {"mine": Conflict("Not now.")}.get(arguments["error"], ZeroDivisionError("planted"))

    with closing(Opened(tmp_path / "it.sock", work)) as opened:
        with pytest.raises(TryLater, match=r"^Not now\.$"):
            list(opened.ask(error="mine"))
        with pytest.raises(TryLater, match="went wrong"):
            list(opened.ask(error="ours"))
        answers = ask(opened.path, "dance", {})
        assert answers is not None
        with pytest.raises(TryLater, match="does not know 'dance'"):
            list(answers)
    assert "planted" in caplog.text


def test_a_question_without_end_is_not_read_to_it(tmp_path: Path) -> None:
    with closing(Opened(tmp_path / "it.sock", _count)) as opened, pytest.raises(TryLater, match="not understood"):
        list(opened.ask(to=0, said="x" * 70_000))


def test_whoever_hangs_up_no_longer_wants_it(tmp_path: Path) -> None:
    ended = threading.Event()

    def work(arguments: Mapping[str, Any], tell: Tell, should_stop: ShouldStop) -> Any:
        while not should_stop():
            tell("still at it")
        ended.set()

    with closing(Opened(tmp_path / "it.sock", work)) as opened:
        answers = opened.ask()
        next(answers)
        answers.close()  # type: ignore[attr-defined]  # a generator
        assert ended.wait(30)


def test_a_server_that_stops_ends_what_is_under_way(tmp_path: Path) -> None:
    begun = threading.Event()

    def work(arguments: Mapping[str, Any], tell: Tell, should_stop: ShouldStop) -> Any:
        tell("begun")
        begun.set()
        while not should_stop():
            begun.wait(0.01)
        raise TryLater("Stopped.")

    opened = Opened(tmp_path / "it.sock", work)
    answers = opened.ask()
    next(answers)
    opened.close()
    with pytest.raises(TryLater, match="Stopped"):
        list(answers)
