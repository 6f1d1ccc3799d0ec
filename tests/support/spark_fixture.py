"""One Spark session for all tests of a process that need no services."""

import pytest

from segue.settings import Settings
from segue.spark import session


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    home = tmp_path_factory.mktemp("spark")
    running = session(Settings(home=home))
    running.sparkContext.setCheckpointDir(str(home / "checkpoints"))
    return running
