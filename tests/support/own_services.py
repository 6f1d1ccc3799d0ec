"""Services of one test's own, which it may kill, from the jars that the session's have resolved."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segue.services import down, up
from segue.settings import Settings

_KEPT = (("kafka", "lib"), ("mongo", "lib"), ("mongo", "classes"))


def take_jars(have: Settings, need: Settings) -> None:
    """Copy what one home has resolved and compiled into another, for the services that it runs itself."""
    for service, folder in _KEPT:
        source = have.address_file(service).with_name(folder)
        if getattr(need, service) is None and source.exists():
            shutil.copytree(source, need.address_file(service).with_name(folder))


@contextmanager
def own_services(services: Settings, home: Path) -> Iterator[Settings]:
    """Start a Kafka and a document store under ``home``; end them afterwards."""
    settings = services.model_copy(update={"home": home})
    take_jars(services, settings)
    try:
        up(settings, lambda line: None)
        yield settings
    finally:
        down(settings, lambda line: None)
