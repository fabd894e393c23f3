"""Tasks, time, notes and estimates as callers write them, and the rules that belong to each alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.freeagent_standin.api.writer import bodies, made, send, told
from tests.freeagent_standin.reader import NOON, Reader, Row, fresh, number


@pytest.fixture
def reader() -> Reader:
    return Reader(fresh())


def written(reader: Reader, method: str, path: str, body: object = None, *, status: int = 200, **query: object) -> Any:
    given = reader.send(method, path, b"" if body is None else msgspec.json.encode(body), **query)
    assert given.status == status, given
    return msgspec.json.decode(given.body) if given.body else None


def an_estimate(reader: Reader, **more: object) -> Row:
    return made(reader, "estimates", {"estimate": bodies(reader)["estimates"]["estimate"] | more})


def test_a_task_is_made_for_the_project_in_the_query(reader: Reader) -> None:
    project = reader.all("projects")[0]["url"]

    task = written(reader, "POST", "tasks", {"task": {"name": "Glazing"}}, status=201, project=project)["task"]

    assert (task["project"], task["name"], task["status"], task["is_deletable"]) == (project, "Glazing", "Active", True)
    assert reader.all("tasks", project=project).count(task) == 1
    written(reader, "DELETE", f"tasks/{number(task['url'])}")
    assert reader.call(f"tasks/{number(task['url'])}").status == 404


def test_a_task_with_hours_stays(reader: Reader) -> None:
    task = number(reader.all("timeslips")[0]["task"])

    assert reader.get(f"tasks/{task}")["task"]["is_deletable"] is False
    assert send(reader, "DELETE", f"tasks/{task}").status == 409


def test_several_timeslips_are_made_at_once_or_none(reader: Reader) -> None:
    before = len(reader.all("timeslips"))
    slip = bodies(reader)["timeslips"]["timeslip"]

    made_ones = written(reader, "POST", "timeslips", {"timeslips": [slip, slip | {"hours": 2}]}, status=201)
    refused = send(reader, "POST", "timeslips", {"timeslips": [slip, slip | {"hours": 25}]})

    assert [row["hours"] for row in made_ones["timeslips"]] == ["1.5", "2.0"]
    assert refused.status == 422
    assert len(reader.all("timeslips")) == before + 2


def test_a_timer_runs_and_adds_its_hours(reader: Reader) -> None:
    slip = made(reader, "timeslips", bodies(reader)["timeslips"])
    path = f"timeslips/{number(slip['url'])}/timer"

    running = written(reader, "POST", path)["timeslip"]
    listed = [row["url"] for row in reader.all("timeslips", view="running")]
    again = send(reader, "POST", path)
    later = Reader(reader.world, now=NOON + timedelta(minutes=45))
    stopped = written(later, "DELETE", path)["timeslip"]

    assert running["timer"] == {"running": True, "start_from": "2026-03-31T10:30:00.000Z"}
    assert again.status == 422
    assert listed == [slip["url"]]
    assert (stopped["hours"], "timer" in stopped) == ("2.25", False)
    assert send(later, "DELETE", path).status == 422


def test_a_nested_timeslip_holds_what_it_names(reader: Reader) -> None:
    plain = reader.all("timeslips")[0]

    nested = reader.get(f"timeslips/{number(plain['url'])}", nested="true")["timeslip"]

    for name in ("task", "user", "project"):
        assert nested[name]["url"] == plain[name]
        assert nested[name].items() <= reader.get(plain[name].split("/v2/")[1])[name].items()
    assert reader.all("timeslips", nested="true")[0] == nested


def test_a_deleted_timeslip_answers_an_empty_object(reader: Reader) -> None:
    slip = made(reader, "timeslips", bodies(reader)["timeslips"])

    assert written(reader, "DELETE", f"timeslips/{number(slip['url'])}") == {}


@pytest.mark.parametrize("parent", ["contact", "project"])
def test_a_note_is_made_on_what_the_query_names(reader: Reader, parent: str) -> None:
    owner = reader.all(f"{parent}s")[0]["url"]

    note = written(reader, "POST", "notes", {"note": {"note": "Ring twice."}}, **{parent: owner})["note"]

    assert (note["note"], note["parent_url"]) == ("Ring twice.", owner)
    assert note["author"] == reader.world.users[0].name
    assert note in reader.all("notes", **{parent: owner})
    changed = written(reader, "PUT", f"notes/{number(note['url'])}", {"note": {"note": "Ring once."}})["note"]
    assert changed["note"] == "Ring once."
    written(reader, "DELETE", f"notes/{number(note['url'])}")
    assert note not in reader.all("notes", **{parent: owner})


def test_notes_are_listed_by_contact_or_project_only(reader: Reader) -> None:
    refused = reader.call("notes")

    assert (refused.status, told(refused)) == (400, ["contact or project parameter is required"])


def test_an_estimate_moves_between_its_states(reader: Reader) -> None:
    path = f"estimates/{number(an_estimate(reader)['url'])}"

    for move, status in (("sent", "Sent"), ("approved", "Approved"), ("rejected", "Rejected"), ("draft", "Draft")):
        assert written(reader, "PUT", f"{path}/transitions/mark_as_{move}")["estimate"]["status"] == status
        assert path.split("/")[1] in {str(number(row["url"])) for row in reader.all("estimates", view=status.lower())}
    assert send(reader, "PUT", f"{path}/transitions/mark_as_paid").status == 404


def test_an_approved_estimate_goes_only_as_a_draft(reader: Reader) -> None:
    path = f"estimates/{number(an_estimate(reader, status='Approved')['url'])}"

    assert send(reader, "DELETE", path).status == 409
    written(reader, "PUT", f"{path}/transitions/mark_as_draft")
    written(reader, "DELETE", path)
    assert reader.call(path).status == 404


def test_an_estimate_becomes_a_draft_invoice_and_is_approved_again_without_it(reader: Reader) -> None:
    estimate = an_estimate(reader, status="Approved")
    path = f"estimates/{number(estimate['url'])}"

    invoiced = written(reader, "PUT", f"{path}/transitions/convert_to_invoice")["estimate"]

    invoice = reader.get(invoiced["invoice"].split("/v2/")[1])["invoice"]
    assert (invoiced["status"], invoice["status"]) == ("Invoiced", "Draft")
    assert [invoice[name] for name in ("contact", "net_value")] == [estimate[name] for name in ("contact", "net_value")]
    assert reader.all("estimates", invoice=invoiced["invoice"]) != []
    assert send(reader, "PUT", f"{path}/transitions/convert_to_invoice").status == 422
    written(reader, "DELETE", invoiced["invoice"].split("/v2/")[1])
    left = reader.get(path)["estimate"]
    assert (left["status"], "invoice" in left) == ("Approved", False)


def test_lines_of_an_estimate_are_added_changed_and_taken_away(reader: Reader) -> None:
    estimate = an_estimate(reader)
    path = f"estimates/{number(estimate['url'])}"
    line = {"item_type": "Products", "price": "10", "quantity": "3", "description": "Hinges"}

    item = written(reader, "POST", "estimate_items", {"estimate": estimate["url"], "estimate_item": line})
    item = item["estimate_item"]
    own = f"estimate_items/{number(item['url'])}"

    assert item["position"] == 2
    assert reader.get(path)["estimate"]["net_value"] == "90.0"
    assert written(reader, "PUT", own, {"estimate_item": {"price": "20"}})["estimate_item"]["quantity"] == "3.0"
    assert reader.get(path)["estimate"]["net_value"] == "120.0"
    written(reader, "DELETE", own)
    assert reader.get(path)["estimate"]["estimate_items"] == estimate["estimate_items"]
    assert send(reader, "DELETE", own).status == 404


def test_a_duplicate_is_a_draft_of_today(reader: Reader) -> None:
    sent = reader.all("estimates", view="sent")[0]

    copy = written(reader, "POST", f"estimates/{number(sent['url'])}/duplicate")["estimate"]

    assert (copy["status"], copy["dated_on"], copy["net_value"]) == ("Draft", "2026-03-31", sent["net_value"])


def test_an_estimate_that_is_sent_is_no_draft_any_more(reader: Reader) -> None:
    path = f"estimates/{number(an_estimate(reader)['url'])}"

    written(reader, "POST", f"{path}/send_email", {"estimate": {"email": {"to": "a@b.example"}}})

    assert reader.get(path)["estimate"]["status"] == "Sent"
    assert reader.get(f"{path}/pdf")["pdf"]["content"]


def test_a_contact_of_an_estimate_stays(reader: Reader) -> None:
    contact = reader.world.mutate({"do": "add", "resource": "contacts"}, NOON)["id"]
    an_estimate(reader, contact=contact)

    refused = send(reader, "DELETE", f"contacts/{contact}")

    assert refused.status == 403
    assert "estimates" in told(refused)


def test_views_of_repeating_invoices_part_them(reader: Reader) -> None:
    views = {view: reader.all("recurring_invoices", view=view) for view in ("draft", "active", "inactive")}

    assert {view: len(rows) for view, rows in views.items()} == {"draft": 1, "active": 1, "inactive": 1}
    assert [row["recurring_status"] for rows in views.values() for row in rows] == ["Draft", "Active", "Active"]
