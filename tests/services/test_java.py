"""What a person is told when something is missing. Each message is one line and says what to do."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from segue.errors import SegueError
from segue.services import docstore, ivy, java, up
from segue.services.process import ServiceFolder
from segue.settings import Settings


def _fails(settings: Settings) -> str:
    with pytest.raises(SegueError) as caught:
        up(settings, lambda line: None)
    text = str(caught.value)
    assert "\n" not in text
    return text


def _settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", kafka=None, mongo=None, kafka_port=0, mongo_port=0)


def test_no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    text = _fails(_settings(tmp_path))
    assert text.startswith("there is no java on the PATH: install a JDK 17 or later")


def test_a_java_home_without_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert _fails(_settings(tmp_path)).startswith(f"JAVA_HOME is {tmp_path} and holds no bin/java: install")


@pytest.mark.parametrize(("version", "number"), [("11", "11"), ("1.8", "8")])
def test_an_old_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, number: str) -> None:
    """A script that answers as an old Java does, since no old one can be had here."""
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "    java.specification.version = {version}" >&2\n')
    program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    text = _fails(_settings(tmp_path))
    assert text.startswith(f"{program} is Java {number}, too old for the local services: install a JDK 17")


@pytest.mark.slow
def test_a_jre_without_compiler(services: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jlink = java.find().path.resolve().with_name("jlink")
    if not jlink.is_file():
        pytest.skip("this JDK has no jlink to make a JRE with")
    jre = tmp_path / "jre"
    subprocess.run([jlink, "--add-modules", "java.base", "--output", jre], check=True, capture_output=True)
    folder = ServiceFolder(tmp_path / "mongo")
    shutil.copytree(services.address_file("mongo").parent / "lib", folder.path / "lib")
    monkeypatch.setenv("JAVA_HOME", str(jre))
    with pytest.raises(
        SegueError, match=r"has no compiler \(a JRE\).*install a JDK 17 or later.*SEGUE_MONGO"
    ):
        docstore.prepare(folder, java.find())
    monkeypatch.delenv("JAVA_HOME")
    docstore.prepare(folder, java.find())
    monkeypatch.setenv("JAVA_HOME", str(jre))
    docstore.prepare(folder, java.find())


@pytest.mark.slow
def test_no_network_at_first_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = "".join(
        f" -D{scheme}.proxyHost=127.0.0.1 -D{scheme}.proxyPort=9" for scheme in ("http", "https")
    )
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", nowhere.strip())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lib, log = tmp_path / "kafka" / "lib", tmp_path / "kafka.log"
    with pytest.raises(SegueError, match=r"^the jars of kafka could not be fetched: .* needs the network"):
        ivy.resolve(java.find(), ["org.slf4j:slf4j-simple:2.0.17"], lib, log)
    assert "slf4j-simple" in log.read_text()
    assert not ivy.is_complete(["org.slf4j:slf4j-simple:2.0.17"], lib)


@pytest.mark.slow
def test_an_interrupted_resolution_is_completed(services: Settings, tmp_path: Path) -> None:
    whole = services.address_file("mongo").parent / "lib"
    lib = tmp_path / "mongo" / "lib"
    shutil.copytree(whole, lib)
    assert ivy.is_complete(docstore.DEPENDENCIES, lib)
    jar = max(lib.glob("*.jar"), key=lambda path: path.stat().st_size)
    os.truncate(jar, 1000)
    (lib / "slf4j-simple-2.0.17.jar").unlink()
    assert not ivy.is_complete(docstore.DEPENDENCIES, lib)
    ivy.resolve(java.find(), docstore.DEPENDENCIES, lib, tmp_path / "log")
    assert ivy.is_complete(docstore.DEPENDENCIES, lib)
    assert {j.name: j.read_bytes() for j in lib.glob("*.jar")} == {
        j.name: j.read_bytes() for j in whole.glob("*.jar")
    }


@pytest.fixture
def small_disk(tmp_path: Path):
    """A disk of 64 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    text = _fails(Settings(home=small_disk, kafka=None, mongo=None))
    assert "MB are free under" in text
    assert text.endswith("free some space, or set SEGUE_HOME to a folder on another disk")


def test_a_disk_without_any_space(small_disk: Path) -> None:
    with contextlib.suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as ballast:
        while ballast.write(bytes(1 << 20)):
            pass
    text = _fails(Settings(home=small_disk, kafka=None, mongo=None))
    assert "No space left on device" in text or "only 0 MB are free" in text
