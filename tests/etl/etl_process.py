"""Run the ETL over a folder as a process of its own, so that a test can kill it.

Usage: python etl_process.py FOLDER DATABASE [SPARK_MASTER]; the store is SEGUE_MONGO's.
"""

import sys

from segue.dataset.folder import FolderDataset
from segue.etl import run_etl
from segue.settings import Settings
from segue.spark import session
from segue.store import open_store

folder, database, *master = sys.argv[1:]
settings = Settings(batch_files=4, **({"spark_master": master[0]} if master else {}))
with open_store(settings.mongo_uri, database) as store:
    spark = session(settings)
    report = run_etl(FolderDataset(folder, database=database), settings, store, spark, progress=False)
    print(f"analysed {report.analysed} reused {report.reused} rows {len(report.tracks)}", flush=True)
    spark.stop()
