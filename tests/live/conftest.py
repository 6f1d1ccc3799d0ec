"""A small world of each test's own on the session's services."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from segue.settings import Settings
from segue.store import Store
from support.live_world import World


@pytest.fixture
def world(services: Settings, store: Store, tmp_path: Path) -> Iterator[World]:
    """Sixty tracks with fitted models in a database and a home of their own."""
    built = World.build(services, tmp_path / "home", store)
    yield built
    built.close()
