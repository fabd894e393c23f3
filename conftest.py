"""What was skipped is said in the last lines, and in CI a skip is a failure.

The one exception: tests that read the shared specification beside the checkout, where that folder is absent.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import ClassVar

import pytest

SHARED_IS_ABSENT = "the shared specification is not beside this checkout"


def _reasons(reporter: pytest.TerminalReporter) -> Counter[str]:
    reasons: Counter[str] = Counter()
    for report in reporter.stats.get("skipped", []):
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[text.removeprefix("Skipped: ")] += 1
    return reasons


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test that runs once on each kind of database bears the mark of the slower kind."""
    for item in items:
        if "postgresql" in getattr(item, "callspec", _NO_PARAMETERS).params.values():
            item.add_marker("postgres")


class _NoParameters:
    params: ClassVar[dict[str, object]] = {}


_NO_PARAMETERS = _NoParameters()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") != "true" or not isinstance(reporter, pytest.TerminalReporter):
        return
    if any(SHARED_IS_ABSENT not in reason for reason in _reasons(reporter)) and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = _reasons(terminalreporter)
    if not reasons:
        return
    terminalreporter.section("skipped")
    for reason, count in sorted(reasons.items()):
        excused = SHARED_IS_ABSENT in reason or os.environ.get("CI") != "true"
        terminalreporter.line(f"{count} x {reason}" + ("" if excused else "  <- a failure in CI"))
