"""Why files were rejected: how many for each reason, real examples, and what to do about them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from segue.dataset.base import OK, REASONS, Track

EXAMPLES = 2
WHAT_TO_DO = {
    "missing": "put the file where the table says it is, or leave the row: it is in no list",
    "ignored": "nothing, if it is no music; else give it an audio extension or name it in the tables",
    "empty": "copy or download the file again: it has no bytes",
    "not_audio": "look into the file: it is something else under an audio file's name; download it again",
    "unsupported": "install FFmpeg, or convert the file to MP3, OGG, FLAC or WAV",
    "too_short": "download it again if it should be longer; SEGUE_MIN_DURATION_S is the limit",
    "silent": "listen to it: if it is music, SEGUE_SILENCE_PEAK is set too high",
    "too_large": "cut it, or raise SEGUE_MAX_FILE_MIB",
    "crashed": "encode it again: the decoder fell over it, or needed more than SEGUE_DECODE_MEMORY_MIB",
    "timeout": "run again on a quieter machine, or raise SEGUE_DECODE_TIMEOUT_S",
}


def rejections(tracks: Sequence[Track], examples: int = EXAMPLES) -> pd.DataFrame:
    """Return one row for each reason that occurs, and within it for each example.

    Parameters
    ----------
    tracks
        Rows of the ETL's report.
    examples
        Files shown for each reason, the first by path.

    Returns
    -------
    pandas.DataFrame
        Index ``reason`` and ``rows`` (how many there are); columns ``file``, ``what is wrong``,
        ``what to do``. A row without a file is named by its title.
    """
    rows = []
    for reason in REASONS:
        own = sorted((track for track in tracks if track.status == reason), key=_name)
        rows += [
            (reason, len(own), _name(track), _said(track), WHAT_TO_DO[reason]) for track in own[:examples]
        ]
    columns = ["reason", "rows", "file", "what is wrong", "what to do"]
    return pd.DataFrame(rows, columns=columns).set_index(["reason", "rows"])


def _name(track: Track) -> str:
    return track.path or " — ".join(filter(None, [track.title, track.artist])) or f"track {track.track_id}"


def _said(track: Track) -> str:
    return track.detail or ("" if track.path else "there is no file")


def warned(tracks: Sequence[Track]) -> pd.DataFrame:
    """Return usable files with a warning: one row for each kind, how many, and the first by path."""
    kinds: dict[str, list[str]] = {}
    for track in tracks:
        for warning in track.warnings if track.status == OK else ():
            kinds.setdefault(warning, []).append(_name(track))
    rows = [(kind, len(names), min(names)) for kind, names in sorted(kinds.items())]
    return pd.DataFrame(rows, columns=["warning", "files", "for example"]).set_index("warning")
