"""How simulated listeners with a known taste fare with the lists that the player makes of a run's models."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from segue.errors import SegueError
from segue.live.loading import make
from segue.live.serving import POPULARITY, Serving
from segue.notebook.catalogue import Catalogue
from segue.pipeline.run import Run
from segue.simulate import summary
from segue.simulate.study import simulate_sessions
from segue.simulate.world import listeners_with_history, world_of


@dataclass(frozen=True)
class Reactions:
    """The tables of `segue.simulate.summary`: by session, by arm, and live against the other arms."""

    sessions: pd.DataFrame
    arms: pd.DataFrame
    apart: pd.DataFrame


def simulate_reactions(run: Run, catalogue: Catalogue, listeners: int, sessions: int, seed: int) -> Reactions:
    """Let listeners whose history notebook 01 simulated react to lists for so many sessions.

    Parameters
    ----------
    run
        Its serving model and its popularity make the lists, as the worker would.
    listeners
        How many, drawn at random; all there are where there are fewer.
    seed
        That of notebook 01, which knows the hidden tastes; the same one gives the same sessions.

    Raises
    ------
    SegueError
        If there are no models or no simulated listeners, or they were simulated with another seed.
    """
    if POPULARITY not in run.models():
        raise SegueError("the run has no model of popularity to compare with: run notebook 03")
    world = world_of(run, seed)
    chosen = listeners_with_history(world, catalogue.plays, listeners, seed, run.dataset["database"])
    lists = make(run, lambda track_ids: {}, simulated=True)
    popular = Serving({POPULARITY: run.load_model(POPULARITY)}, lambda track_ids: {}, simulated=True)
    table = simulate_sessions(lists, popular, chosen, sessions, seed)
    return Reactions(
        summary.by_session(table, seed),
        summary.by_arm(table, len(world.tracks), seed),
        summary.live_against_others(table, seed),
    )
