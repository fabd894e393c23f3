"""Where the members of account transactions, journals and journal entries come from."""

from __future__ import annotations

from comptoir.integrations.freeagent.coverage.fields import AT, BOOKED, EXPLANATIONS, flat, none, read, within

__all__ = ["ACCOUNT_TRANSACTIONS", "JOURNALS", "JOURNAL_ENTRIES"]

_LINE, _OPENING = "ledger_transactions", "opening_balances.trial_balance_summary[]"
_NAMED = "The record that its source is served as."

ACCOUNT_TRANSACTIONS = flat(
    read("id", "bank_transactions.url"),
    read("sourceModifiedDate", "bank_transactions.updated_at"),
    read("transactionId", "bank_transactions.transaction_id"),
    read("note", "bank_transactions.description"),
    within("bankAccountRef", read("id", "bank_transactions.bank_account"), read("name", "bank_accounts.name")),
    read("date", "bank_transactions.dated_on"),
    read(
        "status",
        "bank_transactions.unexplained_amount",
        f"{EXPLANATIONS}.marked_for_review",
        how="Reconciled if it is explained whole, and nothing of it is marked for review.",
    ),
    read("currency", "bank_accounts.currency", "company.currency"),
    read("currencyRate", "bank_accounts.currency", *BOOKED, how=AT),
    within(
        "lines[]",
        read("description", f"{EXPLANATIONS}.description"),
        read("recordRef.id", f"{EXPLANATIONS}.url", how="Of a transfer the paying side's."),
        read("recordRef.dataType", f"{EXPLANATIONS}.category", how="What the explanation is served as."),
        read("amount", f"{EXPLANATIONS}.gross_value"),
    ),
    read("totalAmount", "bank_transactions.amount"),
)

JOURNALS = flat(
    read("id", how="Always general-ledger: FreeAgent keeps one book."),
    none("The one book is no record of FreeAgent's.", "sourceModifiedDate", "type", "parentId"),
    read("journalCode", how="Always GL."),
    read("name", how="Always General ledger."),
    read("hasChildren", how="Always false: there is one book."),
    read("createdOn", "company.created_at"),
    read("status", how="Always Active."),
)

JOURNAL_ENTRIES = flat(
    read("id", f"{_LINE}.source_item_url", f"{_LINE}.url", how="Kind and number of what posted it."),
    none("An entry is put together of lines, which have no date of change in common.", "sourceModifiedDate"),
    read("description", "journal_sets.description", f"{_LINE}.description"),
    read("postedOn", f"{_LINE}.dated_on", "company.freeagent_start_date"),
    read("createdOn", f"{_LINE}.created_at", how="The earliest of its lines."),
    read("updatedOn", f"{_LINE}.updated_at", how="The latest of its lines."),
    within("journalRef", read("id", how="Always general-ledger."), read("name", how="Always General ledger.")),
    within(
        "journalLines[]",
        read("description", f"{_LINE}.description", how="Where it differs from the entry's."),
        read("netAmount", f"{_LINE}.debit_value", f"{_OPENING}.total"),
        read("currency", "company.currency"),
        read("transactionAmount", f"{_LINE}.foreign_currency_data"),
        read("transactionCurrency", f"{_LINE}.foreign_currency_data"),
        within(
            "accountRef",
            read(
                "id",
                f"{_LINE}.nominal_code",
                f"{_OPENING}.display_nominal_code",
                how="The nominal code, or the number of a bank account.",
            ),
            read("name", "categories.description", "bank_accounts.name", how="As the chart of accounts has it."),
        ),
        within(
            "contactRef",
            read(
                "id",
                "invoices.contact",
                "credit_notes.contact",
                "bills.contact",
                how="On lines of trade debtors and creditors.",
            ),
            read("dataType", how="By the kind of document."),
        ),
        within(
            "tracking.recordRefs[]",
            read(
                "id",
                "invoices.project",
                "credit_notes.project",
                "bills.project",
                "expenses.project",
                f"{EXPLANATIONS}.project",
                how="Of the entry's source, on lines of income and cost.",
            ),
            read("dataType", how="Always trackingCategories."),
        ),
    ),
    within(
        "recordRef",
        read("id", f"{_LINE}.source_item_url", how=_NAMED),
        read("dataType", f"{_LINE}.source_item_url", how=_NAMED),
    ),
)
