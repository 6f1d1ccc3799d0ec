"""``segue services fetch|up|down|status``."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from segue.errors import SegueError
from segue.services import docstore, health, java, kafka, ports, topics
from segue.services.process import Record, ServiceFolder, is_gone
from segue.settings import Settings

Report = Callable[[str], object]
Name = Literal["kafka", "mongo"]
NAMES: tuple[Name, ...] = ("kafka", "mongo")

_LEAST_FREE_MB = 500
_START_S = 120.0
_ADOPT_S = 30.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What is known of one service.

    ``state`` is ``up``, ``down``, ``external`` (one of the user's that answers) or ``unhealthy`` (it should
    answer and does not). ``address`` is ``host:port``, or the value of the environment variable.
    """

    name: Name
    state: Literal["up", "down", "external", "unhealthy"]
    address: str | None
    pid: int | None
    kind: str
    log: Path | None


def fetch(settings: Settings, report: Report = print) -> None:
    """Fetch and compile whatever `up` needs, so that it starts without a network.

    Raises
    ------
    SegueError
        If something cannot be had; the text says what to do.
    """
    wanted = [name for name in NAMES if not _external(settings, name)]
    if docstore.mongod() and "mongo" in wanted:
        wanted.remove("mongo")
    with _alone(settings, report), ThreadPoolExecutor(len(NAMES)) as pool:
        _check_space(settings.var)
        for _ in pool.map(lambda name: _prepare(_folder(settings, name), name, report), wanted):
            pass


def up(settings: Settings, report: Report = print) -> None:
    """Start what does not run yet, wait until it serves, and create the topics.

    A service of the user's (``SEGUE_KAFKA``, ``SEGUE_MONGO``) is only asked whether it answers.

    Raises
    ------
    SegueError
        If a service cannot be had; each line of the text says what to do. The other one stays up.
    """
    with _alone(settings, report), ThreadPoolExecutor(len(NAMES)) as pool:
        outcomes = [pool.submit(_up, settings, name, report) for name in NAMES]
        errors = [outcome.exception() for outcome in outcomes]
    for error in errors:
        if error is not None and not isinstance(error, SegueError):
            raise error
    texts = dict.fromkeys(str(error) for error in errors if error is not None)
    if texts:
        raise SegueError("\n".join(texts))


def down(settings: Settings, report: Report = print, names: Sequence[Name] = NAMES) -> None:
    """End those of ``names`` that `up` started, in order; services of the user's are left alone."""
    with _alone(settings, report), ThreadPoolExecutor(len(NAMES)) as pool:
        for _ in pool.map(lambda name: _down(settings, name, report), names):
            pass


def status(settings: Settings) -> list[ServiceStatus]:
    """Return the state of both services without changing anything."""
    with ThreadPoolExecutor(len(NAMES)) as pool:
        return list(pool.map(lambda name: _status(settings, name), NAMES))


def _status(settings: Settings, name: Name) -> ServiceStatus:
    own = _external(settings, name)
    if own:
        state: Literal["external", "unhealthy"] = "external" if health.answers(name, own) else "unhealthy"
        return ServiceStatus(name, state, own, None, f"SEGUE_{name.upper()}", None)
    folder = _folder(settings, name)
    log = folder.log if folder.log.exists() else None
    record = folder.running()
    if record is None:
        return ServiceStatus(name, "down", None, None, _kind(name), log)
    serves = settings.address_file(name).exists() and health.answers(name, record.address)
    return ServiceStatus(name, "up" if serves else "unhealthy", record.address, record.pid, record.kind, log)


def _up(settings: Settings, name: Name, report: Report) -> None:
    own = _external(settings, name)
    if own:
        if not health.answers(name, own):
            raise SegueError(
                f"nothing that serves as {name} answers at SEGUE_{name.upper()}={own}: start it, correct the "
                "address, or unset it to use the local one"
            )
        report(f"{name}: {own} answers (SEGUE_{name.upper()})")
    else:
        try:
            _up_local(settings, name, report)
        except OSError as error:
            raise SegueError(
                f"{name}: {error.filename or settings.var}: {error.strerror}; mend that, then run "
                "`segue services up` again"
            ) from error
    if name == "kafka":
        topics.ensure(settings, own=own is None, report=report)


