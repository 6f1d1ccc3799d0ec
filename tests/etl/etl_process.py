"""Run the ETL over a folder as a process of its own, so that a test can kill it.

Usage: python etl_process.py FOLDER DATABASE [SPARK_MASTER [LOG]]; the store is SEGUE_MONGO's. A line goes to
LOG whenever an executor has finished a file, before its batch is stored.
"""

import os
import sys

from segue.dataset.base import Track
from segue.dataset.folder import FolderDataset
from segue.etl import run_etl
from segue.settings import Settings
from segue.spark import session
from segue.store import open_store


class LoggedFolder(FolderDataset):
    """A folder that notes each file whose analysis is done."""

    log = ""

    def describe(self, track: Track, tags: dict[str, str]) -> None:
        super().describe(track, tags)
        if self.log and track.sha256 is not None:
            # One write of a short line is never torn, whoever is killed meanwhile.
            file = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(file, f"{track.path}\n".encode())
            os.close(file)


folder, database, *rest = sys.argv[1:]
settings = Settings(batch_files=4, **({"spark_master": rest[0]} if rest else {}))
with open_store(settings.mongo_uri, database) as store:
    spark = session(settings)
    dataset = LoggedFolder(folder, database=database)
    dataset.log = "".join(rest[1:])
    report = run_etl(dataset, settings, store, spark, progress=False)
    print(f"analysed {report.analysed} reused {report.reused} rows {len(report.tracks)}", flush=True)
    spark.stop()
