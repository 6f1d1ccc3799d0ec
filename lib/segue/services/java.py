"""Find a Java that can run the local services, and say what to install when there is none."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from segue.errors import SegueError

OLDEST = 17
_INSTALL = "install a JDK 17 or later (Debian: openjdk-17-jdk-headless; conda-forge: openjdk)"


@dataclass(frozen=True)
class Java:
    """A Java launcher and its version."""

    path: Path
    version: int

    @cached_property
    def has_compiler(self) -> bool:
        """Tell a JDK from a JRE: whether the module ``jdk.compiler`` is there."""
        modules = subprocess.run(
            [self.path, "--list-modules"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return bool(re.search(r"^jdk\.compiler\b", modules.stdout, re.MULTILINE))

    def compile(self, source: Path, jars: Sequence[Path], classes: Path) -> None:
        """Compile one source file into the folder ``classes``.

        Raises
        ------
        SegueError
            If this Java has no compiler.
        """
        if not self.has_compiler:
            raise SegueError(
                f"the Java at {self.path} has no compiler (a JRE) and the local document store needs one: "
                f"{_INSTALL}, or set SEGUE_MONGO, or put a mongod on the PATH"
            )
        done = subprocess.run(
            [
                self.path, "-m", "jdk.compiler/com.sun.tools.javac.Main", "--release", str(OLDEST),
                "-proc:none", "-cp", os.pathsep.join(map(str, jars)), "-d", classes, source,
            ],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SegueError(f"{source.name} does not compile: {first_line(done.stderr or done.stdout)}")


def find() -> Java:
    """Return the Java of ``JAVA_HOME`` if that is set, else the one on the ``PATH``.

    Raises
    ------
    SegueError
        If there is none, or it is older than 17.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if found is None:
        where = f"JAVA_HOME is {home} and holds no bin/java" if home else "there is no java on the PATH"
        raise SegueError(f"{where}: {_INSTALL}, or set SEGUE_KAFKA and SEGUE_MONGO to services of yours")
    shown = subprocess.run(
        [found, "-XshowSettings:properties", "-version"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    version = re.search(r"java\.specification\.version = (?:1\.)?(\d+)", shown.stderr)
    if version is None:
        raise SegueError(f"{found} is not a Java that runs: {_INSTALL}")
    if int(version[1]) < OLDEST:
        raise SegueError(f"{found} is Java {version[1]}, too old for the local services: {_INSTALL}")
    return Java(Path(found), int(version[1]))


def first_line(output: str) -> str:
    """Return the first line that a Java program printed, other than the JVM's own remarks."""
    lines = (line for line in output.splitlines() if line and not line.startswith("Picked up "))
    return next(lines, "it said nothing")
