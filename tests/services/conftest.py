"""Homes of a test's own that take the jars which the session's services have resolved."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from segue.settings import Settings


@pytest.fixture
def new_home(services: Settings, tmp_path: Path) -> Callable[..., Settings]:
    """Make settings of a new home with the jars in place; nothing runs there yet."""

    def make(**fields: object) -> Settings:
        settings = services.model_copy(update={"home": tmp_path / "home", **fields})
        for service, folder in (("kafka", "lib"), ("mongo", "lib"), ("mongo", "classes")):
            source = services.address_file(service).with_name(folder)
            target = settings.address_file(service).with_name(folder)
            if getattr(settings, service) is None:
                shutil.copytree(source, target, copy_function=os.link)
        return settings

    return make
