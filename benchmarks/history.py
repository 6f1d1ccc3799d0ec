"""`segue import` of a ListenBrainz export against 106,574 simulated tracks: seconds.

`python -m benchmarks.history [--quick] [--listens N]` starts services of its own, puts a catalogue with the
names of `benchmarks.search` into the store, and writes an export of 5,000 listens, each of another track. Of
ten, six name it in capitals and with a remaster, one misspells the title, one the artist, one has its
MusicBrainz id and other names, one is of no track here. The command is a process of its own, with no worker
serving; wall time from its start to its end:

- ``import_s``: the first time; ``processor_s`` of it the command's own processor time;
- ``again_s``: the second time, when all plays are found in Kafka and none is sent;
- ``matched``: the share of those listens whose track is here; several tracks bear the others' names.

The start of a command that does nothing (``start_s``) and the matrix product calibrate. The last line is one
JSON object.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.calibration import matrix_product_ms
from benchmarks.generated import FMA_FULL
from benchmarks.search import catalogue, mistyped
from segue import services
from segue.dataset.base import OK, Track
from segue.pipeline.files import write_json
from segue.settings import Settings
from segue.store import Store, open_store

DATABASE = "segue_benchmark_history"
FIRST_LISTEN = 1_700_000_000
APART_S = 240
_WRITTEN = 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the tracks, under a minute")
    parser.add_argument(
        "--listens", type=int, default=5_000, metavar="N", help="in the export  [default: 5,000]"
    )
    options = parser.parse_args()
    tracks = FMA_FULL // 10 if options.quick else FMA_FULL
    print(f"{tracks:,} simulated tracks, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder).resolve()
        settings = Settings(home=home, kafka=None, mongo=None, kafka_port=0, mongo_port=0)
        services.up(settings, lambda line: print(f"  {line}", flush=True))
        try:
            figures = measure(settings, catalogue(tracks), options.listens)
        finally:
            services.down(settings, lambda line: None)
    figures["matrix_product_ms"] = round(matrix_product_ms(), 2)
    print(json.dumps(figures))


def measure(settings: Settings, cards: Sequence[dict[str, Any]], listens: int) -> dict[str, Any]:
    """Return all figures."""
    write_json(
        settings.runs / "made" / "dataset.json",
        {"kind": "folder", "database": DATABASE, "root": "", "title": "Benchmark"},
    )
    (settings.runs / "current").symlink_to("made")
    with open_store(settings.mongo_uri, DATABASE) as store:
        fill(store, cards)
    export = settings.home / "export.zip"
    here = write_export(export, list(heard(cards, listens)))
    print(f"  the catalogue is in the store; the export has {export.stat().st_size / 1e6:.1f} MB", flush=True)
    start_s, _, _ = timed(settings, "version", "--json")
    import_s, processor_s, first = timed(settings, "import", str(export), "--listener-id", "ann", "--json")
    again_s, _, again = timed(settings, "import", str(export), "--listener-id", "ann", "--json")
    assert (again["sent"], again["already_there"]) == (0, first["sent"]), again
    return {
        "tracks": len(cards), "listens": first["read"], "import_s": import_s, "processor_s": processor_s,
        "again_s": again_s, "start_s": start_s, "sent": first["sent"], "found": first["matched"],
        "matched": round(first["matched"]["total"] / here, 4),
    }  # fmt: skip


def fill(store: Store, cards: Sequence[dict[str, Any]]) -> None:
    """Write the tracks as the ETL does."""
    for start in range(0, len(cards), _WRITTEN):
        store.tracks.upsert(
            Track(
                card["_id"], card["title"], card["artist"], album=card["album"], genre_top=card["genre"],
                genres=[card["genre"]], duration_s=card["duration_s"], path=f"000/{card['_id']:06d}.mp3",
                licence=card["licence"], mbid=mbid(card), sha256=f"{card['_id']:064x}", status=OK,
            )
            for card in cards[start : start + _WRITTEN]
        )  # fmt: skip


def mbid(card: dict[str, Any]) -> str:
    return str(UUID(int=card["_id"], version=4))


def heard(cards: Sequence[dict[str, Any]], count: int, seed: int = 2) -> Iterator[tuple[str, str, str, str]]:
    """Yield artist, title, album and MusicBrainz id of each listen; the last tenth names no track."""
    rng = random.Random(seed)
    for number, card in enumerate(rng.sample(cards, count)):
        artist, title, album = card["artist"], card["title"], card["album"]
        match number % 10:
            case 6:
                yield artist, _misspelled(title, rng), album, ""
            case 7:
                yield _misspelled(artist, rng), title, album, ""
            case 8:
                yield "Misheard", "Mistyped", "", mbid(card)
            case 9:
                yield artist, f"{title} that nobody has", album, ""
            case _:
                yield artist.upper(), f"{title} - 2011 Remaster", album, ""


def _misspelled(name: str, rng: random.Random) -> str:
    """Return a name with a typo in its longest word, not in the first letter, if that has six or more."""
    longest = max(name.split(), key=len)
    return name.replace(longest, longest[0] + mistyped(longest[1:], rng), 1) if len(longest) > 5 else name


def write_export(path: Path, listens: Sequence[tuple[str, str, str, str]]) -> int:
    """Write the zip that ListenBrainz gives, and return how many of the listens are of a track here."""
    lines = [
        json.dumps(
            {
                "listened_at": FIRST_LISTEN + number * APART_S,
                "track_metadata": {
                    "artist_name": artist, "track_name": title, "release_name": album,
                    "additional_info": {"duration_ms": 200_000, **({"recording_mbid": mbid} if mbid else {})},
                },
            }
        )
        for number, (artist, title, album, mbid) in enumerate(listens)
    ]  # fmt: skip
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("user.json", '{"user_id": 1, "username": "ann"}\n')
        archive.writestr("listens/2023/11.jsonl", "\n".join(lines))
    return len(lines) - len(lines) // 10


def timed(settings: Settings, *words: str) -> tuple[float, float, dict[str, Any]]:
    """Run a command; return its wall time and its processor time in seconds, and what it told."""
    environment = os.environ | {
        "SEGUE_HOME": str(settings.home), "SEGUE_MONGO": settings.mongo_uri,
        "SEGUE_KAFKA": settings.kafka_bootstrap,
    }  # fmt: skip
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "segue.cli", *words], env=environment, stdout=subprocess.PIPE, check=True
    )
    took, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return round(took, 2), round(spent, 2), json.loads(done.stdout)


if __name__ == "__main__":
    main()
