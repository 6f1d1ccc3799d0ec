"""What an ETL did, in numbers that reconcile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from segue.dataset.base import OK, Track
from segue.dataset.inventory import is_below

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Estimate:
    """What the ETL expected before it started: new files, seconds, and bytes in the store."""

    files: int
    seconds: float
    disk_bytes: int
    free_bytes: int

    def __str__(self) -> str:
        if not self.files:
            return "nothing new to analyse"
        return (
            f"{self.files:,} more files to analyse: about {self.seconds:,.0f} s, and "
            f"{self.disk_bytes / 2**20:,.1f} of {self.free_bytes / 2**20:,.0f} MiB of disk"
        )


@dataclass
class EtlReport:
    """Rows by status, work done, time and memory it took, and what changed since the last time.

    ``stage_seconds`` are summed over the workers: ``hash``, ``decode``, ``features``, ``fingerprint``,
    ``tags``, ``store`` and ``other``. ``phases`` are the whole job's seconds one after another: ``list``,
    ``plan``, ``start workers``, ``analyse``, ``find copies``, ``read back``. ``timeline`` holds seconds since
    the start and files done by then. ``audio_s`` are the seconds of sound that features were computed from.
    ``worker_mib`` and ``child_mib`` are the largest resident sizes of a Python worker and of the child that
    it analyses in; 0 where the system does not tell.

    ``gone``, ``changed`` and ``moved`` hold escaped paths (``moved``: old path, new path); ``unreadable``
    holds the folders that could not be listed, whose earlier tracks are kept. ``copies`` are the track ids of
    each recording that there are several of, first the one that stands for it.
    """

    database: str
    files: int
    tracks: list[Track]
    estimate: Estimate
    analysed: int = 0
    reused: int = 0
    unchanged: int = 0
    seconds: float = 0.0
    stage_seconds: dict[str, float] = field(default_factory=dict)
    phases: dict[str, float] = field(default_factory=dict)
    timeline: list[tuple[float, int]] = field(default_factory=list)
    cores: int = 1
    bytes_analysed: int = 0
    audio_s: float = 0.0
    worker_mib: float = 0.0
    child_mib: float = 0.0
    gone: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    copies: list[list[int]] = field(default_factory=list)

    @property
    def overhead_s(self) -> float:
        """Return the seconds in which no file was worked on: listing, planning, starting, reading back."""
        return self.seconds - self.phases.get("analyse", 0.0)

    @property
    def times_real_time(self) -> float:
        """Return how many seconds of sound a second of the whole job analysed."""
        return self.audio_s / self.seconds if self.seconds else 0.0

    @property
    def counts(self) -> Counter[str]:
        """Return rows by status."""
        return Counter(track.status for track in self.tracks)

    def frame(self) -> pd.DataFrame:
        """Return one row for each track or file, by track id."""
        import pandas as pd

        rows = [asdict(track) for track in sorted(self.tracks, key=lambda track: track.track_id)]
        return pd.DataFrame(rows, columns=list(Track.__dataclass_fields__))

    @property
    def rejected(self) -> pd.DataFrame:
        """Return path, status and detail of every row that has a file and is not ``ok``."""
        import pandas as pd

        rows = [
            (track.path, track.status, track.detail)
            for track in self.tracks
            if track.status != OK and track.path is not None
        ]
        return pd.DataFrame(sorted(rows), columns=["path", "status", "detail"])

    def reconciliation(self) -> pd.DataFrame:
        """Return the sums that must agree: each file is one row, each named track is one row.

        Raises
        ------
        AssertionError
            If a file or a row was lost or counted twice.
        """
        import pandas as pd

        with_file = [
            track
            for track in self.tracks
            if track.path is not None and not is_below(track.path, self.unreadable)
        ]
        named = [track for track in self.tracks if track.named]
        rows = {
            "regular files found": self.files,
            "rows with a file": len(with_file),
            "… of them ok": sum(track.status == OK for track in with_file),
            "… of them rejected": sum(track.status != OK for track in with_file),
            "… of them not named by the tables": sum(not track.named for track in with_file),
            "rows without a file": len(self.tracks) - len(with_file),
            "rows the data set names": len(named),
            "rows in all": len(self.tracks),
        }
        assert len(with_file) == self.files, f"{self.files} files but {len(with_file)} rows with a file"
        assert len({track.track_id for track in self.tracks}) == len(self.tracks), "a track id stands twice"
        return pd.DataFrame({"count": rows})


def moved_files(gone: Sequence[Track], now: Sequence[Track]) -> list[tuple[str, str]]:
    """Return ``(old path, new path)`` of files whose content turned up under another name."""
    by_content = {track.sha256: track.path for track in now if track.sha256 and track.path}
    return [
        (track.path, str(by_content[track.sha256]))
        for track in gone
        if track.path and track.sha256 in by_content
    ]
