"""What the player is given of each track."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from segue.errors import SegueError
from segue.models import create
from segue.notebook import Catalogue, Run, attempt
from segue.notebook.cards import farthest_first, sound_prints, write_cards
from segue.store.cards import PRINT
from support.small_models import SMALL_MODELS

pytestmark = pytest.mark.slow


@pytest.fixture
def run(tmp_path) -> Run:
    folder = tmp_path / "runs" / "r"
    folder.mkdir(parents=True)
    (folder / "dataset.json").write_text(json.dumps({"title": "Tones", "database": "d"}))
    return Run(folder, "03_models")


def fitted(run: Run, catalogue: Catalogue, spark, *names: str) -> None:
    for name in names:
        create(name, spark=spark, **SMALL_MODELS.get(name, {})).fit(catalogue.training_data()).save(
            run.new_model(name)
        )


def shelves(store) -> dict:
    return store.meta.find_one({"_id": "shelves"})


def test_every_track_gets_a_card_from_what_the_run_holds(run, catalogue, store, spark):
    names = ("exact", "lsh", "kmeans", "als")
    fitted(run, catalogue, spark, *names)
    places = pd.DataFrame({"x": np.arange(24.0), "y": -1.0}, index=catalogue.tracks.index)
    run.save_table("map", places.astype("float32"))
    told = write_cards(run, catalogue, store).set_index("tracks with")["count"]
    assert told["a card"] == told["a cluster"] == told["neighbours by exact"] == store.cards.count() == 24
    card = store.cards.by_ids([103])[103]
    assert (card.title, card.artist, card.genre, card.album) == ("Song 3", "Artist 3", "House", "")
    assert card.text == "song 3 artist 3 house"
    assert (card.licence, card.attribution_url) == ("CC BY 4.0", "https://example.org/a?b=1&c=<2>")
    assert (card.duration_s, card.composed, card.xy) == (2.0, False, [3.0, -1.0])
    for name in names:
        alone = run.load_model(name).similar([103], 10)
        assert card.neighbours[name] == [item.track_id for item in alone]
    kmeans = run.load_model("kmeans")
    assert card.cluster == kmeans.labels[3]
    assert len(card.print) == len(PRINT) == 20
    assert store.cards.by_ids([100])[100].composed


def test_the_shelves_say_what_is_popular_and_what_differs(run, catalogue, store, spark):
    fitted(run, catalogue, spark, "exact")
    write_cards(run, catalogue, store)
    found = shelves(store)
    assert {name: found[name] for name in ("run", "title", "tracks", "composed", "simulated", "played")} == {
        "run": "r", "title": "Tones", "tracks": 24, "composed": 1, "simulated": True, "played": True,
    }  # fmt: skip
    artists = [catalogue.tracks.loc[track, "artist_id"] for track in found["popular"]]
    # Two of each of the four artists would not fill a shelf: all are there.
    assert max(artists.count(artist) for artist in artists) == 6
    listeners = catalogue.plays[catalogue.plays["kind"].isin(["complete", "play", "like"])]
    most = listeners.groupby("track_id")["listener_id"].nunique()
    assert most[found["popular"][0]] >= most.median()
    heard = {
        track: card.listeners for track, card in store.cards.by_ids(catalogue.tracks.index.tolist()).items()
    }
    assert heard[found["popular"][0]] == max(heard.values()) > 0
    assert not {122, 123} <= set(found["popular"])
    # The two genres lie apart: the first two that are offered differ in it.
    first, second = found["starters"][:2]
    assert first % 2 != second % 2
    assert len(set(found["starters"])) == 12


def test_without_plays_or_genres_the_shelves_are_a_mix(run, catalogue, store):
    bare = replace(catalogue, tracks=catalogue.tracks.assign(genre_top=None), plays=pd.DataFrame())
    create("exact").fit(bare.training_data()).save(run.new_model("exact"))
    told = write_cards(run, bare, store).set_index("tracks with")["count"]
    assert told["neighbours by als"] == told["a place on the map"] == told["a cluster"] == 0
    found = shelves(store)
    assert not found["played"]
    assert not found["simulated"]
    assert found["popular"]
    assert found["newest"] == list(range(123, 99, -1)), "files of one time stand by their ids"
    assert store.cards.by_ids([103])[103].genre == ""


def test_one_track_is_a_card_and_none_a_reason(run, catalogue, store):
    alone = replace(
        catalogue, tracks=catalogue.tracks.head(1), features=catalogue.features.head(1), plays=pd.DataFrame()
    )
    create("exact").fit(alone.training_data()).save(run.new_model("exact"))
    write_cards(run, alone, store)
    assert store.cards.count() == 1
    assert shelves(store)["popular"] == shelves(store)["starters"] == [100]
    print_ = dict(zip(PRINT, store.cards.by_ids([100])[100].print, strict=True))
    assert [print_[name] for name in PRINT[12:]] == [0.5] * 8
    nothing = replace(alone, tracks=alone.tracks.head(0), features=alone.features.head(0))
    assert "no track is usable" in attempt(write_cards, run, nothing, store).why
    assert store.cards.count() == 0
    assert shelves(store) is None


def test_models_of_another_catalogue_are_refused(run, catalogue, store):
    create("exact").fit(catalogue.training_data()).save(run.new_model("exact"))
    fewer = replace(catalogue, tracks=catalogue.tracks.head(9), features=catalogue.features.head(9))
    with pytest.raises(SegueError, match="exact was fitted on other tracks"):
        write_cards(run, fewer, store)


def test_only_web_links_and_words_of_the_catalogue_are_passed_on(run, catalogue, store):
    tracks = catalogue.tracks.copy()
    tracks.loc[101, ["attribution_url", "title", "artist"]] = ["javascript:alert(1)", "<b>Ärger</b>", None]
    tracks.loc[102, "duration_s"] = np.nan
    write_cards(run, replace(catalogue, tracks=tracks), store)
    cards = store.cards.by_ids([101, 102])
    assert cards[101].attribution_url == ""
    assert cards[101].title == "<b>Ärger</b>"
    assert cards[101].text == "<b>ärger</b> house"
    assert cards[102].duration_s == 0
    found, count = store.cards.find("ÄRGER", 10)
    assert (count, found[0].track_id) == (1, 101)


def test_a_print_is_chroma_between_its_weakest_and_strongest_and_ranks(catalogue):
    features = catalogue.features.copy()
    chroma = [f"chroma_cqt.mean.{i:02d}" for i in range(1, 13)]
    features[chroma] = np.abs(features[chroma]) + 0.1
    features.loc[100, chroma] = [0.2, 0.4] + [0.1] * 10
    features["rmse.mean.01"] = np.arange(24.0)
    features["zcr.mean.01"] = 7.0
    prints = sound_prints(features)
    assert list(prints.columns) == list(PRINT)
    np.testing.assert_allclose(prints.loc[100].to_numpy()[:12], [1 / 3, 1.0] + [0.0] * 10)
    np.testing.assert_allclose(prints["loudness"], np.arange(24) / 23)
    assert set(prints["roughness"]) == {0.5}
    assert prints.to_numpy().min() >= 0
    assert prints.to_numpy().max() <= 1


def test_farthest_first_takes_the_corners():
    rows = np.array([[0, 0], [1, 0], [0.9, 0], [0, 3], [0, 0]], dtype=float)
    assert farthest_first(rows, 3) == [0, 3, 1]
    assert farthest_first(rows, 9) == [0, 3, 1, 2]
    assert farthest_first(rows[:0], 3) == []
