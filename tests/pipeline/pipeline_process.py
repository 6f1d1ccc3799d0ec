"""Run the pipeline over a folder of notebooks as a process of its own, so that a test can kill it.

Usage: python pipeline_process.py NOTEBOOKS HOME MUSIC [--only NN] [--run-id ID] [-p NAME VALUE]…
Exits as `segue run` does and prints its JSON object as the last line.
"""

import json
import sys
from pathlib import Path

import click

from segue.cli import run_command
from segue.pipeline.job import run_pipeline
from segue.settings import Settings


@click.command()
@click.argument("notebooks", type=Path)
@click.argument("home", type=Path)
@click.argument("music")
@click.option("--only")
@click.option("--run-id")
@click.option("-p", "parameters", type=(str, str), multiple=True)
def main(notebooks, home, music, only, run_id, parameters):
    given = [("dataset", "folder"), ("path", music), *parameters]
    outcome = run_pipeline(Settings(home=home), given, only=only, run_id=run_id, notebooks=notebooks)
    print(json.dumps(outcome.to_json()))


sys.exit(run_command(lambda: main(standalone_mode=False)))
