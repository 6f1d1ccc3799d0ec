"""Visitors in numbers, and the server's death under them: `benchmarks.player` as a test."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from segue.settings import Settings
from support.small_run import environment

ROOT = Path(__file__).parents[2]


def measured(services: Settings, home: Path, *options: str) -> dict[str, Any]:
    """Return the figures of a run of the benchmark on the running services."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.player", "--kill", "--home", str(home), *options],
        cwd=ROOT, env=environment(services), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    return json.loads(done.stdout.splitlines()[-1])


def check(figures: dict[str, Any]) -> None:
    """What holds on a machine of any speed."""
    assert figures["failed_requests"] == 0, figures
    assert figures["likes"] > 0, figures
    assert figures["kernels_left"] == 0, figures
    assert figures["lost"] == 0, figures
    assert figures["kill_kernels_lingering"] == 0, figures


@pytest.mark.slow
def test_a_few_visitors_listen_like_and_live_through_the_servers_death(
    services: Settings, tmp_path: Path
) -> None:
    figures = measured(services, tmp_path, "--quick", "--visitors", "4", "--seconds", "8", "--pages", "0")
    check(figures)
    assert figures["accepted"] > figures["likes"]
    assert figures["kill_music_went_on"] == 3


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_sixty_visitors_three_times_and_the_servers_death(services: Settings, tmp_path: Path) -> None:
    figures = measured(services, tmp_path)
    check(figures)
    assert figures["mib_per_visitor"] <= 45, figures
    assert figures["like_p95_ms"] <= 300, figures
    assert figures["server_growth_mib"] <= 0.05 * figures["server_mib"], figures
