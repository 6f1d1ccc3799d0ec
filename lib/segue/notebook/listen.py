"""Hear a track in a notebook, with its licence and who made it."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from segue.audio.decode import Rejected, decode
from segue.dataset.base import OK
from segue.dataset.inventory import join, open_root
from segue.errors import SegueError, UsageError
from segue.settings import SAMPLE_RATE, Settings

if TYPE_CHECKING:
    from IPython.display import HTML

_WHOLE_BYTES = 1_500_000
"""A larger file is not put into the notebook whole: its analysed middle is, as a small MP3."""
_TYPES = {".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".flac": "audio/flac", ".wav": "audio/wav"}


def load_samples(track: pd.Series, root: str, settings: Settings) -> np.ndarray:
    """Return a track's analysed samples: float32[n], mono, 22,050 Hz.

    Raises
    ------
    SegueError
        If the file cannot be decoded any more.
    """
    fs, base = open_root(root)
    with fs.open(join(base, track["path"]), "rb") as file:
        found = decode(file, int(track["size"]), settings)
    if isinstance(found, Rejected):
        raise SegueError(
            f"{track['path']} was usable and is not any more: it {found.detail}; run the ETL again"
        )
    return found.samples


def listen(track: pd.Series, root: str, settings: Settings, why: str = "") -> HTML:
    """Return a player for one track: title, artist, sound, licence and attribution.

    Parameters
    ----------
    track
        A row of the table ``tracks``.
    root
        What its path is relative to.
    settings
        Say which middle of a long file is taken.
    why
        A few words on why it is here.
    """
    from IPython.display import HTML

    kind, content = _sound(track, root, settings)
    name = html.escape(name_of(track))
    return HTML(
        f'<figure style="margin:8px 0"><figcaption><b>{name}</b> {html.escape(why)}<br>'
        f"<small>{rights_html(track)}</small></figcaption>{_player(kind, content)}</figure>"
    )


def name_of(track: pd.Series) -> str:
    """Return "title — artist" of a row of ``tracks``, or its path if it has neither."""
    return " — ".join(part for part in (track["title"], track["artist"]) if part) or str(track["path"])


def rights_html(track: pd.Series) -> str:
    """Return who may do what with a track, as HTML: licence, attribution, and whether Segue composed it."""
    rights = html.escape(track["licence"] or "licence not stated")
    if track["attribution_url"]:
        url = html.escape(track["attribution_url"], quote=True)
        rights = f'<a href="{url}">{rights}</a>'
    return f"composed by Segue, {rights}" if track["composed"] else rights


def audio_html(samples: np.ndarray) -> str:
    """Return a player for float[n] samples, mono, 22,050 Hz, as a small MP3 in HTML."""
    return _player("audio/mpeg", _mp3(samples))


def _player(kind: str, content: bytes) -> str:
    source = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    return f'<audio controls preload="none" style="max-width:100%" src="{source}"></audio>'


def _sound(track: pd.Series, root: str, settings: Settings) -> tuple[str, bytes]:
    kind = _TYPES.get("." + track["path"].lower().rsplit(".", 1)[-1])
    if kind is not None and track["size"] <= _WHOLE_BYTES:
        fs, base = open_root(root)
        return kind, fs.cat_file(join(base, track["path"]))
    return "audio/mpeg", _mp3(load_samples(track, root, settings))


def _mp3(samples: np.ndarray) -> bytes:
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1, 1), SAMPLE_RATE, format="MP3", subtype="MPEG_LAYER_III")
    return buffer.getvalue()


def example(tracks: pd.DataFrame, track_id: int = 0) -> pd.Series[Any]:
    """Return the row of a track; for 0 that of the first usable one.

    Raises
    ------
    UsageError
        If the track does not exist or is not usable.
    SegueError
        If no track is usable.
    """
    usable = tracks[tracks["status"] == OK].sort_values("track_id")
    if usable.empty:
        raise SegueError("no track is usable: the table above says why")
    chosen = usable[usable["track_id"] == track_id] if track_id else usable
    if chosen.empty:
        raise UsageError(
            f"example_track = {track_id} is no usable track; the first is {usable['track_id'].iloc[0]}"
        )
    return chosen.iloc[0]
