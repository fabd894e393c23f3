"""Where a customer goes after linking: to an address of the tenant's own, with values encoded, or nowhere."""

from __future__ import annotations

import pytest

from comptoir.portal.return_address import return_address
from comptoir.store.profile import Profile

OUTCOME = {"companyId": "c-1", "errorMessage": "no & never"}
SHOP = "https://{shop}.lender.example/done"


@pytest.mark.parametrize(
    ("template", "parameters", "listed", "leads_to"),
    [
        ("", {}, (), None),
        ("https://lender.example/done", {}, (), "https://lender.example/done"),
        (
            "https://lender.example/{companyId}?x={x}&e={errorMessage}#{none}",
            {"x": "a&b=c#/é", "companyId": "another"},
            (),
            "https://lender.example/c-1?x=a%26b%3Dc%23%2F%C3%A9&e=no%20%26%20never#",
        ),
        ("javascript://lender.example/%0Aalert(1)", {}, (), None),
        ("ftp://lender.example/", {}, (), None),
        ("https://lender.example@elsewhere.example/", {}, (), None),
        ("https://lender.example\\@elsewhere.example/", {}, (), None),
        ("https://lender.example\\.elsewhere.example/", {}, (), None),
        ("https://lender.example/a b", {}, (), None),
        ("https://lender.example/\u202e", {}, (), None),
        (SHOP, {"shop": "one"}, (), None),
        (SHOP, {"shop": "one"}, ("https://two.lender.example",), None),
        (SHOP, {"shop": "one"}, ("https://one.lender.example",), "https://one.lender.example/done"),
        (SHOP, {"shop": "one"}, ("https://one.lender.example/done",), "https://one.lender.example/done"),
        (SHOP, {"shop": "one"}, ("https://one.lender.example/other",), None),
        (SHOP, {"shop": "one"}, ("http://one.lender.example",), None),
        (SHOP, {"shop": "elsewhere.example/"}, ("https://elsewhere.example",), None),
        (SHOP, {"shop": "elsewhere.example#"}, ("https://elsewhere.example/#.lender.example/done",), None),
        (SHOP, {}, ("https://.lender.example",), None),
        ("https://{companyId}.lender.example/", {"companyId": "one"}, ("https://c-1.lender.example",), None),
    ],
)
def test_it_leads_to_the_tenants_own_address_or_nowhere(
    template: str, parameters: dict[str, str], listed: tuple[str, ...], leads_to: str | None
) -> None:
    profile = Profile(name="Lender", redirect_url=template, white_list_urls=listed)

    assert return_address(profile, OUTCOME, parameters) == leads_to
