"""Search as one types over 106,574 simulated titles: milliseconds and recall.

`python -m benchmarks.search [--quick]` draws titles, artists and albums of words as frequent as Zipf's law
has them, and asks for tracks drawn by lot. One process; wall time of all that a kernel does for an answer but
read the cards from the store:

- ``median_ms``, ``p95_ms``, ``max_ms``: of each keystroke while a title and its artist are typed, with typos;
  ``processor_ms``: the median of the processor's own time for one;
- ``recall_title``, ``recall_typo``, ``recall_both``: the share of tracks that are among the first ten for
  their title as it is, their title with a typo, and title and artist with a typo in every longer word. More
  than ten tracks may bear one title: ``recall_ceiling`` is what a search reaches that guesses among them;
- ``fts5_*``: the same of SQLite's FTS5 with trigrams, the 300 best by BM25 judged by the same code; of fewer
  questions, as one takes seconds;
- ``build_s``, ``file_mb``: making the index, and its file.

The matrix product calibrates. The last line is one JSON object.
"""

import argparse
import json
import os
import random
import re
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.calibration import matrix_product_ms
from benchmarks.generated import FMA_FULL
from segue import array_file
from segue.dataset.exports.names import plain
from segue.player.search import search
from segue.player.search_index import Index, arrays_of
from segue.player.search_ranking import JUDGED, judged

