"""A data set in a table: what it is, where, and under which licence."""

from __future__ import annotations

from pathlib import PurePath

import pandas as pd
from IPython.display import Markdown

from segue.dataset.base import Dataset
from segue.dataset.inventory import is_audio_name, scan


def dataset_card(dataset: Dataset) -> Markdown:
    """Return what is known of a data set before its files are opened."""
    rows = {
        "title": dataset.title,
        "files under": dataset.root,
        "database": dataset.database,
        "licence": dataset.licence,
        "to cite": dataset.citation,
    }
    return Markdown("\n".join(f"- **{name}**: {value}" for name, value in rows.items() if value))


def files_by_extension(dataset: Dataset) -> pd.DataFrame:
    """Return one row for each extension: number of files, MiB, and whether it counts as audio."""
    entries = scan(dataset.root)
    frame = pd.DataFrame(
        {
            "extension": [PurePath(entry.path).suffix.lower() or "none" for entry in entries],
            "size": [entry.size for entry in entries],
            "audio": [is_audio_name(entry.path) for entry in entries],
        }
    )
    table = frame.groupby("extension").agg(
        files=("size", "size"), mib=("size", "sum"), audio=("audio", "any")
    )
    table["mib"] = (table["mib"] / 2**20).round(1)
    return table.rename(columns={"mib": "MiB"}).sort_values("files", ascending=False)
