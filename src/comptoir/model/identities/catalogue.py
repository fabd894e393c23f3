"""Every identity that is held against books, in words: its code names it in reports and tests, and stays."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["IDENTITIES"]

IDENTITIES: Mapping[str, str] = MappingProxyType(
    {
        "A1": "Every id can stand in a path and is there once in its data type.",
        "A2": "A record read back and written again gives the same bytes.",
        "A3": "Every reference names a record that is there.",
        "A4": "Every bank account is among the accounts under the same id, and no other account is one.",
        "A5": "Every bank movement's explanation is in exactly one data type.",
        "A6": "Every bill and every invoice is a document or a credit, and not both.",
        "A7": "Every record has the shape of its data type.",
        "A8": "Amounts are exact: what the source wrote is what is stored, digit by digit.",
        "A9": "What was deleted at the source is not served as if it were there.",
        "B1": "A line's total is its net and its tax.",
        "B2": "Lines add up to their document: net, tax and total.",
        "B3": "A document's total is its net and its tax.",
        "B4": "A line's net is its price times its quantity, less its discount.",
        "B5": "A document's totals are those the source gives.",
        "B6": "A line's tax is its net times its rate.",
        "B7": "A document's discount is the sum of its lines', from 0 to 100 percent.",
        "B8": "Documents are not negative.",
        "B9": "Spending and income without a document have one line and one payment of the same amount.",
        "C1": "What is due on an invoice or bill is its total less what was withheld and what was settled.",
        "C2": "What remains of a credit is its total less what was withheld and what was used.",
        "C3": "What is due lies between nothing and the total.",
        "C4": "A document's status agrees with what is due on it.",
        "C5": "A payment's lines add up to it, and its links to its lines.",
        "C6": "An allocation without money moves nothing in sum.",
        "C7": "What a document says was settled is what payments say they settled.",
        "C8": "Payments are in the currency of their bank account.",
        "C9": "What is due is what the source says is due.",
        "C10": "Withheld construction tax is its rate on the lines it applies to.",
        "D1": "A bank line's parts and what is not explained of it are its amount.",
        "D2": "A bank line's parts are what the records they name moved.",
        "D3": "A bank account's balance is its opening balance and all its lines.",
        "D4": "A bank account's balance is that of its account in the ledger.",
        "D5": "A statement line is reconciled when it is explained in full and nothing is left to review.",
        "D6": "A transfer moves one amount between two accounts.",
        "D7": "Spending is positive when money went out, income when money came in.",
        "D8": "A bank account's balance is what the source says; of a credit account, what is owed.",
        "E1": "The lines of a journal entry add up to nothing.",
        "E2": "The trial balance adds up to nothing.",
        "E3": "What entries posted on an account is what the trial balance says of it.",
        "E4": "The entries of any month add up to nothing.",
        "E5": "A document posts its total on the control account, and its net as income or costs.",
        "E6": "An account's balance is the one in the trial balance, and both sides of the accounts agree.",
        "E7": "The opening balances are those of the source.",
        "F1": "Trade debtors are what is due on invoices, less what remains of credit notes.",
        "F2": "Trade creditors are what is due on bills, less what remains of suppliers' credits.",
        "F4": "A person's expense account is what that person paid out of pocket and was not paid back.",
        "F5": "What a contact owes, or is owed, is what is open on its documents.",
        "G1": "A month's profit is its income less its costs.",
        "G2": "A group of a statement is the sum of its lines.",
        "G3": "Assets less liabilities are equity.",
        "G4": "What is retained grows by the profit of the month, less what was paid out.",
        "G5": "The months of the year add up to the trial balance.",
        "G7": "Every account of a statement is there, and in its section.",
    }
)
