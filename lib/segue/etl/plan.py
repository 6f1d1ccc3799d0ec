"""The catalogue held against the store: what there is to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from segue.audio.features import recipe
from segue.dataset.base import PENDING, Dataset, Track
from segue.errors import SegueError
from segue.etl.batch import apply, is_reusable
from segue.settings import Settings
from segue.store import Store


@dataclass
class Plan:
    """The catalogue held against the store: what to analyse, what to write as it is, what is gone."""

    analyse: list[Track] = field(default_factory=list)
    write: list[Track] = field(default_factory=list)
    unchanged: list[Track] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[Track] = field(default_factory=list)


def plan(catalogue: Iterable[Track], store: Store, dataset: Dataset, settings: Settings) -> Plan:
    """Compare the catalogue with the store.

    Raises
    ------
    SegueError
        If two rows have one track id.
    """
    stored = {track.track_id: track for track in store.tracks.all()}
    known = store.features.known_all(recipe(settings))
    made = Plan()
    seen: set[int] = set()
    for track in catalogue:
        if track.track_id in seen:
            raise SegueError(f"track id {track.track_id} stands twice in {dataset.title}: remove a row")
        seen.add(track.track_id)
        old = stored.get(track.track_id)
        if track.status != PENDING:
            (made.unchanged if track == old else made.write).append(track)
            continue
        same_file = old is not None and _file(old) == _file(track)
        analysis = known.get(old.sha256 or "") if old is not None and same_file else None
        if old is not None and analysis is not None and is_reusable(analysis, settings):
            now = old if dataset.reads_tags else replace(apply(track, analysis), recording=old.recording)
            (made.unchanged if now == old else made.write).append(now)
            continue
        if old is not None and old.path is not None and not same_file and track.path:
            made.changed.append(track.path)
        made.analyse.append(track)
    made.gone = [track for track_id, track in stored.items() if track_id not in seen]
    return made


def _file(track: Track) -> tuple[str | None, int | None, int | None]:
    return track.path, track.size, track.mtime_ns
