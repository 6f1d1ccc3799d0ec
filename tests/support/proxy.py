"""The nginx of deploy/ before players on this machine, on ports of its own."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from segue.services import ports
from support.waiting import wait_until

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"
NAME = "localhost"
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def nginx() -> str:
    """Return nginx's program."""
    found = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if found is None:
        pytest.skip("no nginx on the PATH: install one (Debian: apt-get install nginx-light)")
    return found


def replaced(text: str, old: str, new: str) -> str:
    """Replace what must be there."""
    assert old in text, old
    return text.replace(old, new)


def write_configuration(folder: Path, players: Sequence[str], https: int, http: int) -> Path:
    """Write deploy/nginx.conf with other ports, players (``host:port``), folders and a new certificate."""
    text = CONFIGURATION.read_text()
    for number, player in enumerate(players, 1):
        text = replaced(text, f"server player-{number}:8866 ", f"server {player} ")
    text = replaced(text, "listen 443 ssl", f"listen 127.0.0.1:{https} ssl")
    text = re.sub(r"listen 80\b", f"listen 127.0.0.1:{http}", text)
    text = replaced(text, "segue.example.org", NAME)
    text = replaced(text, "/etc/nginx/tls/", f"{_certificate(folder)}/")
    text = replaced(text, "/dev/stdout", str(folder / "access.log"))
    kept = "".join(f"    {name}_temp_path {folder / name};\n" for name in _TEMPORARY)
    text = replaced(text, "http {\n", f"http {{\n{kept}")
    file = folder / "nginx.conf"
    file.write_text(text)
    return file


def command(folder: Path, file: Path, *more: str) -> list[str]:
    """Return what runs nginx with a configuration, in the foreground."""
    start = f"daemon off; pid {folder / 'nginx.pid'}; error_log {folder / 'error.log'};"
    return [nginx(), "-p", str(folder), "-c", str(file), "-e", str(folder / "error.log"), "-g", start, *more]


@contextmanager
def proxied(folder: Path, players: Sequence[str]) -> Iterator[int]:
    """Serve players behind nginx; give the port of https."""
    https, http = ports.any_free(), ports.any_free()
    file = write_configuration(folder, players, https, http)
    process = subprocess.Popen(command(folder, file))
    try:
        wait_until(lambda: not ports.is_free(https), 10, "nginx listens")
        yield https
    finally:
        process.terminate()
        assert process.wait(10) == 0


def _certificate(folder: Path) -> Path:
    """Make a key and a certificate for the example's name."""
    made = folder / "tls"
    made.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
         "-keyout", made / "privkey.pem", "-out", made / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return made
