"""The notebooks' pictures: each function takes data and returns a figure whose title is the finding."""

from segue.plots.ablation import beside_published, families_needed, scaling_and_components
from segue.plots.comparison import board, by_activity, by_popularity, cold_listeners
from segue.plots.confusion import confusion
from segue.plots.evaluation import als_grid, leaderboard, lsh_trade_off, silhouette
from segue.plots.features import correlations, explained_variance, genre_map, scaling
from segue.plots.genres import genre_explains, measures_by_genre
from segue.plots.nearest import neighbours_by_scaling
from segue.plots.outcome import outcomes
from segue.plots.session import session
from segue.plots.sound import sound
from segue.plots.style import style
from segue.plots.work import stages, throughput

__all__ = [
    "als_grid",
    "beside_published",
    "board",
    "by_activity",
    "by_popularity",
    "cold_listeners",
    "confusion",
    "correlations",
    "explained_variance",
    "families_needed",
    "genre_explains",
    "genre_map",
    "leaderboard",
    "lsh_trade_off",
    "measures_by_genre",
    "neighbours_by_scaling",
    "outcomes",
    "scaling",
    "scaling_and_components",
    "session",
    "silhouette",
    "sound",
    "stages",
    "style",
    "throughput",
]
