"""Homes of a test's own that take the jars which the session's services have resolved."""

from collections.abc import Callable
from pathlib import Path

import pytest

from segue.settings import Settings
from support.own_services import take_jars


@pytest.fixture
def new_home(services: Settings, tmp_path: Path) -> Callable[..., Settings]:
    """Make settings of a new home with the jars in place; nothing runs there yet."""

    def make(**fields: object) -> Settings:
        settings = services.model_copy(update={"home": tmp_path / "home", **fields})
        take_jars(services, settings)
        return settings

    return make
