"""Resolve the services' jars by name through the Apache Ivy that PySpark carries."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import quoteattr

from segue.errors import SegueError
from segue.services.java import Java

MARKER = "complete.json"
_UNREACHED = ("UNRESOLVED DEPENDENCIES", "FAILED DOWNLOADS", "UnknownHost", "Host not found")


def cache_folder() -> Path:
    """Return the user's cache of downloaded jars, shared by every checkout."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "segue" / "ivy"


def resolve(java: Java, dependencies: Sequence[str], lib: Path, log: Path) -> None:
    """Put the jars of ``org:name:revision`` coordinates and of what they need into ``lib``.

    Nothing is done when ``lib`` is complete; an interrupted resolution is taken up again from the cache.

    Raises
    ------
    SegueError
        If they cannot be fetched; Ivy's own words are in ``log``.
    """
    if is_complete(dependencies, lib):
        return
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    module = lib / "ivy.xml"
    command: list[str | Path] = [
        java.path, "-jar", _ivy_jar(), "-cache", cache, "-ivy", module, "-confs", "default",
        "-retrieve", f"{lib}/[artifact]-[revision](-[classifier]).[ext]",
    ]  # fmt: skip
    with (cache / "lock").open("w") as lock, log.open("ab") as out:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(lib, ignore_errors=True)
        lib.mkdir(parents=True)
        module.write_text(_module(dependencies))
        start = out.tell()
        # Ivy holds the lock too: should this process be killed, the next one waits for that Ivy to end.
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            pass_fds=(lock.fileno(),),
            check=False,
        )
    if done.returncode:
        raise SegueError(_explain(log.read_bytes()[start:].decode(errors="replace"), lib, cache, log))
    jars = {jar.name: jar.stat().st_size for jar in sorted(lib.glob("*.jar"))}
    _write_whole(lib / MARKER, json.dumps({"dependencies": list(dependencies), "jars": jars}, indent=1))


def is_complete(dependencies: Sequence[str], lib: Path) -> bool:
    """Tell whether ``lib`` holds every jar of these dependencies at its full size."""
    try:
        marker = json.loads((lib / MARKER).read_text())
        return marker["dependencies"] == list(dependencies) and all(
            (lib / name).stat().st_size == size for name, size in marker["jars"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


def _explain(output: str, lib: Path, cache: Path, log: Path) -> str:
    name = lib.parent.name
    if "No space left on device" in output:
        return (
            f"the disk is full: free some space under {lib} and {cache}, then run `segue services up` again"
        )
    if any(sign in output for sign in _UNREACHED):
        return (
            f"the jars of {name} could not be fetched: the first start needs the network; connect and run "
            f"`segue services up` again, or copy {cache} from a machine that has them (details: {log})"
        )
    return f"the jars of {name} could not be resolved: see the end of {log}"


def _module(dependencies: Sequence[str]) -> str:
    lines = []
    for dependency in dependencies:
        organisation, name, revision = map(quoteattr, dependency.split(":"))
        lines.append(f'<dependency org={organisation} name={name} rev={revision} conf="*->default"/>')
    return (
        '<ivy-module version="2.0"><info organisation="segue" module="services"/>'
        '<configurations><conf name="default"/></configurations>'
        f"<dependencies>{''.join(lines)}</dependencies></ivy-module>"
    )


def _ivy_jar() -> Path:
    spec = find_spec("pyspark")
    jars = sorted(Path(spec.origin).parent.glob("jars/ivy-*.jar")) if spec and spec.origin else []
    if not jars:
        raise SegueError(
            "PySpark's Ivy is not installed: install pyspark with its jars (`pip install pyspark`)"
        )
    return jars[-1]


def _write_whole(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text)
    part.replace(path)
