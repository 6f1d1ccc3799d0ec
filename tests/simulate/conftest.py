"""A small world with a run whose tracks have artists and genres, on the session's services."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from segue.dataset.base import Track
from segue.settings import Settings
from segue.store import Store
from support.live_world import TRACKS, World


@pytest.fixture
def world(services: Settings, store: Store, tmp_path: Path) -> Iterator[World]:
    """Sixty tracks with fitted models, as notebook 01 writes them."""
    built = World.build(services, tmp_path / "home", store)
    tracks = [
        Track(track, artist=f"artist {i % 20}", genre_top=f"kind {i % 4}", duration_s=30.0, status="ok")
        for i, track in enumerate(TRACKS)
    ]
    rows = [track.to_document() for track in tracks]
    built.run.save_table("tracks", pd.DataFrame(rows).rename(columns={"_id": "track_id"}))
    yield built
    built.close()
