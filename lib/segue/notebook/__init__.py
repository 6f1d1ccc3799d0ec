"""What the notebooks call, one named thing for each cell."""

from segue.notebook.attempt import NotShown, attempt
from segue.notebook.catalogue import Catalogue, read_catalogue, write_tables
from segue.notebook.empty import table_or
from segue.pipeline.run import Run, open_run

__all__ = [
    "Catalogue", "NotShown", "Run", "attempt", "open_run", "read_catalogue", "table_or", "write_tables",
]  # fmt: skip
