"""The overview of the live workers as lines for a terminal."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segue.live.overview import Overview, skip_share
from segue.live.tallies import BOUNDS_S, ORIGINS, Counts, Latency, Tally

if TYPE_CHECKING:
    import pandas as pd

Row = dict[Hashable, Any]
"""A row of a table, by its columns' names."""

_ROWS = 15
_BAR = 30
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def lines(found: Overview) -> Iterator[str]:
    """Yield the overview: workers, the last minute beside all of them, minute by minute, top tracks."""
    yield f"{found.database} at {found.at:%Y-%m-%d %H:%M:%S} UTC"
    yield from _workers(found)
    yield ""
    yield f"{'':26}{'last minute':>14}{_stretch(found):>18}"
    for words, last, total, more in _figures(found):
        yield f"{words:26}{last:>14}{total:>18}{more}".rstrip()
    yield ""
    yield from _by_minute(found.by_minute)
    for origin in ORIGINS:
        yield from _top(found, origin)


def use_lines(use: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """Yield the tables of `segue.evaluation.impressions`, if there are any."""
    if not use:
        return
    yield ""
    if use["sources"].empty and use["models"].empty:
        yield "Nobody has played anything or had a list in view yet."
        return
    for row in use["from_recommendations"].to_dict("records"):
        yield (
            f"{_who(row)}: {_share(row, 'share')} of {row['plays']:,} plays began in a recommended list"
            + _noted(row)
        )
    yield ""
    columns = (("lists", 7), ("listeners", 11), ("led to a play", 20), ("plays a list", 22))
    yield f"{'lists in view, by model':34}" + "".join(f"{name:>{width}}" for name, width in columns)
    for row in use["models"].to_dict("records"):
        low, high = row["plays_per_list_low"], row["plays_per_list_high"]
        plays = f"{row['plays_per_list']:.2f} ({low:.2f} to {high:.2f})"
        yield (
            f"{row['model'] + ', ' + _who(row):34}{row['lists']:>7,}{row['listeners']:>11,}"
            f"{_share(row, 'hit_rate'):>20}{plays:>22}{_noted(row)}"
        )
    yield ""
    shares = ("share", "completed", "skipped", "liked")
    yield f"{'plays, by where they began':34}{'plays':>7}" + "".join(f"{name:>20}" for name in shares)
    for row in use["sources"].to_dict("records"):
        name = f"{row['list']}, {_who(row)}"
        yield (
            f"{name:34}{row['plays']:>7,}"
            + "".join(f"{_share(row, each):>20}" for each in shares)
            + _noted(row)
        )


def _workers(found: Overview) -> Iterator[str]:
    if not found.workers:
        yield "no worker is at work: start one with `segue worker`"
    for each in found.workers:
        where = f", metrics at http://{each['address']}/metrics" if each["address"] else ""
        yield (
            f"worker {each['worker']}: run {each['run'] or 'unknown'}, since {each['since']:%Y-%m-%d %H:%M}, "
            f"{sum(each['lag'].values()):,} events behind{where}"
        )
        if each["away"]:
            yield f"  waits for: {', '.join(each['away'])}"
        if each["lost"]:
            yield f"  {each['lost']:,} minutes of counts were lost while the store was away"


def _figures(found: Overview) -> Iterator[tuple[str, str, str, str]]:
    """Yield a name, its value in the last minute and in all of them, and what else there is to say."""
    last, total = found.last_minute, found.total
    for origin in ORIGINS:
        one, all_ = getattr(last, origin), getattr(total, origin)
        if not all_.kinds and origin != ORIGINS[0]:
            continue
        yield f"{origin} listeners", _listeners(one), _listeners(all_), ""
        yield "  events", _count(one.kinds.total()), _count(all_.kinds.total()), _kinds(all_)
        yield "  plays", _count(one.kinds["play"]), _count(all_.kinds["play"]), ""
        yield "  broken off", _percent(skip_share(one.kinds)), _percent(skip_share(all_.kinds)), ""
    quick, all_latency = last.all_latency(), total.all_latency()
    yield "lists made, after", _count(quick.count), _count(all_latency.count), ""
    for words, share in (("  median", 0.5), ("  95th percentile", 0.95), ("  99th percentile", 0.99)):
        yield words, _seconds(quick, share), _seconds(all_latency, share), ""
    reasons = ", ".join(f"{name} {number:,}" for name, number in total.rejected.most_common())
    rejected = _count(last.rejected.total()), _count(total.rejected.total())
    yield "messages rejected", *rejected, f"  {reasons}" if reasons else ""


def _by_minute(by_minute: Mapping[datetime, Tally]) -> Iterator[str]:
    yield f"{'minute':8}{'events':>8}{'listeners':>11}{'95th perc.':>13}"
    rows = list(by_minute.items())[-_ROWS:]
    most = max(_events(tally) for _, tally in rows)
    for minute, tally in rows:
        who = Counts()
        for origin in ORIGINS:
            who.update(getattr(tally, origin))
        figures = f"{_count(_events(tally)):>8}{_listeners(who):>11}{_seconds(tally.all_latency(), 0.95):>13}"
        yield f"{minute:%H:%M}   {figures}  {_bar(_events(tally), most)}".rstrip()


def _top(found: Overview, origin: str) -> Iterator[str]:
    top = found.top(origin)
    if not top:
        return
    yield ""
    yield f"Most played by {origin} listeners"
    for place, each in enumerate(top, start=1):
        name = " — ".join(part for part in (each["title"], each["artist"]) if part)
        yield f"{place:3}. {'at least ' if each['missed'] else ''}{each['plays']:>5,}  {name}"


def _stretch(found: Overview) -> str:
    return f"last {len(found.by_minute):,} minutes"


def _events(tally: Tally) -> int:
    return sum(getattr(tally, origin).kinds.total() for origin in ORIGINS)


def _kinds(counts: Counts) -> str:
    told = ", ".join(f"{kind} {number:,}" for kind, number in counts.kinds.most_common())
    return f"  {told}" if told else ""


def _listeners(counts: Counts) -> str:
    return ("" if counts.listeners.is_exact else "about ") + _count(counts.listeners.count())


def _count(number: int) -> str:
    return f"{number:,}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}".replace("%", " %")


def _seconds(latency: Latency, share: float) -> str:
    value = latency.quantile(share)
    if value is None:
        return "–"
    if value >= BOUNDS_S[-1]:
        return f"over {value:.0f} s"
    return f"{1000 * value:.3g} ms" if value < 1 else f"{value:.3g} s"


def _bar(value: int, most: int) -> str:
    eighths = round(8 * _BAR * value / most) if most else 0
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _who(row: Row) -> str:
    return ORIGINS[bool(row["simulated"])]


def _share(row: Row, name: str) -> str:
    value, low, high = (100 * row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return f"{value:.0f} % ({low:.0f} to {high:.0f})"


def _noted(row: Row) -> str:
    return f"  {row['note']}" if row["note"] else ""
