"""The files around the code agree with each other."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
_ONLY_CONDA = {"openjdk", "ffmpeg", "mongodb", "make", "pip"}
_ONLY_PIP = {"click", "confusable-homoglyphs", "crc32c", "soundfile", "soxr"}


def _split(requirement: str) -> tuple[str, str]:
    found = re.fullmatch(r"([A-Za-z0-9_.-]+?)\s*([<>=!~].*)?", requirement)
    assert found, requirement
    return found[1].lower().replace("_", "-"), found[2] or ""


def _project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_conda_environment_has_the_versions_of_pyproject():
    project = _project()
    wanted = dict(map(_split, project["dependencies"]))
    wanted["python"] = project["requires-python"]
    wanted["python-confluent-kafka"] = wanted.pop("confluent-kafka")
    wanted["pytorch"] = dict(map(_split, project["optional-dependencies"]["torch"]))["torch"]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    listed = dict(_split(entry) for entry in environment if isinstance(entry, str))
    assert {name: listed[name] for name in listed.keys() - _ONLY_CONDA} == {
        name: wanted[name] for name in wanted.keys() - _ONLY_PIP
    }
    assert {"pip": ["-e ."]} in environment


def test_constraints_pin_every_dependency_by_plain_version():
    lines = (ROOT / "constraints.txt").read_text().split()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.!+-]+", line) for line in lines)
    pinned = {_split(line)[0] for line in lines}
    project = _project()
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    assert {_split(requirement)[0] for requirement in wanted} <= pinned


def test_every_test_command_of_the_readme_is_in_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"`make ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert {"demo", "test", "test-fast", "soak"} <= named <= targets
