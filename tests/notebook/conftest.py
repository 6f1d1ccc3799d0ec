"""A small collection with sound, features and plays, as the notebooks hand it on."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segue.audio.features import COLUMNS
from segue.dataset.base import Track
from segue.dataset.listening import simulate
from segue.notebook import Catalogue
from support.spark_fixture import spark  # noqa: F401 (a fixture)
from support.tones import write_tone

N = 24


@pytest.fixture
def tracks(tmp_path: Path) -> list[Track]:
    """Tones of four artists in two genres; the first is composed, the last two are one recording."""
    made = []
    for i in range(N):
        path = write_tone(tmp_path / "music" / f"{i:02d}.wav", i)
        made.append(
            Track(
                100 + i,
                title=f"Song {i}",
                artist=f"Artist {i % 4}",
                artist_id=i % 4,
                genre_top=["Folk", "House"][i % 2],
                path=path.name,
                size=path.stat().st_size,
                licence="CC BY 4.0",
                attribution_url="https://example.org/a?b=1&c=<2>",
                sha256=f"{min(i, N - 2):064d}",
                composed=i == 0,
                duration_s=2.0,
                status="ok",
            )
        )
    return made


@pytest.fixture
def catalogue(tracks: list[Track], tmp_path: Path) -> Catalogue:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(N, 518)) + np.outer(np.arange(N) % 2, np.full(518, 2.0))
    ids = pd.Index([track.track_id for track in tracks], name="track_id")
    features = pd.DataFrame(values.astype(np.float32), index=ids, columns=[".".join(c) for c in COLUMNS])
    rows = [track.to_document() for track in tracks]
    table = pd.DataFrame(rows).rename(columns={"_id": "track_id"}).set_index("track_id")
    plays = pd.DataFrame(simulate(tracks, 12, seed=1))
    return Catalogue(table, features, plays, str(tmp_path / "music"))


@pytest.fixture
def nothing(catalogue: Catalogue) -> Catalogue:
    """The same collection when no file was usable."""
    return Catalogue(catalogue.tracks.head(0), catalogue.features.head(0), pd.DataFrame(), catalogue.root)