def _up_local(settings: Settings, name: Name, report: Report) -> None:
    folder = _folder(settings, name)
    folder.path.mkdir(parents=True, exist_ok=True)
    record = folder.running()
    if record and _serves(name, folder, record, _ADOPT_S):
        _publish(settings, name, record)
        report(f"{name}: already up at {record.address} ({record.kind}, process {record.pid})")
        return
    settings.address_file(name).unlink(missing_ok=True)
    last = folder.last()
    folder.stop()
    began = time.monotonic()
    record = _start(settings, name, folder, last, report)
    _publish(settings, name, record)
    took_s = time.monotonic() - began
    report(f"{name}: up at {record.address} ({record.kind}, process {record.pid}, {took_s:.1f} s)")


def _start(
    settings: Settings, name: Name, folder: ServiceFolder, last: Record | None, report: Report
) -> Record:
    _check_space(settings.var)
    program = docstore.mongod() if name == "mongo" else None
    if program is None:
        jdk = _prepare(folder, name, report)
    options = settings.java_options.split()
    while True:
        port = ports.choose(settings, name, last.port if last else None, report)
        address = f"{ports.LOOPBACK}:{port}"
        if name == "kafka":
            record = folder.start(kafka.command(folder, jdk, port, options), kafka.KIND, address)
        elif program is not None:
            record = folder.start(docstore.mongod_command(folder, program, port), docstore.MONGOD, address)
        else:
            record = folder.start(docstore.embedded_command(jdk, port, options), docstore.EMBEDDED, address)
        if _serves(name, folder, record, _START_S):
            return record
        folder.stop()
        if not ports.is_free(port):
            continue
        raise SegueError(f"{name} does not start: see the end of {folder.log}")


def _prepare(folder: ServiceFolder, name: Name, report: Report) -> java.Java:
    """Make ready what Java starts a service from."""
    folder.path.mkdir(parents=True, exist_ok=True)
    jdk = java.find()
    if not (folder.path / "lib").exists():
        report(f"{name}: fetching its jars, once")
    (kafka if name == "kafka" else docstore).prepare(folder, jdk)
    return jdk


def _serves(name: Name, folder: ServiceFolder, record: Record, patience_s: float) -> bool:
    """Wait until a process serves; False when it ends or its time is up."""
    limit = time.monotonic() + patience_s
    while time.monotonic() < limit:
        if folder.listens(record) and health.answers(name, record.address):
            return True
        if is_gone(record.pid):
            return False
        time.sleep(_POLL_S)
    return False


def _down(settings: Settings, name: Name, report: Report) -> None:
    settings.address_file(name).unlink(missing_ok=True)
    ended = _folder(settings, name).stop()
    report(f"{name}: ended process {', '.join(map(str, ended))}" if ended else f"{name}: nothing to end")


def _publish(settings: Settings, name: Name, record: Record) -> None:
    file = settings.address_file(name)
    part = file.with_suffix(".part")
    part.write_text(record.address + "\n")
    part.replace(file)


def _check_space(path: Path) -> None:
    free = shutil.disk_usage(path).free // 1_000_000
    if free < _LEAST_FREE_MB:
        raise SegueError(
            f"only {free} MB are free under {path} and the services need {_LEAST_FREE_MB}: free some space, "
            "or set SEGUE_HOME to a folder on another disk"
        )


def _external(settings: Settings, name: Name) -> str | None:
    return settings.kafka if name == "kafka" else settings.mongo


def _kind(name: Name) -> str:
    if name == "kafka":
        return kafka.KIND
    return docstore.MONGOD if docstore.mongod() else docstore.EMBEDDED


def _folder(settings: Settings, name: Name) -> ServiceFolder:
    return ServiceFolder(settings.address_file(name).parent)


@contextlib.contextmanager
def _alone(settings: Settings, report: Report) -> Iterator[None]:
    """Hold the lock that keeps two `up` or `down` of one home apart."""
    path = settings.var / "services" / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise SegueError(
            f"{path.parent} cannot be written ({error.strerror}): mend that, or set SEGUE_HOME to a folder "
            "on another disk"
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("another `segue services` is at work here: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
