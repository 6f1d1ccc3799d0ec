"""Random requests at every route: never a failure of the server, nothing about its insides in an answer."""

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from support.raw_http import request, send
from support.visitor import Server, Visitor

pytestmark = pytest.mark.slow

RARE = ("HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "G\x00T", "")
METHODS = st.one_of(st.just("GET"), st.sampled_from(["GET", "POST"]), st.sampled_from(RARE))
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=40)
ODD = (
    "%00", "%", "%zz", "..", "%2e%2e%2f", "'\"><script>", "{{7*7}}", "${7*7}", "{'$gt':''}", "\x00", "\x7f",
    "9" * 400, "-1", "1e309", "NaN", "\udcff", "a" * 9_000, "true", "null",
)  # fmt: skip
WORDS = st.one_of(TEXT, st.from_regex(r"[!-~]{0,60}", fullmatch=True), st.sampled_from(ODD))
# What says where a request ends is tried in test_connections.
NAMES = st.sampled_from(
    """Range If-Range If-None-Match If-Match If-Modified-Since Cookie Host Origin Referer Content-Type
    Content-Encoding Accept Accept-Encoding Accept-Language Connection Upgrade X-Forwarded-For
    X-Forwarded-Proto X-Real-Ip X-Segue-Listener X_Segue_Listener X-Xsrftoken X-Http-Method-Override
    Sec-Fetch-Site Sec-WebSocket-Key Sec-WebSocket-Version Sec-WebSocket-Protocol Sec-WebSocket-Extensions
    Authorization Te Trailer Date User-Agent""".split()
)
LIKELY = st.sampled_from(
    [
        "bytes=0-0", "bytes=-1", "bytes=5-2", "bytes=0-1,3-4", "bytes=" + "0-,5-," * 300, '"x"', 'W/"x"', "*",
        "websocket", "close", "keep-alive", "13", "gzip", "https", "127.0.0.1", "application/json",
        "text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
        "multipart/form-data", 'segue="2|1:0|10:1|5:segue|4:eHh4|00"', "_xsrf=2|a|b|1", "localhost:99999",
    ]
)  # fmt: skip
HEADERS = st.dictionaries(st.one_of(NAMES, st.from_regex(r"[A-Za-z-]{1,20}", fullmatch=True)),
                          st.one_of(LIKELY, WORDS), max_size=6)  # fmt: skip
BODIES = st.one_of(
    st.just(""),
    WORDS,
    st.builds(
        lambda name, password, token, more: f"name={name}&password={password}&_xsrf={token}&{more}",
        WORDS, WORDS, WORDS, WORDS,
    ),
    st.just('--x\r\nContent-Disposition: form-data; name="name"\r\n\r\neve\r\n--x--\r\n'),
    st.just("5\r\nabcde\r\n0\r\n\r\n"),
)  # fmt: skip
ASKED = st.sampled_from("next token _xsrf name done template theme session_id path".split())
QUERIES = st.one_of(st.just(""), st.builds(lambda name, value: f"?{name}={value}", ASKED, WORDS))


@pytest.fixture(scope="module")
def inside(player: Server) -> Iterator[Visitor]:
    with Visitor(player) as made:
        yield made.sign_up()


def paths(server: Server) -> st.SearchStrategy[str]:
    """Addresses that some route answers, and such as are near one."""
    patterns = [pattern for pattern, _ in json.loads((server.settings.home / "routes.json").read_text())]
    fitting = st.one_of(
        [st.from_regex(re.compile(each.removesuffix("$")), fullmatch=True) for each in patterns]
    )
    real = st.sampled_from(["/audio/1", "/audio/9", "/login", "/signup", "/health", "/metrics", "/account"])
    changed = st.builds(lambda path, at, word: path[:at] + word + path[at:],
                        st.one_of(fitting, real), st.integers(0, 30), WORDS)  # fmt: skip
    return st.one_of(real, fitting, changed, WORDS.map(lambda word: f"/{word}"), WORDS)


@pytest.mark.parametrize("logged_in", [False, True], ids=["stranger", "listener"])
def test_no_request_makes_the_server_fail_or_tell_of_itself(player: Server, inside: Visitor, logged_in: bool):
    """A malformed request is closed or 400; `/` starts kernels for a listener, which others test."""
    own = {"Cookie": inside.cookies(), "Origin": player.address.rstrip("/")} if logged_in else {}
    seen = set()

    @seed(11)
    @settings(
        max_examples=300, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(METHODS, paths(player), QUERIES, HEADERS, BODIES, st.booleans())
    def ask(method: str, path: str, query: str, headers: dict[str, str], body: str, polite: bool) -> None:
        if logged_in and path.split("?", maxsplit=1)[0] in {"", "/"}:
            return
        if polite:
            path = path.replace(" ", "%20").replace("\x00", "%00")
        answer = send(player.host, request(method, path + query, player.host, own | headers, body), 10.0)
        where = f"{method!r} {path!r}{query!r} {headers!r} {body!r}: {answer.status}"
        assert answer.status == 0 or 100 <= answer.status < 500, where
        assert answer.header("Server") is None, where
        if answer.status >= 300:
            assert not answer.leaks(), f"{answer.leaks()} {where}"
        if answer.status >= 402:
            assert "frame-ancestors 'none'" in (answer.header("Content-Security-Policy") or ""), where
            assert answer.header("X-Content-Type-Options") == "nosniff", where
        seen.add(answer.status)

    ask()
    assert {200, 400, 404, 405} <= seen
    assert [line for line in player.log().splitlines() if '"trace"' in line] == []
    assert player.process.poll() is None
