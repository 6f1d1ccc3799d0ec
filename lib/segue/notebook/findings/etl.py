"""What came in, what was rejected, what it cost, what is there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.display import Markdown

from segue.dataset.base import OK
from segue.notebook.findings.words import counted, listed
from segue.plots.style import percent

if TYPE_CHECKING:
    from segue.etl import EtlReport


def of_etl(report: EtlReport) -> Markdown:
    """Say what came in, what was rejected, what it cost, what is there twice, and what changed since."""
    counts = report.counts
    rejected = [f"{count:,} {status}" for status, count in counts.most_common() if status != OK]
    return listed(
        f"**{counts[OK]:,} of {sum(counts.values()):,}** rows are usable"
        + (f"; the others: {', '.join(rejected)}." if rejected else "."),
        work_done(report),
        _dearest(report),
        _changes(report),
        _unreadable(report),
        of_copies(report),
    )


def work_done(report: EtlReport) -> str:
    """Say what the job analysed, what it knew already, and how long it took."""
    if not report.analysed and not report.reused:
        return f"Nothing had to be analysed: none of {report.files:,} files is new or changed."
    return (
        f"{report.analysed:,} files were analysed and {report.reused:,} known contents reused in "
        f"{report.seconds:.0f} s; {report.unchanged:,} files had not changed."
    )


def _dearest(report: EtlReport) -> str:
    spent = sum(report.stage_seconds.values())
    if not report.analysed or not spent:
        return ""
    stage = max(report.stage_seconds, key=lambda name: report.stage_seconds[name])
    files = report.analysed + report.reused
    share = report.stage_seconds[stage] / spent
    return (
        f"A file took {1000 * spent / files:,.0f} ms of one core, {percent(share)} of it for `{stage}`; the "
        f"whole job ran {report.times_real_time:,.0f} times as fast as the music plays, "
        f"{percent(report.overhead_s / report.seconds)} of its time with no file at work."
    )


def of_copies(report: EtlReport) -> str:
    """Say how many recordings are there more than once, and by how many files."""
    if not report.copies:
        return "No two usable files hold the same recording."
    by_id = {track.track_id: track for track in report.tracks}
    extra = sum(len(group) - 1 for group in report.copies)
    same = sum(by_id[each].sha256 == by_id[group[0]].sha256 for group in report.copies for each in group[1:])
    return (
        f"{counted(len(report.copies), 'recording')} {'is' if len(report.copies) == 1 else 'are'} there more "
        f"than once: {counted(extra, 'copy', 'copies')}, {same:,} of the same bytes and {extra - same:,} of "
        "another encoding. One file stands for all of them; no list will hold two."
    )


def _changes(report: EtlReport) -> str:
    parts = {"gone": len(report.gone), "changed": len(report.changed), "moved": len(report.moved)}
    said = [f"{count:,} {what}" for what, count in parts.items() if count]
    return f"Since the last time: {', '.join(said)}." if said else ""


def _unreadable(report: EtlReport) -> str:
    if not report.unreadable:
        return ""
    return f"**Folders that could not be read**: {', '.join(report.unreadable)}. Allow reading and run again."
