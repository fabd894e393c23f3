"""`comptoir audit verify` and `comptoir operator link`, with a server running or without."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from .conftest import Start, free_ports, run


@pytest.mark.slow
def test_the_trail_is_proved_and_a_change_is_named_with_a_server_running_and_without(
    tmp_path: Path, start: Start
) -> None:
    assert run("init", "--email", "ann@example.com", "--data-dir", tmp_path).code == 0

    link = run("operator", "link", "Ann@Example.com", "--data-dir", tmp_path)
    whole = run("audit", "verify", "--data-dir", tmp_path)
    with sqlite3.connect(tmp_path / "comptoir.db") as connection:
        connection.execute("DROP TRIGGER audit_no_UPDATE")
        connection.execute("UPDATE audit SET action = 'another [/red]' WHERE number = 1")
    connection.close()
    [port] = free_ports(1)
    serving = start("serve", "--port", port, "--data-dir", tmp_path)
    serving.wait_for("serves")
    asked = run("audit", "verify", "--data-dir", tmp_path)
    again = run("operator", "link", "ann@example.com", "--data-dir", tmp_path)
    serving.stop()

    assert re.search(r"^http://127\.0\.0\.1:8000/set-password\?token=\S{43}\nIt works once, until ", link.out)
    assert (whole.code, whole.out[:28]) == (0, "default: whole, 2 entries, t")
    assert asked.code == 1
    assert re.search(
        r"^default: not whole\. Entry 1 \(\S+, another \[/red\]\) is not as it was written\.$", asked.out.strip()
    )
    assert again.out.startswith(f"http://127.0.0.1:{port}/set-password?token=")
