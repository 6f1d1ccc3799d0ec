"""The texts of a demo catalogue: FMA's tables, what was composed, what was planted, and a README."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from segue.dataset.compose.catalogue import FIRST_ID, PLANTED, Piece, Recipe, pieces, song_of, style_of
from segue.dataset.compose.genres import GENRES
from segue.dataset.compose.mp3 import relative_path
from segue.dataset.compose.real import CLIPS, RealClip, real_clips
from segue.dataset.compose.tables import genres_csv, lineage, tracks_csv

LICENCE = "CC0 1.0 Universal"
"""Of every composed track."""

_PLANTED_COLUMNS = ("track_id", "path", "kind", "what", "original", "expected_status")
_COMPOSED_COLUMNS = (
    "track_id", "genre", "artist", "branch", "borrowed", "tempo", "beats", "key", "tonic", "scale", "form",
    "swing", "comp", "bass", "leads",
)  # fmt: skip


def documents(recipe: Recipe, sizes: Mapping[str, int]) -> dict[str, str]:
    """Return the catalogue's texts by path; ``sizes`` has the bytes of each clip by file name."""
    plan = pieces(recipe)
    rows = [_real_row(clip, sizes) for clip in real_clips()]
    rows += [_composed_row(recipe, piece, sizes) for piece in plan]
    rows.sort(key=lambda row: int(str(row["track_id"])))
    return {
        "fma_metadata/tracks.csv": tracks_csv(rows),
        "fma_metadata/genres.csv": genres_csv(_ids(row) for row in rows),
        "composed.csv": _csv(
            _COMPOSED_COLUMNS, (_truth(recipe, piece) for piece in plan if not piece.planted)
        ),
        "planted.csv": _csv(_PLANTED_COLUMNS, (_planted(piece) for piece in plan if piece.planted)),
        "NOTICE.md": (CLIPS / "NOTICE.md").read_text(encoding="utf-8"),
        "README.md": _readme(recipe, plan),
    }


def _csv(columns: Iterable[str], rows: Iterable[Mapping[str, object]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _ids(row: Mapping[str, object]) -> list[int]:
    return [int(part) for part in str(row["track.genres_all"]).strip("[]").split(",") if part]


def _with_parents(genres: Iterable[int]) -> list[int]:
    return sorted({ancestor for genre in genres for ancestor in lineage(genre)})


def _bit_rate(size: int, seconds: float) -> int:
    return round(8 * size / seconds / 1_000) * 1_000


def _real_row(clip: RealClip, sizes: Mapping[str, int]) -> dict[str, object]:
    name = Path(relative_path(clip.track_id, Path(clip.file).suffix)).name
    return {
        "track_id": clip.track_id, "album.id": clip.album_id, "album.title": clip.album,
        "artist.id": clip.artist_id, "artist.name": clip.artist, "artist.website": clip.website,
        "set.split": clip.split,
        "set.subset": clip.subset, "track.bit_rate": _bit_rate(sizes[name], clip.seconds),
        "track.duration": round(clip.seconds), "track.genre_top": clip.genre_top,
        "track.genres": str(list(clip.genres)), "track.genres_all": str(_with_parents(clip.genres)),
        "track.information": f"<p>{clip.source}: {clip.attribution_url}</p>", "track.license": clip.licence,
        "track.title": clip.title,
    }  # fmt: skip


def _composed_row(recipe: Recipe, piece: Piece, sizes: Mapping[str, int]) -> dict[str, object]:
    artist, branch = piece.artist, style_of(recipe, piece.artist).branch.genre_id
    size = sizes[Path(relative_path(piece.track_id)).name]
    same_album = [other for other in pieces(recipe) if other.album == piece.album]
    return {
        "track_id": piece.track_id, "album.id": piece.album[0], "album.title": piece.album[1],
        "album.tracks": len(same_album), "album.type": "Album", "artist.id": artist.artist_id,
        "artist.name": artist.name, "set.split": artist.split, "set.subset": "small",
        "track.bit_rate": _bit_rate(size, recipe.seconds), "track.composer": "Segue",
        "track.duration": round(recipe.seconds), "track.genre_top": GENRES[artist.genre].title,
        "track.genres": str([branch]), "track.genres_all": str(_with_parents([branch])),
        "track.information": "<p>Composed by program: neither the artist nor the album exists.</p>",
        "track.license": LICENCE, "track.number": same_album.index(piece) + 1, "track.title": piece.title,
    }  # fmt: skip


def _truth(recipe: Recipe, piece: Piece) -> dict[str, object]:
    song, _ = song_of(recipe, piece)
    style = style_of(recipe, piece.artist)
    return {
        "track_id": piece.track_id, "genre": style.genre, "artist": piece.artist.name,
        "branch": style.branch.genre_id, "borrowed": style.borrowed, "tempo": song.tempo, "beats": song.beats,
        "key": song.key, "tonic": song.tonic % 12, "scale": song.scale, "form": song.form,
        "swing": round(song.swing, 3), "comp": " ".join(style.comp), "bass": " ".join(style.bass).strip(),
        "leads": " ".join(style.leads),
    }  # fmt: skip


def _planted(piece: Piece) -> dict[str, object]:
    plant = PLANTED[piece.planted]
    return {
        "track_id": piece.track_id, "path": relative_path(piece.track_id), "kind": plant.kind,
        "what": plant.what, "original": piece.original, "expected_status": plant.expected,
    }  # fmt: skip


def _readme(recipe: Recipe, plan: Iterable[Piece]) -> str:
    listed = "\n".join(
        f"| {relative_path(piece.track_id)} | {PLANTED[piece.planted].what}"
        + (f" (the original: {relative_path(piece.original)})" if piece.original else "")
        + f" | `{PLANTED[piece.planted].expected}` |"
        for piece in plan
        if piece.planted
    )
    return f"""# A demo catalogue in FMA's own layout

Composed by Segue: {recipe.tracks} tracks of {recipe.seconds:g} s, seed {recipe.seed}.
Their artists, albums and titles are invented; they are in the public domain
({LICENCE}). Track ids from {FIRST_ID:,} on are composed; the {len(real_clips())} below are real
recordings, unmodified, under the licences in NOTICE.md.

- `fma_demo/`: the clips. `fma_metadata/`: tracks.csv and genres.csv as FMA publishes them.
- `composed.csv`: what was decided for each composed track, tempo (beats a minute) and key among it.
- `planted.csv`: what was planted, to be found:

| file | what | status |
| --- | --- | --- |
{listed}
"""
