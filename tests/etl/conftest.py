import shutil

import pytest

from segue.spark import session
from support.tones import write_tone


@pytest.fixture(scope="session")
def spark(services):
    spark = session(services)
    yield spark
    spark.stop()


@pytest.fixture(scope="session")
def kept_tones(tmp_path_factory):
    """A folder of forty tones of two seconds, not to be changed."""
    folder = tmp_path_factory.mktemp("tones")
    for seed in range(40):
        write_tone(folder / f"album {seed % 4}" / f"{seed:02d}.wav", seed)
    return folder


@pytest.fixture
def tones(kept_tones, tmp_path):
    """A copy of the tones for one test."""
    return shutil.copytree(kept_tones, tmp_path / "tones")
