"""Reading collections that are larger than what a server may send at once."""

import pytest

from segue.dataset.base import Track
from segue.store.features import Analysis

pytestmark = pytest.mark.slow
_TEXT = "x" * 30_000
_COUNT = 2_000
"""Together 60 MB; a driver refuses a message of more than 48 MB."""


def test_tracks_and_analyses_of_more_than_a_message_are_read(store):
    for start in range(0, _COUNT, 500):
        numbers = range(start, start + 500)
        store.tracks.upsert(Track(number, detail=_TEXT, status="ok") for number in numbers)
        store.features.upsert(Analysis(f"{number:064x}", "r", "silent", detail=_TEXT) for number in numbers)
    assert [track.track_id for track in store.tracks.all()] == list(range(_COUNT))
    assert len(store.tracks.by_ids(range(_COUNT))) == _COUNT
    assert store.tracks.ids() == set(range(_COUNT))
    assert store.tracks.count_by_status() == {"ok": _COUNT}
    assert len(store.features.known_all("r")) == _COUNT
    assert len(store.features.known((f"{number:064x}" for number in range(_COUNT)), "r")) == _COUNT
    store.tracks.delete([])
    store.tracks.delete(range(_COUNT - 1))
    assert store.tracks.ids() == {_COUNT - 1}