FIRST = 10
_COMMON = (
    "the of a love in you night blue and song my to day dream for light man time summer rain heart home city "
    "girl sun dance river moon black on little live fire road blues water i me no all one life world winter "
    "part intro theme old new dark wind star sea good house down lost sleep eyes last sky red morning"
).split()
_GENRES = (
    "Rock Experimental Electronic Hip-Hop Folk Pop Instrumental International Classical Historic Jazz "
    "Country Soul-RnB Spoken Blues Easy-Listening"
).split()
_ONSETS = "b br c ch d dr f fl g gr h j k l m n p pr qu r s sh st t tr v w z".split()
_VOWELS = "a e i o u ai ea ou ie oo".split()
_ENDS = ("", "", "n", "r", "s", "l", "t", "nd", "ck", "ng", "m", "rt")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
Search = Callable[[str], Sequence[int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer questions, under a minute")
    asked, typed = (60, 15) if parser.parse_args().quick else (400, 60)
    print(f"{FMA_FULL:,} simulated tracks, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    cards = catalogue(FMA_FULL)
    figures: dict[str, float] = {"tracks": len(cards), "questions": asked}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "index.npz")
        start = time.perf_counter()
        array_file.write(path, arrays_of(cards, "simulated"))
        figures["build_s"] = round(time.perf_counter() - start, 2)
        figures["file_mb"] = round(path.stat().st_size / 1e6, 1)
        index = Index(path)
        chosen = {"genre": None, "licence": None, "length": None}
        own: Search = lambda text: search(index, text, chosen, ()).track_ids  # noqa: E731
        questions = list(drawn(cards, asked))
        figures |= measured(own, questions, typed)
        figures["recall_ceiling"] = ceiling(cards, questions)
        print(figures, flush=True)
        yardstick = measured(fts5(index, Path(folder, "fts5.sqlite")), questions[:8], 1)
        figures |= {f"fts5_{name}": value for name, value in yardstick.items()}
    figures["matrix_product_ms"] = round(matrix_product_ms(), 2)
    print(json.dumps(figures))


def catalogue(n: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return n cards' documents; the first is the most popular."""
    rng = random.Random(seed)
    words = [*_COMMON, *(spelled(rng) for _ in range(30_000))]
    odds = np.cumsum(np.arange(1, len(words) + 1) ** -0.9).tolist()

    def phrase(longest: int) -> str:
        return " ".join(rng.choices(words, cum_weights=odds, k=rng.randint(1, longest))).title()

    artists = [phrase(3) for _ in range(n // 8)]
    albums = [(phrase(4), rng.choice(artists)) for _ in range(n // 9)]
    cards = []
    for number in range(n):
        album, artist = rng.choice(albums)
        cards.append(
            {
                "_id": number + 1, "title": phrase(5), "artist": artist, "album": album,
                "genre": rng.choice(_GENRES), "licence": rng.choice(("CC BY", "CC BY-NC-SA", "CC0")),
                "duration_s": rng.uniform(30, 600), "listeners": n - number,
            }
        )  # fmt: skip
    return cards


def spelled(rng: random.Random) -> str:
    return "".join(
        rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_ENDS) for _ in range(rng.randint(1, 3))
    )


def drawn(cards: Sequence[dict[str, Any]], count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Yield a track's id, its title, that with a typo, and title and artist with one in each longer word."""
    rng = random.Random(seed)
    while count:
        card = rng.choice(cards)
        longer = [word for word in plain(card["title"]).split() if len(word) >= 4]
        if not longer:
            continue
        count -= 1
        chosen = rng.choice(longer)
        typo = re.sub(rf"\b{chosen}\b", mistyped(chosen, rng), plain(card["title"]), count=1)
        both = plain(f"{card['title']} {card['artist']}").split()
        yield {
            "id": card["_id"], "title": card["title"], "typo": typo,
            "both": " ".join(mistyped(word, rng) if len(word) >= 4 else word for word in both),
        }  # fmt: skip


def mistyped(word: str, rng: random.Random) -> str:
    """Return a word with a letter left out, put in, another, or two that have changed places."""
    at = rng.randrange(len(word) - 1)
    letter = rng.choice(_LETTERS)
    return rng.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        )
    )


def measured(find: Search, questions: Sequence[dict[str, Any]], typed: int) -> dict[str, float]:
    """Return the times in milliseconds of each keystroke of so many questions, and the recalls of all."""
    times, processor = [], []
    for question in questions[:typed]:
        text = question["both"]
        for end in range(1, len(text) + 1):
            start, worked = time.perf_counter(), time.process_time()
            find(text[:end])
            times.append(1_000 * (time.perf_counter() - start))
            processor.append(1_000 * (time.process_time() - worked))
    recalls = {
        f"recall_{kind}": statistics.mean(each["id"] in find(each[kind])[:FIRST] for each in questions)
        for kind in ("title", "typo", "both")
    }
    return {
        "median_ms": round(statistics.median(times), 2),
        "p95_ms": round(float(np.percentile(times, 95)), 2),
        "max_ms": round(max(times), 2),
        "processor_ms": round(statistics.median(processor), 2),
    } | {name: round(value, 3) for name, value in recalls.items()}


def ceiling(cards: Sequence[dict[str, Any]], questions: Sequence[dict[str, Any]]) -> float:
    """Return the mean chance that a track is among ten of those that bear its title."""
    same = Counter(plain(card["title"]) for card in cards)
    return round(
        statistics.mean(min(1.0, FIRST / same[plain(question["title"])]) for question in questions), 3
    )


def fts5(index: Index, path: Path) -> Search:
    """Return a search by SQLite: any of the trigrams, the best by BM25, judged as ours are."""
    database = sqlite3.connect(path)
    database.execute("CREATE VIRTUAL TABLE tracks USING fts5(text, tokenize = 'trigram', detail = 'none')")
    texts = index.texts(range(len(index)))
    database.executemany("INSERT INTO tracks VALUES (?)", ((" ".join(fields),) for fields in texts))
    database.commit()

    def find(text: str) -> Sequence[int]:
        folded = plain(text)
        grams = {folded[at : at + 3] for at in range(len(folded) - 2)}
        if not grams:
            return []
        query = " OR ".join('"' + gram.replace('"', '""') + '"' for gram in sorted(grams))
        rows = database.execute(
            "SELECT rowid - 1 FROM tracks WHERE tracks MATCH ? ORDER BY rank LIMIT ?", (query, JUDGED)
        )
        tracks = np.array([row for (row,) in rows], dtype=np.int64)
        found = judged(folded.split(), [texts[track] for track in tracks.tolist()], tracks)
        return index.track_ids[found[:FIRST]].tolist()

    return find


if __name__ == "__main__":
    main()
