"""A finished run of all five notebooks on a tiny demo catalogue, made once a session."""

import json
import os
import subprocess
import sys
from pathlib import Path

from segue.settings import Settings

TINY = {
    "tracks": "24",
    "simulated_listeners": "30",
    "cluster_counts": "2,4",
    "clusters": "4",
    "bucket_lengths": "0.1",
    "hash_tables": "2",
    "trials": "2",
    "sizes": "50",
    "reacting_listeners": "5",
    "sessions": "3",
}


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables that make a command use these services."""
    return os.environ | {
        "SEGUE_HOME": str(settings.home),
        "SEGUE_MONGO": settings.mongo_uri,
        "SEGUE_KAFKA": settings.kafka_bootstrap,
    }


def run_tiny(settings: Settings) -> subprocess.CompletedProcess[str]:
    """Run the pipeline; the second time there is nothing left to do."""
    parameters = [word for name, value in TINY.items() for word in ("-p", name, value)]
    command = [sys.executable, "-m", "segue.cli", "run", "--dataset", "demo", "--json", *parameters]
    return subprocess.run(command, env=environment(settings), capture_output=True, text=True, check=False)


def finished_run(settings: Settings) -> Path:
    """Return the folder of the run."""
    done = run_tiny(settings)
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)["path"])
