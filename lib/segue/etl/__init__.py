"""The ETL: from a data set's files to tracks and features in the document store, by Spark."""

from segue.etl.job import run_etl
from segue.etl.report import EtlReport

__all__ = ["EtlReport", "run_etl"]
