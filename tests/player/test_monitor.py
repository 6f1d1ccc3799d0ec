"""What those who look after the server learn, and that nobody else does: health, counts, log."""

import json
import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from segue.errors import SegueError
from segue.player.journal import open_log
from segue.store import Store
from support.visitor import PASSWORD, Server, Visitor, beside, message, serving, write_notebook

TOKEN = "a-token-for-the-tests-of-monitoring"


@pytest.fixture
def root_log() -> Iterator[None]:
    """Take back what opening a log does to this process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_log_is_one_object_a_line_for_its_owner_only(tmp_path: Path, root_log: None):
    path = tmp_path / "var" / "player.log"
    open_log(path)
    logging.getLogger("some.library").warning("two\nlines of %s", "text")
    try:
        raise ValueError("a reason")
    except ValueError:
        logging.getLogger("some.library").exception("it failed")
    said, failed = lines(path)
    assert said["said"] == "two\nlines of text"
    assert (said["level"], said["from"]) == ("warning", "some.library")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["time"])
    assert "ValueError: a reason" in failed["trace"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_log_is_kept_small(tmp_path: Path, root_log: None):
    path = tmp_path / "player.log"
    open_log(path)
    for _ in range(130):
        logging.getLogger("some.library").warning("x" * 100_000)
    assert sum(each.stat().st_size for each in tmp_path.iterdir()) < 11 << 20
    assert {each.name for each in tmp_path.iterdir()} == {"player.log", "player.log.1"}
    assert (tmp_path / "player.log.1").stat().st_mode & 0o777 == 0o600


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path):
    with pytest.raises(SegueError, match="cannot be written"):
        open_log(tmp_path)


@pytest.mark.slow
def test_the_log_of_requests_tells_route_status_time_and_account_and_no_more(listener: Visitor):
    server = listener.server
    secret = "secret-in-a-query"
    wrong = "not-the-password-at-all"
    listener.get(f"/login?next=/%3F{secret}")
    listener.get("/audio/1", headers={"X-Note": secret, "Range": "bytes=0-9"})
    listener.get(f"/nothing/{secret}?{secret}", headers={"Authorization": f"Bearer {secret}"})
    with Visitor(server) as stranger:
        stranger.form("/login", name=listener.name, password=wrong)
        stranger.get("/login", headers={"Cookie": f"segue={secret}"})
    written = server.log()
    cookie = listener.session.cookies["segue"].strip('"')
    for hidden in (
        secret,
        wrong,
        PASSWORD,
        cookie,
        cookie.split("|")[-1],
        listener.name,
        "127.0.0.1",
        "Bearer",
    ):
        assert hidden not in written, hidden
    told = [each for each in map(json.loads, written.splitlines()) if "route" in each]
    assert all(set(each) == {"time", "level", "route", "method", "status", "ms", "account"} for each in told)
    mine = [each for each in told if each["account"] == listener.account_id]
    assert ("PlayerAudio", "GET", 206) in {(each["route"], each["method"], each["status"]) for each in mine}
    assert ("LogIn", "POST", 401) in {(each["route"], each["method"], each["status"]) for each in told}
    assert all(0 <= each["ms"] < 60_000 for each in told)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/health", "/metrics"])
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "192.0.2.7"}, {"X-Forwarded-For": "127.0.0.1"}, {"X-Forwarded-Proto": "https"},
        {"X-Real-Ip": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}, {"Via": "1.1 proxy"},
        {"Host": "music.example"}, {"Host": "localhost.example"}, {"Host": "127.0.0.1.example"},
        {"Authorization": f"Bearer {TOKEN}"},
    ],
    ids=str,
)  # fmt: skip
def test_a_proxys_visitors_do_not_see_that_it_is_there(visitor: Visitor, path: str, headers: dict[str, str]):
    answer = visitor.get(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    local = {"Host": f"localhost:{visitor.server.host.split(':')[1]}"}
    assert visitor.get(path, headers=local).status_code == 200
    shut = visitor.get(path, headers=headers)
    nothing = visitor.get("/nothing", headers=headers)
    if "Authorization" in headers:
        assert shut.status_code == 200  # From this machine without a token too.
    else:
        assert (shut.status_code, shut.text) == (404, nothing.text)


@pytest.mark.slow
def test_who_holds_the_token_reads_them_from_anywhere(player: Server, catalogue: Store):
    settings = beside(player.settings, "monitored")
    notebook = write_notebook(settings.home / "page.ipynb")
    environment = {"SEGUE_MONITOR_TOKEN": TOKEN, "SEGUE_PLAYER_LOG_ADDRESSES": "true"}
    with serving(settings, notebook, environment) as server:
        away = {"X-Forwarded-For": "192.0.2.7", "Host": "music.example"}
        for path in ("/health", "/metrics"):
            for given in (f"Bearer {TOKEN}", f"bearer {TOKEN}"):
                headers = away | {"Authorization": given}
                assert requests.get(server.url(path), headers=headers, timeout=10).status_code == 200
            for given in (f"Bearer {TOKEN}x", "Bearer ", f"Basic {TOKEN}", b"Bearer \xe9", ""):
                headers = away | {"Authorization": given}
                assert requests.get(server.url(path), headers=headers, timeout=10).status_code == 404
        assert TOKEN not in server.log()
        assert '"address": "192.0.2.7"' in server.log()


def counted(server: Server) -> dict[str, float]:
    """Return every sample by its name and labels."""
    text = requests.get(server.url("/metrics"), timeout=10).text
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.slow
def test_what_happens_is_counted(listener: Visitor):
    server = listener.server
    before = counted(server)
    size = len(listener.get("/audio/1").content)
    listener.get("/audio/1", headers={"Range": "bytes=0-9"})
    listener.get("/nothing")
    with Visitor(server) as stranger:
        stranger.form("/login", name=listener.name, password="not-the-password")
    opened = listener.open_socket(listener.open_page())
    opened.send_binary(message("execute_request", {"code": "1"}))
    opened.send("text")
    time.sleep(0.5)
    after = counted(server)
    opened.close()

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert grown("segue_player_audio_bytes_total") == size + 10
    assert grown("segue_player_logins_refused_total wrong") == 1
    assert grown("segue_player_requests_total 4xx") >= 2
    assert grown("segue_player_requests_total 2xx") >= 3
    dropped = [name for name in after if name.startswith("segue_player_messages_dropped_total")]
    assert sum(map(grown, dropped)) == 2
    assert after["segue_player_sockets"] >= 1
    assert after["segue_player_visitors"] >= 1
    assert after["segue_player_kernels"] >= 1
    assert after["process_resident_memory_bytes"] > 1e6


@pytest.mark.slow
def test_an_answer_on_its_way_is_finished_when_the_server_is_told_to_end(player: Server):
    settings = beside(player.settings, "ending")
    notebook = write_notebook(settings.home / "page.ipynb")
    with serving(settings, notebook) as server, Visitor(server) as visitor:
        visitor.sign_up()
        answer = visitor.session.get(server.url("/audio/9"), stream=True, timeout=10)
        pieces = answer.iter_content(10_000)
        got = len(next(pieces))
        os.kill(server.process.pid, 15)
        time.sleep(0.5)
        got += sum(map(len, pieces))
        assert got == int(answer.headers["Content-Length"]) == 1_300_001
        assert server.process.wait(20) == 0
