"""Log lines: one form for all, on standard error, without secrets.

Tracebacks are plain: values of local variables, which hold keys and tokens, are never written.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog

__all__ = ["configure", "strike_out"]

_OUT = "[struck out]"
_SECRET_NAMES = re.compile(r"secret|token|password|authorization|cookie|api_?key|csrf", re.IGNORECASE)
_SECRETS = (
    # What was bound to a statement may be anything, sealed or not.
    (re.compile(r"\[parameters: .*?\](?=\n|$)", re.DOTALL), f"[parameters: {_OUT}]"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=:-]{6,}", re.IGNORECASE), rf"\1 {_OUT}"),
    (
        re.compile(
            r"\b((?:access|refresh)_token|client_secret|password|code|state)(\W{1,4})[\w.~+/%-]{6,}", re.IGNORECASE
        ),
        rf"\1\2{_OUT}",
    ),
)


class _ToStandardError(logging.Handler):
    """Looks for standard error at each line: it may have been replaced since."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")


def configure(log_format: str) -> None:
    """Write the lines of all our loggers as `console` or `json`, from INFO on. May be called again."""
    before: list[Any] = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
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
    ours = logging.getLogger("comptoir")
    ours.handlers[:] = [handler]
    ours.setLevel(logging.INFO)


def _without_secrets(_: Any, __: str, line: Any) -> Any:
    return {
        name: _OUT if _SECRET_NAMES.search(name) else strike_out(value) if isinstance(value, str) else value
        for name, value in line.items()
    }


def strike_out(text: str) -> str:
    """The text without what looks like a token, a key or a value bound to a statement."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text
