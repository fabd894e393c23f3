"""What the stand-in served, counted, so that a test can compare it with what a client says it read."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

__all__ = ["Counters"]


class _Peaks:
    """The most calls of anyone in one clock-aligned window."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._open: dict[str, tuple[int, int]] = {}
        self.most: Counter[str] = Counter()

    def add(self, who: str, now: float) -> None:
        window = int(now // self._seconds)
        opened, count = self._open.get(who, (window, 0))
        count = count + 1 if opened == window else 1
        self._open[who] = (window, count)
        if count > self.most[who]:
            self.most[who] = count


class Counters:
    """Counts since the last reset."""

    def __init__(self) -> None:
        self.reset("")

    def reset(self, since: str) -> None:
        """Count from nothing again, as of this instant."""
        self.since = since
        self.requests = 0
        self.records = 0
        self.statuses: Counter[int] = Counter()
        self._requests_by: Counter[str] = Counter()
        self._records_by: Counter[str] = Counter()
        self._statuses_by: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._requests_by_company: Counter[int] = Counter()
        self.exchanges = 0
        self.refreshes = 0
        self.token_statuses: Counter[int] = Counter()
        self.faults = 0
        self.drifts = 0
        self.broken = 0
        self._minute = _Peaks(60)
        self._hour = _Peaks(3600)
        self._address_minute = _Peaks(60)
        self._refresh_minute = _Peaks(60)
        self.in_flight_peak = 0

    def call(self, resource: str, status: int, records: int, company_id: int | None) -> None:
        """One call below /v2 that was answered; status 0 is no answer at all."""
        self.requests += 1
        self.records += records
        self.statuses[status] += 1
        self._requests_by[resource] += 1
        self._records_by[resource] += records
        self._statuses_by[resource][status] += 1
        if company_id is not None:
            self._requests_by_company[company_id] += 1

    def in_windows(self, who: str, address: str, now: float) -> None:
        """One call in its windows, let through or not."""
        self._minute.add(who, now)
        self._hour.add(who, now)
        self._address_minute.add(address, now)

    def refresh_in_window(self, who: str, now: float) -> None:
        self._refresh_minute.add(who, now)

    def told(self) -> dict[str, Any]:
        """Everything, as the control address answers it."""
        return {
            "since": self.since,
            "requests": self.requests,
            "records": self.records,
            "byStatus": {str(status): count for status, count in sorted(self.statuses.items())},
            "byResource": {
                resource: {
                    "requests": count,
                    "records": self._records_by[resource],
                    "byStatus": {str(status): n for status, n in sorted(self._statuses_by[resource].items())},
                }
                for resource, count in sorted(self._requests_by.items())
            },
            "byCompany": {str(company): count for company, count in sorted(self._requests_by_company.items())},
            "tooManyRequests": self.statuses[429] + self.token_statuses[429],
            "tokens": {
                "exchanges": self.exchanges,
                "refreshes": self.refreshes,
                "byStatus": {str(status): count for status, count in sorted(self.token_statuses.items())},
            },
            "faultsFired": self.faults,
            "connectionsBroken": self.broken,
            "pageDrifts": self.drifts,
            "peaks": {
                "callsPerMinute": dict(self._minute.most),
                "callsPerHour": dict(self._hour.most),
                "callsPerMinuteByAddress": dict(self._address_minute.most),
                "refreshesPerMinute": dict(self._refresh_minute.most),
                "inFlight": self.in_flight_peak,
            },
        }
