"""Services of one test's own, which it may kill, from the jars that the session's have resolved."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segue.services import down, up
from segue.settings import Settings


@contextmanager
def own_services(services: Settings, home: Path) -> Iterator[Settings]:
    """Start a Kafka and a document store under ``home``; end them afterwards."""
    settings = services.model_copy(update={"home": home})
    for service, folder in (("kafka", "lib"), ("mongo", "lib"), ("mongo", "classes")):
        source = services.address_file(service).with_name(folder)
        if source.exists():
            shutil.copytree(source, settings.address_file(service).with_name(folder), copy_function=os.link)
    try:
        up(settings, lambda line: None)
        yield settings
    finally:
        down(settings, lambda line: None)
