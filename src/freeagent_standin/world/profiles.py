"""Who a company is: its people, its bank accounts and the books it began with.

The named sizes are a VAT-registered UK limited company unless a kind is asked for. A numbered size below a thousand
takes a kind by seed, so that many small worlds differ: limited or one of the other types, registered for VAT or not, on
the cash basis, either side of the Construction Industry Scheme, with or without foreign currency.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from freeagent_standin.world import names
from freeagent_standin.world.amounts import times
from freeagent_standin.world.books import World
from freeagent_standin.world.chart import SUSPENSE
from freeagent_standin.world.entities import BankAccount, Company, JournalLine, JournalSet, User
from freeagent_standin.world.kinds import LIMITED, LLP, PARTNERSHIP, UNIVERSAL, Kind
from freeagent_standin.world.rates import day_start, exchange_rate


def accounting_year(company: Company, day: date) -> tuple[date, date]:
    """First and last day of the accounting year that holds a day."""
    end = company.first_year_end
    start = company.started_on
    while end < day and end.year < date.max.year:
        start, end = end + timedelta(days=1), _same_day(end, end.year + 1)
    return start, end


def accounting_periods(company: Company, today: date) -> list[tuple[date, date]]:
    """The accounting years from the one FreeAgent was begun in to that of today."""
    periods = [accounting_year(company, company.freeagent_start)]
    last = accounting_year(company, max(today, company.freeagent_start))
    while periods[-1] != last:
        periods.append(accounting_year(company, periods[-1][1] + timedelta(days=1)))
    return periods


def found(*, number: int, seed: int, kind: Kind, months: int, today: date, rng: Random) -> World:
    """A world with its company, people and bank accounts, and nothing bought or sold yet."""
    opening_day = _months_before(today, months)
    first_year_end = _month_end(opening_day.year + (opening_day.month > 3), 3)
    started = date(first_year_end.year - 1, 4, 1)
    pool = names.COMPANIES if kind.type in (LIMITED, UNIVERSAL) else names.SOLE_TRADERS
    name = pool[(number - 1 + seed) % len(pool)] + ("" if number <= len(pool) else f" {number}")
    street, (town, postcode) = rng.choice(names.STREETS), rng.choice(names.TOWNS)
    created = day_start(opening_day) + 36_000
    company = Company(
        id=33_870 + number,
        name=name,
        subdomain="".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum()),
        type=kind.type,
        started_on=started,
        freeagent_start=opening_day,
        first_year_end=first_year_end,
        created_at=created,
        updated_at=created + 49,
        vat_registered=kind.vat,
        vat_number=f"GB{900_000_000 + number * 1_111}" if kind.vat else "",
        cis_subcontractor=kind.cis_subcontractor,
        cis_contractor=kind.cis_contractor,
        cash_basis=kind.cash,
        registration_number=f"{13_200_000 + number:08d}" if kind.type in (LIMITED, LLP) else "",
        address=(f"{rng.randint(1, 90)} {street}", "Unit C", "", town, "", postcode, "United Kingdom"),
        phone="01453 555010",
        email="office@example.com",
        website="www.example.com",
        business_category="IT Contractor / Consulting",
    )
    world = World(company=company, number=number, seed=seed, today=today)
    _people(world, rng, created)
    _accounts(world, kind, rng, created)
    _opening(world, created)
    return world


def _opening(world: World, created: int) -> None:
    """The opening balances: what the accounts held, against shares, VAT and earlier profit of a limited company."""
    rows = [(SUSPENSE, 0)]  # balanced by the application whatever is entered, so the entry is always there
    if world.company.is_limited:
        banked = sum(account.opening_native for account in world.bank_accounts)
        shares, vat = 10_000, 84_250 if world.company.vat_registered else 0
        rows = [(SUSPENSE, banked), ("910-1", -shares), ("817", -vat), ("968", -(banked - shares - vat))]
    lines = [JournalLine(id=world.new_journal_line_id(), code=code, amount=amount) for code, amount in rows]
    world.add(
        JournalSet(
            id=world.journal_sets.next_id,
            created_at=created,
            updated_at=created + 600,
            description="Opening Balances Journal Set",
            entries=tuple(lines),
        )
    )


def _people(world: World, rng: Random, created: int) -> None:
    is_limited = world.company.is_limited
    head = "Partner" if world.company.type in (PARTNERSHIP, LLP) else "Owner"
    first, last = rng.sample(names.FIRST_NAMES, 3), rng.sample(names.LAST_NAMES, 3)
    rows = [(first[0], last[0], "owner", 8, "Director" if is_limited else head, False)]
    if is_limited:
        rows += [
            (first[1], last[1], "staff", 2, "Employee", False),
            (first[2], last[2], "former", 0, "Employee", True),
        ]
    rows.append(("Zoë", "O'Hara-Ledger", "accountant", 7, "Accountant", False))
    for number, (given, family, mailbox, level, role, hidden) in enumerate(rows, start=1):
        at = created + number * 60
        world.add(
            User(
                id=world.people.next_id,
                created_at=at,
                updated_at=at,
                first_name=given,
                last_name=family,
                email=f"{mailbox}@{world.subdomain}.example",
                permission_level=level,
                role=role,
                hidden=hidden,
                number=number,
            )
        )


def _accounts(world: World, kind: Kind, rng: Random, created: int) -> None:
    opening = world.company.freeagent_start
    rows = [
        ("Main", "StandardBankAccount", "GBP", rng.randint(200_000, 2_500_000), "Example Bank", "20-00-01"),
        ("Savings", "StandardBankAccount", "GBP", rng.randint(0, 500_000), "Example Bank", "20-00-01"),
        ("Company card", "CreditCardAccount", "GBP", -rng.randint(0, 90_000), "Example Cards", ""),
    ]
    if kind.foreign:
        rows.append(("Euro account", "StandardBankAccount", "EUR", rng.randint(0, 300_000), "Banque Exemple", ""))
    for number, (name, type_, currency, balance, bank, sort_code) in enumerate(rows, start=1):
        at = created + 600 + number
        is_foreign = currency != "GBP"
        world.add(
            BankAccount(
                id=world.bank_accounts.next_id,
                created_at=at,
                updated_at=at,
                name=name,
                number=number,
                type=type_,
                currency=currency,
                opening_balance=balance,
                opening_native=times(balance, exchange_rate(currency, opening)),
                bank_name=bank,
                account_number="4417" if type_ == "CreditCardAccount" else f"{rng.randint(0, 99_999_999):08d}",
                sort_code=sort_code,
                iban="FR1420041010050500013M02606" if is_foreign else "",
                bic="EXEMFRPP" if is_foreign else "",
                is_primary=number == 1,
            )
        )


def _months_before(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _same_day(day: date, year: int) -> date:
    return _month_end(year, day.month)
