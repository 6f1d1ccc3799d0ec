"""From the ETL's rows and the store to what models learn from."""

import numpy as np
import pandas as pd
import pytest

from segue.audio.features import recipe
from segue.dataset.listening import listener_name
from segue.errors import SegueError
from segue.notebook import Catalogue, open_run, read_catalogue, write_tables
from segue.notebook.plays import simulate_plays
from segue.settings import Settings
from segue.simulate.driver import live_name
from segue.store.features import Analysis


def test_models_get_standardised_features_artists_copies_and_plays(catalogue: Catalogue):
    data = catalogue.training_data()
    np.testing.assert_allclose(data.features.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(data.features.std(axis=0), 1, atol=1e-5)
    assert data.artist_ids.tolist() == [i % 4 for i in range(24)]
    assert len(set(data.recording_ids.tolist())) == 23
    assert data.recording_ids[-1] == data.recording_ids[-2]
    assert 0 < len(data.listeners) <= 12


def test_unknown_artists_and_missing_plays_are_allowed(catalogue: Catalogue):
    bare = Catalogue(
        catalogue.tracks.assign(artist_id=None), catalogue.features, pd.DataFrame(), catalogue.root
    )
    data = bare.training_data()
    assert set(data.artist_ids.tolist()) == {-1}
    assert data.interactions is None


def test_no_usable_track_is_said(nothing: Catalogue):
    with pytest.raises(SegueError, match="no track is usable"):
        nothing.training_data()


def test_notes_say_what_is_composed_and_simulated(catalogue: Catalogue, nothing: Catalogue):
    assert catalogue.note == "tracks: 1 composed by Segue, 23 real"
    assert catalogue.listeners_note == "tracks: 1 composed by Segue, 23 real; simulated listeners"
    assert nothing.listeners_note == ""
    real = catalogue.plays.assign(simulated=False)
    assert (
        "simulated"
        not in Catalogue(catalogue.tracks, catalogue.features, real, catalogue.root).listeners_note
    )
    mixed = pd.concat([catalogue.plays, real])
    note = Catalogue(catalogue.tracks, catalogue.features, mixed, catalogue.root).listeners_note
    assert note.endswith("; simulated and real listeners")


def test_a_name_is_title_and_artist_or_the_path(catalogue: Catalogue):
    assert catalogue.name_of(103) == "Song 3 — Artist 3"
    bare = Catalogue(catalogue.tracks.assign(title="", artist=""), catalogue.features, catalogue.plays, "")
    assert bare.name_of(103) == "03.wav"


@pytest.mark.slow
def test_tables_hold_the_usable_tracks_with_their_features(store, tracks, tmp_path):
    settings = Settings(home=tmp_path)
    tracks[5].status, tracks[5].detail = "silent", "has a peak of 0"
    vector = np.arange(518, dtype=np.float32)
    store.features.upsert(
        [
            Analysis(track.sha256, recipe(settings), "ok", vector=vector + i)
            for i, track in enumerate(tracks)
            if i < 23
        ]
    )
    said = simulate_plays(store, tracks, 5, seed=0)
    assert "5 **simulated** listeners" in said.data
    run = open_run("folder", "r", "01_etl", settings)
    rows = [track.to_document() | {"track_id": track.track_id} for track in tracks]
    run.describe(
        type("Music", (), dict.fromkeys(("kind", "database", "root", "title", "citation", "licence"), "x"))
    )
    write_tables(run, pd.DataFrame(rows).drop(columns="_id"), store, settings)
    found = read_catalogue(run)
    assert found.tracks.index.tolist() == [track.track_id for i, track in enumerate(tracks) if i != 5]
    assert found.features.loc[103].to_numpy().tolist() == (vector + 3).tolist()
    assert found.features.loc[123].equals(found.features.loc[122].rename(123))
    assert found.simulated
    assert set(found.plays["track_id"]) <= set(found.tracks.index)
    assert simulate_plays(store, tracks, 0, seed=0).data.startswith("Nobody is simulated")
    assert store.plays.count() == 0


@pytest.mark.slow
def test_a_new_simulation_leaves_alone_what_simulated_listeners_did_live(store, tracks):
    simulate_plays(store, tracks, 5, seed=0)
    live = {"event_id": "1", "listener_id": live_name(0), "track_id": 100, "at": 0, "simulated": True}
    store.plays.upsert([live])
    simulate_plays(store, tracks, 3, seed=1)
    assert set(store.plays.frame()["listener_id"]) == {live_name(0), *map(listener_name, range(3))}


@pytest.mark.slow
def test_nobody_is_simulated_where_people_have_played(store, tracks):
    store.plays.upsert([{"event_id": "1", "listener_id": "me", "track_id": 100, "at": 0, "simulated": False}])
    assert simulate_plays(store, tracks, 5, seed=0).data.startswith("1 events of real listeners are stored: ")
    store.plays.upsert([{"event_id": "2", "listener_id": "s", "track_id": 100, "at": 0, "simulated": True}])
    assert "beside 1 of **simulated** ones" in simulate_plays(store, tracks, 5, seed=0).data
    assert store.plays.count() == 2
