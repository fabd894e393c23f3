"""The PyPI package `freeagent-cli` 0.6.0 signs in and does all its commands: time logged, changed and deleted, bank
lines explained.

Pointed at another address by `api_base` in its config file, which lies below XDG_CONFIG_HOME.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import free_ports
from tests.outside.conftest import Outside

pytestmark = [pytest.mark.sdk, pytest.mark.xdist_group("outside")]

Say = Callable[..., list[str]]


@pytest.fixture(scope="module")
def say(outside: Outside, interpreter: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Say:
    """Runs one command, signed in; what it prints, line by line."""
    home = tmp_path_factory.mktemp("freeagent-cli")
    command = str(interpreter("freeagent-cli").with_name("freeagent-cli"))

    def said(*words: object) -> list[str]:
        return outside.run([command, *map(str, words)], XDG_CONFIG_HOME=str(home)).splitlines()

    [port] = free_ports(1)
    redirect = f"http://localhost:{port}/callback"
    identifier, secret = outside.app(redirect)
    said("auth", "init", "--client-id", identifier, "--client-secret", secret, "--redirect-uri", redirect)
    config = home / "freeagent-cli" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"api_base": outside.url}))
    assert said("auth", "login")[-1] == "Authenticated."
    ran_out = json.loads(config.read_text()) | {"access_token_expires_at": 0.0}
    config.write_text(json.dumps(ran_out))
    said("me")
    renewed = json.loads(config.read_text())
    assert renewed["refresh_token"] != ran_out["refresh_token"]
    return said


def test_the_user_is_told(say: Say, outside: Outside) -> None:
    user = outside.read("users/me")["user"]

    assert say("me") == [f"{user['first_name']} {user['last_name']} <{user['email']}>", user["url"]]


def test_projects_and_tasks_are_listed(say: Say, outside: Outside) -> None:
    counts = outside.counts()

    assert len(say("projects", "--all", "--no-tasks")) == counts["projects"]
    assert len(say("projects", "--all")) == counts["projects"] + counts["tasks"]
    names = {task["name"] for task in outside.read("tasks")["tasks"] if task["status"] != "Hidden"}
    assert {line.split("\t")[1] for line in say("tasks", "--project", "Mill Lane")} <= names


def test_time_is_logged_changed_and_deleted(say: Say, outside: Outside) -> None:
    before = outside.counts()["timeslips"]

    *_, made = say("log", "Mill Lane", "1h30m", "fixed the gate", "--task", "Joinery")

    slip = outside.read(made.split("/v2/")[1])["timeslip"]
    assert (slip["hours"], slip["comment"]) == ("1.5", "fixed the gate")
    [latest] = say("recent", "-n", "1")
    assert latest.split("\t")[1:5] == ["1h30m", "Mill Lane barn", "Joinery", "fixed the gate"]
    *_, changed = say("edit", made, "--duration", "45m", "--task", "Travel", "--yes")
    assert outside.read(changed.split("/v2/")[1])["timeslip"]["hours"] == "0.75"
    assert outside.counts()["timeslips"] == before + 1
    assert "Deleted." in say("delete", changed, "--yes")
    assert outside.counts()["timeslips"] == before


def test_accounts_and_categories_are_listed(say: Say, outside: Outside) -> None:
    accounts = outside.read("bank_accounts")["bank_accounts"]
    categories = outside.read("categories")

    assert [line.split("\t")[0] for line in say("accounts")] == [row["url"].rsplit("/", 1)[1] for row in accounts]
    assert len(say("categories")) == sum(map(len, categories.values()))
    assert {line.split("\t")[0] for line in say("categories", "--search", "mileage")} == {"249"}


def test_a_bank_line_is_explained_in_two_parts(say: Say, outside: Outside) -> None:
    shown = [line.split("\t") for line in say("unexplained", "--account", "Main", "--days", "0", "-n", "0")]
    rows = [row for row in shown if len(row) == 6]
    account = outside.read("bank_accounts")["bank_accounts"][0]
    ours = outside.read("bank_transactions", bank_account=account["url"], view="unexplained", per_page="100")

    assert {row[5] for row in rows} == {line["url"] for line in ours["bank_transactions"]}
    line = next(row for row in rows if abs(float(row[1])) > 2)
    say("explain", line[5], "285", "--amount", "1.00", "--description", "Tea", "--yes")
    say("explain", line[5], "Web Hosting", "--yes")

    read = outside.read(line[5].split("/v2/")[1])["bank_transaction"]
    assert read["unexplained_amount"] == "0.0"
    explained = {one["category"][-3:]: one["gross_value"] for one in read["bank_transaction_explanations"]}
    assert set(explained) == {"285", "268"}
    assert abs(float(explained["285"])) == 1.0
