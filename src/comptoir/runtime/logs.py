"""Log lines: one form for all, on standard error, without secrets.

Tracebacks are plain: values of local variables, which hold keys and tokens, are never written.
"""

from __future__ import annotations

import logging
import re
import sys
from contextlib import suppress
from typing import Any

import structlog

from comptoir.runtime import correlation

__all__ = ["configure", "strike_out"]

_OUT = "[struck out]"
_SECRET_NAMES = re.compile(r"secret|token|password|authorization|cookie|(api|master)_?key|csrf", re.IGNORECASE)
_SECRETS = (
    # What was bound to a statement may be anything, sealed or not.
    (re.compile(r"\[parameters: .*?\](?=\n|$)", re.DOTALL), f"[parameters: {_OUT}]"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=:-]{6,}", re.IGNORECASE), rf"\1 {_OUT}"),
    (re.compile(r"(\w://[^\s:/@]*:)[^\s@]+@"), rf"\1{_OUT}@"),  # the password in an address of a database
    (
        re.compile(
            r"\b((?:access_|refresh_)?token|(?:client_)?secret|password|(?:api|master)_?key|cookie|code|state)"
            r"(\W{1,4})[\w.~+/=%-]{6,}",
            re.IGNORECASE,
        ),
        rf"\1\2{_OUT}",
    ),
)


class _ToStandardError(logging.Handler):
    """Looks for standard error at each line: it may have been replaced since.

    A line that finds no room there, or nobody who reads it, is lost: no work may end because it could not be told of.
    """

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        with suppress(OSError, ValueError):
            sys.stderr.write(line + "\n")


def configure(log_format: str, log_level: str = "info") -> None:
    """Write the lines of all loggers as `console` or `json`: ours from a level on, those of libraries only what is
    wrong, because more of theirs could hold what must not be told. May be called again."""
    before: list[Any] = [
        _correlated,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = structlog.processors.JSONRenderer()
    if log_format == "console":
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = _ToStandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _without_secrets,
                renderer,
            ],
        )
    )
    everybody = logging.getLogger()
    others = [one for one in everybody.handlers if not isinstance(one, _ToStandardError)]
    everybody.handlers[:] = [*others, handler]
    logging.getLogger("comptoir").setLevel(log_level.upper())


def _correlated(_: Any, __: str, line: Any) -> Any:
    for name, id_ in correlation.ids().items():
        line.setdefault(name, id_)
    return line


def _without_secrets(_: Any, __: str, line: Any) -> Any:
    return _struck(line)


def _struck(value: Any) -> Any:
    if isinstance(value, str):
        return strike_out(value)
    if isinstance(value, dict):
        return {name: _OUT if _SECRET_NAMES.search(str(name)) else _struck(held) for name, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [_struck(held) for held in value]
    return value if isinstance(value, (int, float, type(None))) else strike_out(str(value))


def strike_out(text: str) -> str:
    """The text without what looks like a token, a key or a value bound to a statement."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text
