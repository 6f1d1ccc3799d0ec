"""The local document store: a ``mongod`` of the PATH, else MongoDB's wire protocol over an H2 file."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

from segue.services import ivy, ports
from segue.services.java import Java
from segue.services.process import ServiceFolder

DEPENDENCIES = (
    "de.bwaldvogel:mongo-java-server-h2-backend:1.47.0",
    "org.slf4j:slf4j-simple:2.0.17",
)
EMBEDDED = "embedded H2"
MONGOD = "mongod"

_JVM = (
    "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=15", "-XX:ParallelGCThreads=2", "-XX:ConcGCThreads=1",
    "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-cp", "classes:lib/*",
)  # fmt: skip


def mongod() -> Path | None:
    """Return the ``mongod`` of the PATH."""
    found = shutil.which("mongod")
    return Path(found) if found else None


def prepare(folder: ServiceFolder, java: Java) -> None:
    """Fetch the embedded store's jars and compile its one source file, each unless it was done before."""
    ivy.resolve(java, DEPENDENCIES, folder.path / "lib", folder.log)
    source = files("segue.services").joinpath("Store.java")
    version = hashlib.sha256(source.read_bytes() + "".join(DEPENDENCIES).encode()).hexdigest()
    classes = folder.path / "classes"
    marker = classes / "source.sha256"
    if marker.is_file() and marker.read_text() == version:
        return
    for rest in folder.path.glob("compile-*"):
        shutil.rmtree(rest, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix="compile-", dir=folder.path))
    with as_file(source) as path:
        java.compile(path, sorted((folder.path / "lib").glob("*.jar")), new)
    (new / marker.name).write_text(version)
    shutil.rmtree(classes, ignore_errors=True)
    new.rename(classes)


def embedded_command(java: Java, port: int, options: Sequence[str] = ()) -> list[str | Path]:
    """Return what starts the embedded store, relative to its folder."""
    return [java.path, *_JVM, *options, "Store", str(port), "store.mv"]


def mongod_command(folder: ServiceFolder, program: Path, port: int) -> list[str | Path]:
    """Make the data folder and return what starts ``mongod``, relative to the service's folder."""
    (folder.path / "mongod").mkdir(exist_ok=True)
    return [
        program, "--dbpath", "mongod", "--bind_ip", ports.LOOPBACK, "--port", str(port), "--nounixsocket",
        "--quiet",
    ]  # fmt: skip
