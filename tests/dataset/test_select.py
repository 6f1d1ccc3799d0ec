"""From the words of the command line to a data set, or to what is wrong with them."""

import os
from pathlib import Path

import pytest

from segue.dataset.demo import DemoDataset
from segue.dataset.folder import FolderDataset
from segue.dataset.select import absolute, open_dataset, prepare
from segue.errors import UsageError
from segue.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def test_the_usual_demo_and_another_have_databases_of_their_own(settings: Settings):
    usual = open_dataset(settings)
    assert isinstance(usual, DemoDataset)
    assert usual.database == "segue_demo"
    assert open_dataset(settings, tracks=24, seed=3).database == "segue_demo_24_3"
    assert open_dataset(settings, tracks=24, name="mine").database == "segue_mine"


def test_a_folder_is_found_from_where_a_person_stands(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "a.mp3").touch()
    monkeypatch.chdir(tmp_path)
    found = open_dataset(settings, "folder", path="music")
    assert isinstance(found, FolderDataset)
    assert found.root == str(tmp_path / "music")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_dataset(settings, "folder", path="~/music").root == found.root
    assert absolute("") == ""
    assert absolute("s3://bucket/music") == "s3://bucket/music"
    assert absolute("x") == os.path.join(str(tmp_path), "x")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"dataset": "dmo"}, "choose one of demo, fma, folder"),
        ({"dataset": "folder"}, "needs --path"),
        ({"dataset": "fma", "path": "/no/such/place"}, "/no/such/place does not exist: give --path"),
        ({"dataset": "folder", "path": __file__}, "is not a folder: give --path"),
        ({"dataset": "demo", "path": "/tmp"}, "leave --path out"),
        ({"dataset": "folder", "path": "/tmp", "subset": "small"}, "a subset belongs to FMA"),
        ({"dataset": "fma", "path": "/tmp", "subset": "tiny"}, "choose one of small"),
        ({"dataset": "fma", "path": "/tmp", "name": "My Music"}, "cannot name a database"),
        ({"dataset": "demo", "tracks": 1}, "8"),
    ],
)
def test_wrong_words_are_refused(settings: Settings, words: dict, said: str):
    with pytest.raises(UsageError, match=said):
        open_dataset(settings, **words)


def test_fma_in_two_places_can_be_told_apart(settings: Settings, shared_data: Path):
    found = open_dataset(settings, "fma", path=str(shared_data), subset="small")
    assert found.database == "segue_fma_small"
    named = open_dataset(settings, "fma", path=str(shared_data), subset="small", name="copy")
    assert named.database == "segue_fma_small_copy"


def test_only_what_makes_itself_is_prepared(settings: Settings, tmp_path: Path):
    (tmp_path / "a.mp3").touch()
    folder = FolderDataset(tmp_path)
    assert prepare(folder) is folder

    class Made(FolderDataset):
        said: list[str] = []  # noqa: RUF012

        def prepare(self, report) -> None:
            report("made")

    prepare(Made(tmp_path), Made.said.append)
    assert Made.said == ["made"]
