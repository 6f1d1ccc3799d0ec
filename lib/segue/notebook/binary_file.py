"""Spark's own lister of files beside ours, on a folder of odd names."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

import pandas as pd

from segue.dataset.inventory import escape, scan
from segue.errors import SegueError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_CONTENT = b"not really music"
_ODD = {
    b"plain.mp3": "an ordinary name",
    b"two words.mp3": "a blank",
    "Séculaire.mp3".encode(): "accents",
    b"[live] set.mp3": "brackets",
    b"_draft.mp3": "begins with an underscore",
    b".hidden.mp3": "begins with a dot",
    b"upload._COPYING_": "an upload's last name",
    b"caf\xe9.mp3": "not UTF-8",
    b"empty.mp3": "no content",
}


def compare_listings(spark: SparkSession) -> pd.DataFrame:
    """Return for each file of a temporary folder with odd names whether our inventory and binaryFile see it.

    Columns ``file``, ``what is odd``, ``our inventory``, ``binaryFile``. A colon in a name is left out: it
    ends binaryFile's job. Names that this file system cannot hold are left out too.

    Raises
    ------
    SegueError
        If Spark runs on other machines, which do not see the temporary folder.
    """
    if not str(spark.conf.get("spark.master")).startswith("local"):
        raise SegueError("the executors of a cluster do not see this machine's temporary folder")
    with tempfile.TemporaryDirectory(prefix="segue-") as folder:
        odd = dict(_ODD)
        for name in _ODD:
            try:
                Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(
                    b"" if name.startswith(b"empty") else _CONTENT
                )
            except OSError:
                del odd[name]
        ours = {entry.path for entry in scan(folder)}
        rows = spark.read.format("binaryFile").load(folder).select("path").collect()
        theirs = {escape(os.path.basename(os.fsencode(unquote(urlparse(row.path).path)))) for row in rows}
    table = [(escape(name), why, escape(name) in ours, escape(name) in theirs) for name, why in odd.items()]
    frame = pd.DataFrame(table, columns=["file", "what is odd", "our inventory", "binaryFile"])
    return frame.replace({True: "listed", False: "lost"})
