"""The wheel carries everything: pages, translations, migrations, stand-in; the demo works from it alone."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.cli.conftest import environment, free_ports

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_the_demo_works_from_the_wheel_alone(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*build, str(tmp_path), str(ROOT)], check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    port, standin_port = free_ports(2)
    ports = ("--port", str(port), "--standin-port", str(standin_port))
    script = "import comptoir, sys; from comptoir.cli import main; print(comptoir.__file__, file=sys.stderr); main()"
    ended = subprocess.run(
        [sys.executable, "-c", script, "demo", "--once", "--json", *ports],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(PYTHONPATH=str(unpacked)),
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert str(unpacked) in ended.stderr
    assert json.loads(ended.stdout)["breaches"] == 0
