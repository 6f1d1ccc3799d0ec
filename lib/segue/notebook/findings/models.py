"""What the parameters of the models do, and which models there are."""

from __future__ import annotations

from typing import Any

import pandas as pd
from IPython.display import Markdown

from segue.notebook.attempt import NotShown
from segue.notebook.findings.words import listed


def of_models(clusters: Any, lsh: Any, tunings: Any, fitted: Any) -> Markdown:
    """Say what the parameters of the models do, and which models are saved.

    Parameters
    ----------
    clusters
        The table of `segue.models.kmeans.silhouette_over_k`.
    lsh
        That of `segue.evaluation.neighbours.lsh_grid`.
    tunings
        `segue.notebook.tuned.Tunings`.
    fitted
        The table of `segue.notebook.fitting.fit_all`.
    """
    if isinstance(fitted, NotShown):
        return Markdown(f"Nothing was learned: {fitted.why}")
    said = []
    if not isinstance(clusters, NotShown) and clusters["silhouette"].notna().any():
        best = clusters.loc[clusters["silhouette"].idxmax()]
        said.append(f"KMeans: {best['clusters']:.0f} clusters are best, silhouette {best['silhouette']:.2f}.")
    if not isinstance(lsh, NotShown):
        recall = next(name for name in lsh.columns if name.startswith("recall"))
        best = lsh.loc[lsh[recall].idxmax()]
        said.append(
            f"LSH: at best {100 * best[recall]:.0f} % of the true neighbours, comparing "
            f"{100 * best['compared']:.0f} % of the catalogue; a query takes Spark {best['spark_ms']:.0f} "
            f"ms, exact search {best['exact_ms']:.2f} ms."
        )
    if not isinstance(tunings, NotShown):
        said.append(_of_tuning(tunings.table()))
    saved = fitted[fitted["why not"] == ""]
    left = fitted[fitted["why not"] != ""]["model"]
    slow = f" The slowest to fit: {saved.loc[saved['seconds'].idxmax(), 'model']}." if len(saved) else ""
    said.append(
        f"Saved: {', '.join(saved['model']) or 'nothing'}."
        + (f" Left out: {', '.join(left)}." if len(left) else "")
        + slow
    )
    return listed(*said)


def _of_tuning(table: pd.DataFrame) -> str:
    best = table.iloc[0]
    gains = table["validation nDCG@10"] - table["of the defaults"]
    most = table.loc[gains.idxmax()]
    gained = f"; trials helped {most['model']} most (+{gains.max():.3f})" if gains.max() > 0 else ""
    return (
        f"Of the models of listening {best['model']} finds most validation plays, nDCG@10 "
        f"{best['validation nDCG@10']:.3f} with {best['chosen']}{gained}."
    )
