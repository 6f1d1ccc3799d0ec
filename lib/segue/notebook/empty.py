"""A table, or a sentence where it would have no rows."""

from __future__ import annotations

import pandas as pd
from IPython.display import Markdown


def table_or(frame: pd.DataFrame, sentence: str) -> pd.DataFrame | Markdown:
    """Return the table, or what its having no rows means."""
    return Markdown(sentence) if frame.empty else frame
