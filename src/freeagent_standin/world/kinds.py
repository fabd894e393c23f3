"""Which kinds of company there are to make books for, and how one is named or drawn.

The types are FreeAgent's (https://dev.freeagent.com/docs/company). The basis of accounting shows nowhere in the API: on
the cash basis documents are posted when they are paid.
"""

from __future__ import annotations

from random import Random

import msgspec

LIMITED = "UkLimitedCompany"
SOLE_TRADER = "UkSoleTrader"
LANDLORD = "UkUnincorporatedLandlord"
PARTNERSHIP = "UkPartnership"
LLP = "UkLimitedLiabilityPartnership"
UNIVERSAL = "UniversalCompany"

_TYPES = {
    "limited": LIMITED,
    "sole-trader": SOLE_TRADER,
    "landlord": LANDLORD,
    "partnership": PARTNERSHIP,
    "llp": LLP,
    "universal": UNIVERSAL,
}
_MAY_BE_ON_CASH = (SOLE_TRADER, LANDLORD, PARTNERSHIP)
_TRAITS = ("cash", "no-vat", "cis-subcontractor", "cis-contractor", "no-foreign")


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What sets one company's books apart from another's."""

    type: str = LIMITED
    vat: bool = True
    cis_subcontractor: bool = False
    cis_contractor: bool = False
    foreign: bool = True
    cash: bool = False
    """Whether documents are posted when they are paid."""


def kind_by_seed(rng: Random, more: Random) -> Kind:
    """A kind for a small world; each combination turns up within a few dozen seeds.

    The second dice are thrown for companies that are not limited alone.
    """
    is_limited = rng.random() < 0.7
    kind = Kind(
        vat=rng.random() < 0.7,
        cis_subcontractor=rng.random() < 0.25,
        cis_contractor=rng.random() < 0.25,
        foreign=rng.random() < 0.6,
    )
    if is_limited:
        return kind
    others = (SOLE_TRADER, LANDLORD, PARTNERSHIP, LLP, UNIVERSAL)
    type_ = more.choices(others, weights=(8, 5, 3, 2, 2))[0]
    is_on_cash = type_ in _MAY_BE_ON_CASH and more.random() < 0.5
    return _sensible(msgspec.structs.replace(kind, type=type_, cash=is_on_cash))


def kind_named(text: str) -> Kind:
    """The kind that words tell, such as `sole-trader,cash,no-vat`. Raises ValueError with a sentence."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    types = [_TYPES[word] for word in words if word in _TYPES]
    unknown = [word for word in words if word not in _TYPES and word not in _TRAITS]
    if unknown or len(types) > 1:
        raise ValueError(
            f"A kind is one of {', '.join(_TYPES)}, and any of {', '.join(_TRAITS)}, with commas between; not {text!r}."
        )
    kind = Kind(
        type=types[0] if types else LIMITED,
        vat="no-vat" not in words,
        cis_subcontractor="cis-subcontractor" in words,
        cis_contractor="cis-contractor" in words,
        foreign="no-foreign" not in words,
        cash="cash" in words,
    )
    if kind.cash and kind.type not in _MAY_BE_ON_CASH:
        raise ValueError("The cash basis is for sole traders, landlords and partnerships.")
    return _sensible(kind)


def _sensible(kind: Kind) -> Kind:
    """VAT and the Construction Industry Scheme are of the United Kingdom alone."""
    if kind.type != UNIVERSAL:
        return kind
    return msgspec.structs.replace(kind, vat=False, cis_subcontractor=False, cis_contractor=False)
