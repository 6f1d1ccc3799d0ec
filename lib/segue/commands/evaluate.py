"""``segue evaluate``: how good a model is on any listening data, beside random and popularity."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

_METRICS = {
    "ndcg_at_10": "nDCG@10",
    "recall_at_20": "recall@20",
    "precision_at_10": "precision@10",
    "hit_rate_at_10": "hit rate@10",
    "mrr_at_10": "MRR@10",
    "map_at_10": "MAP@10",
    "novelty_at_10": "novelty@10 (bits)",
}
_WHOLE = {"coverage_at_10": "coverage@10", "gini_at_10": "Gini@10"}


@click.command()
@click.option("--train", required=True, metavar="CSV", help="What is learned from: user,item[,weight].")
@click.option("--test", required=True, metavar="CSV", help="What is looked for: user,item.")
@click.option(
    "--model",
    required=True,
    metavar="NAME",
    help="random, popularity, item_knn, als, ease, ridge, wals or best.",
)
@click.option(
    "-p",
    "parameters",
    type=(str, str),
    multiple=True,
    metavar="NAME VALUE",
    help="A parameter of the model; it is not tuned then.",
)
@click.option(
    "--tune/--no-tune", default=True, help="Whether the other parameters are tuned.  [default: tune]"
)
@click.option(
    "--trials",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Sets of parameters tried at most.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0),
    default=240.0,
    show_default=True,
    help="No other set is tried after so long.",
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of finished trials: a run that was killed goes on from them.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all that is random.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for a program.")
def evaluate(
    *,
    train: str,
    test: str,
    model: str,
    parameters: tuple[tuple[str, str], ...],
    tune: bool,
    trials: int,
    seconds: float,
    keep: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Measure a model on listening data of your own.

    Both files are CSV with a header that names user and item (and weight, in training: plays or a rating,
    1 where it is absent); ids are text, other columns are not read, gzip is unpacked.

    The catalogue is every item that either file names. Every user of the test with a row in training is
    ranked the whole of it, without their training items. Parameters are chosen on a random fifth of each
    user's training rows, never on the test.

    Repeated training rows are summed, repeated test rows count once. Test pairs that are in training too and
    users without a training row are left out. A weight of 0 or below is a dislike: never ranked for that
    user. A weight that is no number, an empty id or a row of another length is an error. A file has at most
    100 million rows. The result says what was done, and to how many rows.
    """
    from segue.evaluation.outside import Search, evaluate_files

    found = evaluate_files(
        train,
        test,
        model,
        dict(parameters),
        Search(trials, seconds, keep) if tune else None,
        seed=seed,
        report=lambda line: click.echo(line, err=True),
    )
    click.echo(json.dumps(found, allow_nan=False) if as_json else "\n".join(table(found)))


def table(found: dict[str, Any]) -> list[str]:
    """Return the result for a person."""
    columns = {found["model"]: found} | found["yardsticks"]
    lines = [
        f"{found['users']:,} users ranked {found['items']:,} items; learned from {found['train_pairs']:,} "
        f"pairs, looked for {found['test_pairs']:,}; artists are not named",
        "",
        f"{'':18}" + "".join(f"{name:>26}" for name in columns),
    ]
    for key, name in _METRICS.items():
        lines.append(f"{name:18}" + "".join(f"{_interval(each[key]):>26}" for each in columns.values()))
    for key, name in _WHOLE.items():
        lines.append(f"{name:18}" + "".join(f"{each[key]:>10.4f}{'':16}" for each in columns.values()))
    lines += ["", "mean [95 % interval over users]", "", _choice(found)]
    lines += [f"{each['file']}: {each['rows']:,} rows, {each['treatment']}" for each in found["treatments"]]
    lines.append("; ".join(f"{name} {seconds:.1f} s" for name, seconds in found["seconds"].items()))
    return lines


def _interval(figure: dict[str, float]) -> str:
    return f"{figure['mean']:.4f} [{figure['low']:.4f}, {figure['high']:.4f}]"


def _choice(found: dict[str, Any]) -> str:
    parameters = ", ".join(f"{name} {_short(value)}" for name, value in found["parameters"].items())
    chosen = found["chosen"]
    how = chosen["by"]
    if "mix" in chosen:
        parts = (f"{part['weight']:.2f} {part['model']}" for part in chosen["mix"])
        how = f"{' + '.join(parts)}, picked from {chosen['trials']} settings on validation"
    elif chosen["trials"]:
        how = f"{chosen['trials']} trials, nDCG@10 {chosen['validation_ndcg_at_10']:.4f} on validation"
    return f"parameters: {parameters or 'none'} ({how})"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
