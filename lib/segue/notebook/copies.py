"""Copies of one recording: which files they are, which one stands for all, and how they sound."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from segue.dataset.base import Track
from segue.notebook.listen import audio_html, load_samples, name_of, rights_html
from segue.notebook.portraits import middle
from segue.settings import Settings

if TYPE_CHECKING:
    from IPython.display import HTML

GROUPS = 12
"""Groups that a table shows; of the others it says how many there are."""
_NONE = "<p>No two usable files hold the same recording, so there is nothing to compare.</p>"


def copies(groups: Sequence[Sequence[int]], tracks: Sequence[Track], most: int = GROUPS) -> pd.DataFrame:
    """Return one row a file of the first ``most`` groups.

    Parameters
    ----------
    groups
        Track ids of one recording each, the one that stands for all first.
    tracks
        Rows of the ETL's report.

    Returns
    -------
    pandas.DataFrame
        Index ``recording`` (counted from 1) and ``track``; columns ``role``, ``title``, ``artist``,
        ``seconds``, ``kbit/s`` (of the whole file, tags included), ``MiB`` and ``path``. The role of a copy
        says whether its bytes are those of the first.
    """
    by_id = {track.track_id: track for track in tracks}
    rows = []
    for number, group in enumerate(groups[:most], start=1):
        first = by_id[group[0]]
        for track_id in group:
            track = by_id[track_id]
            role = "stands for all" if track is first else _copy(track, first)
            size = track.size or 0
            rate = round(8 * size / 1000 / track.duration_s) if track.duration_s else None
            rows.append(
                (number, track_id, role, track.title, track.artist, round(track.duration_s or 0.0, 1), rate,
                 round(size / 2**20, 2), track.path)
            )  # fmt: skip
    columns = ["recording", "track", "role", "title", "artist", "seconds", "kbit/s", "MiB", "path"]
    return pd.DataFrame(rows, columns=columns).set_index(["recording", "track"])


def _copy(track: Track, first: Track) -> str:
    return "copy, same bytes" if track.sha256 == first.sha256 else "copy, other encoding"


def hear_copies(
    groups: Sequence[Sequence[int]], tracks: pd.DataFrame, root: str, settings: Settings, most: int = 2
) -> HTML:
    """Return the first two files of some recordings side by side: eight seconds of the middle of each.

    Recordings whose files differ in their bytes come first. Where there is none, the text says so.

    Parameters
    ----------
    groups
        As for `copies`.
    tracks
        The table ``tracks``.
    root
        What their paths are relative to.

    Raises
    ------
    SegueError
        If a file cannot be decoded any more.
    """
    from IPython.display import HTML

    rows = tracks.set_index("track_id")
    pairs = [rows.loc[list(group[:2])] for group in groups]
    pairs.sort(key=lambda pair: pair["sha256"].nunique(), reverse=True)
    blocks = []
    for pair in pairs[:most]:
        sides = "".join(
            f'<div style="flex:1 1 0;min-width:220px"><small>{role}: <b>{html.escape(name_of(track))}</b><br>'
            f"{html.escape(str(track['path']))}<br>{rights_html(track)}</small><br>"
            f"{audio_html(middle(load_samples(track, root, settings)))}</div>"
            for role, (_, track) in zip(("stands for all", "copy"), pair.iterrows(), strict=True)
        )
        blocks.append(f'<div style="display:flex;gap:16px;flex-wrap:wrap;margin:8px 0">{sides}</div>')
    return HTML("".join(blocks) or _NONE)
