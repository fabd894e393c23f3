"""The page of schedules: for everyone and for one company, saved whole or not at all."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from tests.portal.conftest import Browser, House
from tests.portal.pages import Answer

from comptoir.store import companies, profile
from comptoir.store.profile import SyncSetting

PAGE = "/settings/schedules"


def _fields(answer: Answer) -> dict[str, str]:
    """The form as a browser would send it back untouched."""
    found = {
        name: answer.field(name)["value"]
        for name in re.findall(r'<input[^>]* name="((?:time|order|months)-\w+)"', answer.html)
    }
    found |= dict.fromkeys(re.findall(r'name="(first-\w+)"[^>]* checked', answer.html), "yes")
    for name, options in re.findall(r'<select name="(schedule-\w+)".*?>(.*?)</select>', answer.html, re.DOTALL):
        [found[name]] = re.findall(r'value="(\d+)" selected', options)
    assert found
    return found


def _settings(house: House, company: str = "") -> dict[str, SyncSetting]:
    with house.application.db.read() as tx:
        return {one.data_type: one for one in profile.sync_settings(tx, house.tenant, company)}


def test_what_is_changed_is_saved_and_all_else_stays(house: House, operator: Browser) -> None:
    before = _settings(house)
    sent = _fields(operator.get(PAGE)) | {"schedule-invoices": "24", "time-invoices": "06:30", "order-bills": "7"}
    del sent["first-bills"]

    said = operator.follow(operator.post(PAGE, sent))

    assert "The schedule is saved." in said.words
    assert _fields(said) == sent
    after = _settings(house)
    assert {name for name in after if after[name] != before[name]} == {"invoices", "bills"}
    assert (after["invoices"].sync_schedule, after["invoices"].time_of_day) == (24, "06:30")
    assert (after["bills"].sync_order, after["bills"].fetch_on_first_link) == (7, False)


def test_nothing_is_stored_when_nothing_was_changed(house: House, operator: Browser) -> None:
    operator.follow(operator.post(PAGE, _fields(operator.get(PAGE))))

    with house.application.db.read() as tx:
        assert not profile.overridden(tx, house.tenant)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"time-invoices": "06:30"}, "A time of day needs a daily, weekly or monthly schedule."),
        ({"schedule-invoices": "24", "time-invoices": "half past"}, "Write the time as hours and minutes"),
        ({"schedule-invoices": "24", "time-invoices": "24:00"}, "Write the time as hours and minutes"),
        ({"order-invoices": "-1"}, "Write a whole number from 0 to 999."),
        ({"order-invoices": "²"}, "Write a whole number from 0 to 999."),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field_and_kept(
    house: House, operator: Browser, changes: dict[str, str], said: str
) -> None:
    before = _settings(house)

    answer = operator.post(PAGE, _fields(operator.get(PAGE)) | {"schedule-bills": "168"} | changes)

    assert answer.status == 422
    assert said in answer.words
    assert _fields(answer).items() >= ({"schedule-bills": "168"} | changes).items()
    assert _settings(house) == before


def test_a_company_has_its_own_until_it_follows_the_organisation_again(house: House, operator: Browser) -> None:
    with house.application.db.write() as tx:
        now = datetime.now(UTC)
        company = companies.add(tx, house.tenant, name="Kestrel", created_by=None, now=now).id
    page = f"/companies/{company}/schedules"
    assert "follows the schedule of your organisation" in operator.get(page).words

    own = operator.follow(operator.post(page, _fields(operator.get(page)) | {"schedule-items": "0"}))

    assert "has a schedule of its own" in own.words
    assert _settings(house, company)["items"].sync_schedule == 0
    assert _settings(house)["items"].sync_schedule == 1

    back = operator.follow(operator.post(page, {"defaults": "yes"}))

    assert "follows the schedule of your organisation" in back.words
    assert _settings(house, company)["items"].sync_schedule == 1


def test_another_tenants_company_is_not_there(house: House, operator: Browser) -> None:
    other = House(house.application, house.client)
    with house.application.db.write() as tx:
        company = companies.add(tx, other.tenant, name="Kestrel", created_by=None, now=datetime.now(UTC)).id

    assert operator.get(f"/companies/{company}/schedules").status == 404
    assert operator.post(f"/companies/{company}/schedules", {"schedule-items": "0"}).status == 404
    assert _settings(other, company)["items"].sync_schedule == 1
