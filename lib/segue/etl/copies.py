"""Find the tracks that are copies of one recording, and write down which track stands for them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from segue.audio.fingerprint import Codes, codes_of
from segue.audio.recordings import find_pairs, join
from segue.dataset.base import OK, Track
from segue.store import Store

RULES = "copies/1"
"""Name and version of how copies are found and their best one chosen; it changes whenever they may."""

_MARK = "copies"


def find_copies(store: Store, recipe: str) -> list[list[int]]:
    """Give every usable track its `Track.recording`, and return the recordings that there are copies of.

    If no usable track is new, gone or changed since the last time, nothing is compared.

    Parameters
    ----------
    recipe
        Key of the analyses whose fingerprints are compared (`segue.audio.features.recipe`).

    Returns
    -------
    list of list of int
        Track ids of each recording that there are several of: the one that stands for it, then the others
        ascending; ordered by the first.
    """
    tracks = list(store.tracks.all(OK))
    mark = _mark(tracks, recipe)
    known = store.meta.find_one({"_id": _MARK}) or {}
    if known.get("mark") != mark or any(track.recording is None for track in tracks):
        # A run that is ended while it writes must not leave the mark of an earlier state.
        store.meta.delete_one({"_id": _MARK})
        recordings = _compare(tracks, store, recipe)
        changed = {
            t.track_id: recordings[t.track_id] for t in tracks if t.recording != recordings[t.track_id]
        }
        store.tracks.set_recordings(changed)
        store.meta.replace_one({"_id": _MARK}, {"mark": mark}, upsert=True)
    else:
        recordings = {track.track_id: track.recording or 0 for track in tracks}
    return groups_of(recordings)


def recordings_of(
    tracks: Sequence[Track], prints: Mapping[str, Codes], sample_rates: Mapping[str, int]
) -> dict[int, int]:
    """Return the id of the track that stands for each track's recording: its own where there is no copy.

    Tracks of one content are copies, and so are those whose fingerprints agree
    (`segue.audio.recordings`). The best stands for all: the longest by whole seconds, then the one with the
    highest sample rate, then the largest file, then the smallest id.

    Parameters
    ----------
    tracks
        Usable tracks.
    prints, sample_rates
        Fingerprint and sample rate in Hz by content SHA-256, where they are known.
    """
    of_content: dict[str, list[Track]] = defaultdict(list)
    for track in tracks:
        of_content[track.sha256 or f"track {track.track_id}"].append(track)
    contents = sorted(of_content)
    codes = [prints.get(content, codes_of(b"")) for content in contents]
    alike = join(codes, find_pairs(codes))
    joined = {i for group in alike for i in group}
    alone = [[i] for i in range(len(contents)) if i not in joined]

    def rank(track: Track) -> tuple[int, int, int, int]:
        rate = sample_rates.get(track.sha256 or "", 0)
        return -round(track.duration_s or 0), -rate, -(track.size or 0), track.track_id

    recordings: dict[int, int] = {}
    for group in alike + alone:
        copies = [track for i in group for track in of_content[contents[i]]]
        best = min(copies, key=rank)
        recordings.update((track.track_id, best.track_id) for track in copies)
    return recordings


def groups_of(recordings: Mapping[int, int]) -> list[list[int]]:
    """Return the recordings of several tracks: first the track that stands for it, then the others."""
    copies: dict[int, list[int]] = defaultdict(list)
    for track_id, recording in sorted(recordings.items()):
        if track_id != recording:
            copies[recording].append(track_id)
    return [[recording, *copies[recording]] for recording in sorted(copies)]


def _compare(tracks: Sequence[Track], store: Store, recipe: str) -> dict[int, int]:
    used = {track.sha256 for track in tracks}
    prints: dict[str, Codes] = {}
    rates: dict[str, int] = {}
    for content, print_, rate in store.features.fingerprints(recipe):
        if content in used:
            prints[content], rates[content] = codes_of(print_), rate
    return recordings_of(tracks, prints, rates)


def _mark(tracks: Sequence[Track], recipe: str) -> str:
    """Return a digest of all that decides which tracks are copies and which stands for them."""
    digest = hashlib.sha256(f"{RULES} {recipe}".encode())
    for track in tracks:
        digest.update(f"\n{track.track_id} {track.sha256} {track.duration_s} {track.size}".encode())
    return digest.hexdigest()
