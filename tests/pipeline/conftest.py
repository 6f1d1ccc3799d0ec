"""A folder that stands for music, small notebooks, and a way to run them."""

from pathlib import Path

import pytest

from support.small_notebooks import FIRST, FIRST_PARAMETERS, SECOND, Runner, write_notebook


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """A folder with one file; the pipeline lists it and the small notebooks never open it."""
    folder = tmp_path / "music"
    folder.mkdir()
    folder.joinpath("song.mp3").write_bytes(b"not really music")
    return folder


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    """Two notebooks, the second reading what the first wrote."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    write_notebook(folder, "01_first", FIRST_PARAMETERS, FIRST)
    write_notebook(folder, "02_second", "factor = 2.5  # factor, no unit [0..10]; small run: 1\n", SECOND)
    return folder


@pytest.fixture
def pipeline(notebooks: Path, music: Path, tmp_path: Path) -> Runner:
    """A way to run the small notebooks in a home of their own."""
    return Runner(notebooks, music, tmp_path / "home")
