"""Identity A10: dates of records never go back, so that whoever asks for what changed since a moment misses nothing."""

from __future__ import annotations

from datetime import timedelta

from comptoir.model.identities.findings import Fault, Findings, Stored
from comptoir.model.identities.references import Targets

__all__ = ["check_dates"]

_MOMENT = "%Y-%m-%d %H:%M:%S"
_CLOCKS_APART = timedelta(minutes=10)  # of several machines of ours


def check_dates(stored: Stored, findings: Findings, targets: Targets) -> None:
    """For records whose source was changed since the reading began, and for those dated later than now."""
    begun, now = stored.begun_at(), stored.now()
    dated_back = 0
    for data_type in sorted(targets.read):
        for id_, modified in stored.modified_after(data_type, now + _CLOCKS_APART):
            detail = f"{data_type} {id_} is said to have changed at {modified:{_MOMENT}}, which is still to come"
            findings.breach("A10", Fault(data_type, id_, detail))
        for one in stored.redated(data_type):
            before, says, served = one.before, one.says, one.source_modified
            if before is None or says is None:
                continue
            # What is served has no fractions of a second.
            if served is not None and served < before.replace(microsecond=0):
                if says < before:
                    dated_back += 1
                else:
                    detail = (
                        f"{data_type} {one.id} changed at the source at {served:{_MOMENT}}, before {before:{_MOMENT}}, "
                        "as it said until now"
                    )
                    findings.breach("A10", Fault(data_type, one.id, detail))
            if begun is not None and served is not None and says != before and one.modified < begun - _CLOCKS_APART:
                detail = (
                    f"{data_type} {one.id} changed at the source, and is said to be as it was since "
                    f"{one.modified:{_MOMENT}}"
                )
                findings.breach("A10", Fault(data_type, one.id, detail))
    if dated_back:
        findings.noted("A10", f"The source itself dated {dated_back} records back.")
