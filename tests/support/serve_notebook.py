"""Serve the player with a notebook of a test's own: NOTEBOOK LIMITS, these as JSON."""

import json
import sys
from pathlib import Path

from segue.cli import run_command
from segue.player.serving import serve
from segue.settings import Settings

sys.exit(run_command(lambda: serve(Settings(), Path(sys.argv[1]), json.loads(sys.argv[2]))))
