import pytest

from segue.spark import session
from support.tones import write_tone


@pytest.fixture(scope="session")
def spark(services):
    spark = session(services)
    yield spark
    spark.stop()


@pytest.fixture
def tones(tmp_path):
    """A folder of forty tones of two seconds."""
    for seed in range(40):
        write_tone(tmp_path / "tones" / f"album {seed % 4}" / f"{seed:02d}.wav", seed)
    return tmp_path / "tones"
