"""Identities that true books satisfy, held against the books as they are stored and the source's own figures.

They report and never hinder. What could not be looked at is said not to be checked, and why.
"""

from __future__ import annotations

from decimal import localcontext

from comptoir.model.identities.aged import check_aged
from comptoir.model.identities.banks import check_banks
from comptoir.model.identities.catalogue import IDENTITIES
from comptoir.model.identities.control import Open, Posting, check_control
from comptoir.model.identities.dates import check_dates
from comptoir.model.identities.documents import check_documents
from comptoir.model.identities.entries import check_entries
from comptoir.model.identities.findings import (
    MOVED,
    BankFigures,
    Fault,
    Figures,
    Findings,
    LedgerFacts,
    Line,
    Movement,
    Pile,
    Redated,
    SourceFacts,
    State,
    Stored,
)
from comptoir.model.identities.ledger import check_trial_balance
from comptoir.model.identities.movements import Walk
from comptoir.model.identities.references import Targets, check_lists, check_outlived, peek
from comptoir.model.identities.statements import check_statements
from comptoir.model.identities.summaries import check_summaries
from comptoir.model.identities.taxes import check_taxes
from comptoir.model.identities.told import Cash, Profit, Reported, Sheet, Standing
from comptoir.model.money import WIDE

__all__ = [
    "IDENTITIES",
    "MOVED",
    "BankFigures",
    "Cash",
    "Fault",
    "Figures",
    "LedgerFacts",
    "Line",
    "Movement",
    "Pile",
    "Profit",
    "Redated",
    "Reported",
    "Sheet",
    "SourceFacts",
    "Standing",
    "State",
    "Stored",
    "check",
]


def check(stored: Stored, facts: SourceFacts) -> tuple[Line, ...]:
    """What came of each identity, in the order of their codes."""
    findings = Findings()
    targets = Targets(stored, facts.lists)
    with localcontext(WIDE):
        postings = stored.pile(Posting) if targets.reaches("journalEntries") else None
        open_ = Open(_base_currency(stored, targets), facts, postings)
        walk = Walk(stored, facts, findings, targets, open_)
        check_documents(stored, facts, findings, targets, walk.settlements, open_)
        check_banks(stored, facts, findings, targets, walk, base=open_.base)
        check_lists(stored, findings, targets)
        check_outlived(stored, findings, targets)
        check_dates(stored, findings, targets)
        check_trial_balance(stored, facts, findings, targets)
        check_statements(stored, facts, findings, targets)
        check_summaries(stored, walk.flows, facts, findings, targets)
        check_aged(stored, open_, facts, findings, targets)
        check_taxes(open_.taxed, facts, findings, targets)
        journals = check_entries(stored, open_, facts, findings, targets)
        check_control(open_, journals, facts, findings, targets)
        targets.follow_all(findings)
    return findings.lines()


def _base_currency(stored: Stored, targets: Targets) -> str | None:
    read = peek(stored, "company") if targets.reaches("company") else ()
    return next((company.base_currency for company in read), None)
