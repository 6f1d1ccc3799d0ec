"""``segue features``: 518 features a file, without Spark or services."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import Counter

import click

from segue.errors import UsageError


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--out", required=True, metavar="OUT", help="OUT.csv, OUT.parquet, or - for CSV on standard output."
)
@click.option(
    "--jobs", type=click.IntRange(1, 256), metavar="N", help="Files analysed at once.  [default: the cores]"
)
@click.option(
    "--groups", default="all", metavar="NAMES", help="Groups of features, such as mfcc+centroid+zcr."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for a program.")
def features(*, files: tuple[str, ...], out: str, jobs: int | None, groups: str, as_json: bool) -> int:
    """Compute 518 features of each FILE, and of each file below each folder given.

    The table has the columns path, status (ok or why a file cannot be used), then one for each value, such
    as mfcc.mean.01. It takes OUT's place when all files are done. Longer files are analysed on 30 s of
    their middle, or whole with SEGUE_ANALYSED_S=0.
    """
    from segue.audio.columns import columns_of
    from segue.commands.feature_table import STDOUT, check_target

    if as_json and out == STDOUT:
        raise UsageError("--json prints to standard output, which --out - needs for the table: name a file")
    check_target(out)
    columns = columns_of(groups)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(files, out, jobs or _cores(), columns.tolist(), as_json)
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        print("segue: stopped; no table was written", file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGTERM, before)


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run(names: tuple[str, ...], out: str, jobs: int, columns: list[int], as_json: bool) -> int:
    from threadpoolctl import threadpool_limits
    from tqdm import tqdm

    from segue.audio.features import recipe
    from segue.commands.feature_rows import Extraction, find_files
    from segue.commands.feature_table import names_of, open_table
    from segue.dataset.base import OK
    from segue.settings import Settings

    settings, started = Settings(), time.monotonic()
    files = find_files(names)
    statuses: Counter[str] = Counter()
    warned: Counter[str] = Counter()
    with (
        # The children inherit it: each has one core to itself.
        threadpool_limits(1),
        open_table(out, names_of(columns)) as table,
        Extraction(settings, min(jobs, max(1, len(files)))) as extraction,
        tqdm(total=len(files), unit=" files", file=sys.stderr, disable=not sys.stderr.isatty()) as progress,
    ):
        for row in extraction.rows(files):
            table.write(row.path, row.status, None if row.vector is None else row.vector[columns])
            statuses[row.status] += 1
            warned.update(row.warnings)
            if row.detail:
                tqdm.write(f"{row.path}: {row.status}: {row.detail}", file=sys.stderr)
            progress.update()
    if as_json:
        told = {
            "out": out,
            "files": len(files),
            "ok": statuses[OK],
            "statuses": dict(statuses),
            "warnings": dict(warned),
            "features": len(columns),
            "recipe": recipe(settings),
            "seconds": round(time.monotonic() - started, 3),
        }
        print(json.dumps(told))
    return 0 if statuses[OK] else 1
