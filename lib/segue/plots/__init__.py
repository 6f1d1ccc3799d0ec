"""The notebooks' pictures: each function takes data and returns a figure whose title is the finding."""

from segue.plots.ablation import beside_published, families_needed, scaling_and_components
from segue.plots.comparison import board, by_activity, by_popularity, cold_listeners
from segue.plots.confusion import confusion
from segue.plots.embedding import training_curve
from segue.plots.evaluation import lsh_trade_off, silhouette
from segue.plots.features import correlations, explained_variance, genre_map, scaling
from segue.plots.genres import genre_explains, measures_by_genre
from segue.plots.mix import mix
from segue.plots.nearest import neighbours_by_scaling
from segue.plots.outcome import outcomes
from segue.plots.retrieval import growth, recall_latency
from segue.plots.session import session
from segue.plots.sessions import sessions
from segue.plots.sound import sound
from segue.plots.style import style
from segue.plots.tuning import tuning
from segue.plots.work import stages, throughput

__all__ = [
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
    "growth",
    "lsh_trade_off",
    "measures_by_genre",
    "mix",
    "neighbours_by_scaling",
    "outcomes",
    "recall_latency",
    "scaling",
    "scaling_and_components",
    "session",
    "sessions",
    "silhouette",
    "sound",
    "stages",
    "style",
    "throughput",
    "training_curve",
    "tuning",
]
