"""The files of deploy/ say what this version of Segue, nginx and Kafka understand."""

import ipaddress
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from segue.cli import app
from segue.services import kafka
from segue.settings import Settings
from support.proxy import CONFIGURATION, command, write_configuration

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
SECRETS = {
    "MONGO_PASSWORD": "0" * 64, "COOKIE_SECRET": "1" * 64, "MONITOR_TOKEN": "2" * 64, "MUSIC": "/music",
    "TLS_FOLDER": "./tls", "ACME_FOLDER": "./acme",
}  # fmt: skip
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
_SERVICE_KEYS = {
    "image", "build", "init", "restart", "cap_drop", "security_opt", "command", "environment", "networks",
    "depends_on", "healthcheck", "stop_grace_period", "mem_limit", "volumes", "ports", "profiles",
}  # fmt: skip


def filled(value: Any) -> Any:
    """Return a part of the compose file with its variables filled in."""
    if isinstance(value, dict):
        return {name: filled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each) for each in value]
    return _VARIABLE.sub(lambda found: SECRETS[found[1]], value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return filled(yaml.safe_load((DEPLOY / "compose.yaml").read_text()))


@pytest.fixture(scope="module")
def services_of(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return compose["services"]


def segue_services(services_of: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: each for name, each in services_of.items() if each["image"] == "segue"}


def test_the_compose_file_has_only_what_compose_knows(compose: dict[str, Any]) -> None:
    assert {name for name in compose if not name.startswith("x-")} == {
        "name", "services", "networks", "volumes"
    }  # fmt: skip
    for name, service in compose["services"].items():
        assert set(service) <= _SERVICE_KEYS, name


def test_variables_of_the_compose_file_stand_in_the_example() -> None:
    asked = {found[1] for found in _VARIABLE.finditer((DEPLOY / "compose.yaml").read_text())}
    example = re.findall(r"^(\w+)=", (DEPLOY / "env.example").read_text(), re.M)
    assert asked == set(example) == set(SECRETS)


def test_what_services_name_is_there(compose: dict[str, Any], services_of: dict[str, dict[str, Any]]) -> None:
    for name, service in services_of.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or source.startswith((".", "/")), (name, volume)
        assert set(service["networks"]) <= set(compose["networks"]), name
        for needed, how in service.get("depends_on", {}).items():
            other = services_of[needed]
            if how["condition"] == "service_healthy":
                assert "healthcheck" in other, (name, needed)
            else:
                assert how["condition"] == "service_completed_successfully"
                assert other["restart"] == "no", (name, needed)
    used = {volume.split(":")[0] for each in services_of.values() for volume in each.get("volumes", [])}
    assert set(compose["volumes"]) <= used


def test_settings_of_services_are_settings_of_segue(
    services_of: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {f"SEGUE_{name.upper()}" for name in Settings.model_fields}
    for name, service in segue_services(services_of).items():
        environment = service["environment"]
        assert set(environment) <= known, name
        with monkeypatch.context() as patch:
            for variable, value in environment.items():
                patch.setenv(variable, value)
            settings = Settings()
        assert settings.mongo_uri.startswith("mongodb://segue:000")
        assert settings.kafka_bootstrap == "kafka:9092"


def test_commands_of_services_are_commands_of_segue(services_of: dict[str, dict[str, Any]]) -> None:
    for service in segue_services(services_of).values():
        first, *rest = service["command"]
        found = app.commands[first]
        if hasattr(found, "commands"):
            found, rest = found.commands[rest[0]], rest[1:]
        found.make_context(first, rest)


def test_only_the_proxy_is_open_to_the_world(
    compose: dict[str, Any], services_of: dict[str, dict[str, Any]]
) -> None:
    assert [name for name, each in services_of.items() if "ports" in each] == ["proxy"]
    assert compose["networks"]["back"]["internal"] is True
    assert services_of["mongo"]["networks"] == services_of["kafka"]["networks"] == ["back"]
    assert services_of["proxy"]["networks"] == ["front"]


def test_the_store_has_a_password_and_it_is_the_one_that_segue_uses(
    services_of: dict[str, dict[str, Any]],
) -> None:
    store = services_of["mongo"]["environment"]
    login = f"{store['MONGO_INITDB_ROOT_USERNAME']}:{store['MONGO_INITDB_ROOT_PASSWORD']}@mongo:27017/"
    for service in segue_services(services_of).values():
        assert service["environment"]["SEGUE_MONGO"] == f"mongodb://{login}?authSource=admin"


def test_players_share_secrets_and_nothing_that_one_process_owns(
    compose: dict[str, Any], services_of: dict[str, dict[str, Any]]
) -> None:
    one, other = services_of["player-1"], services_of["player-2"]
    assert one["environment"] == other["environment"]
    subnet = compose["networks"]["front"]["ipam"]["config"][0]["subnet"]
    assert one["environment"]["SEGUE_PLAYER_PROXIES"] == subnet
    assert ipaddress.ip_network(subnet).is_private
    shared = set(one["volumes"]) & set(other["volumes"])
    assert shared == {"runs:/srv/segue/runs:ro", "demo:/srv/segue/var/demo:ro", "/music:/music:ro"}


def test_the_proxy_leads_to_the_players(services_of: dict[str, dict[str, Any]]) -> None:
    named = re.findall(r"server ([\w-]+):(\d+) ", CONFIGURATION.read_text())
    port = services_of["player-1"]["environment"]["SEGUE_PLAYER_PORT"]
    players = [name for name, each in services_of.items() if each.get("command") == ["player"]]
    assert named == [(name, port) for name in players]


def test_the_broker_is_of_the_version_that_is_tested(services_of: dict[str, dict[str, Any]]) -> None:
    assert services_of["kafka"]["image"] == f"apache/kafka:{kafka.VERSION}"
    told = {name.removeprefix("KAFKA_") for name in services_of["kafka"]["environment"]}
    assert all(
        f"\n{name.replace('_', '.').lower()}=" in f"\n{kafka._PROPERTIES}" for name in told - {"NODE_ID"}
    )


def test_the_container_file_builds_from_what_is_in_the_repository() -> None:
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    names = [name for name, _ in lines]
    assert set(names) <= {"FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "ENTRYPOINT", "CMD"}
    assert names[0] == "FROM"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = re.match(r"python:(\d+\.\d+)-", lines[0][1])
    assert version
    assert version[1] in SpecifierSet(project["requires-python"])
    copied = [source for name, rest in lines if name == "COPY" for source in rest.split()[:-1]]
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        tracked = subprocess.run(["git", "ls-files", source], cwd=ROOT, capture_output=True, check=True)
        assert tracked.stdout, source
    assert {project["readme"], *project["license-files"], "lib", "notebooks"} <= set(copied)
    assert dict(lines)["USER"] == "segue"
    assert dict(lines)["ENTRYPOINT"] == '["segue"]'
    assert "segue" in project["scripts"]
    assert dict(lines)["ENV"].startswith("SEGUE_HOME=")


def test_nginx_understands_its_configuration(tmp_path: Path) -> None:
    file = write_configuration(tmp_path, ["127.0.0.1:8866", "127.0.0.1:8867"], 8443, 8080)
    done = subprocess.run(command(tmp_path, file, "-t"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_the_manual_names_every_file_and_service(services_of: dict[str, dict[str, Any]]) -> None:
    text = (ROOT / "docs" / "deploy.md").read_text()
    for file in DEPLOY.iterdir():
        if file.name != ".env":
            assert file.name in text, file.name
    for name in [*services_of, *SECRETS]:
        assert re.search(rf"\b{re.escape(name)}\b", text), name
    for target in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (ROOT / "docs" / target).exists(), target
