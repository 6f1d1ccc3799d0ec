"""What models can do, need and give, by name."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Capability(StrEnum):
    """What a model can be asked for."""

    SIMILAR = "similar"
    RECOMMEND = "recommend"


class Need(StrEnum):
    """What a model must be given to learn from."""

    FEATURES = "features"
    INTERACTIONS = "interactions"
    GENRES = "genres"


class Basis(StrEnum):
    """What a recommendation rests on: how tracks sound, who plays them, how many do, or nothing."""

    SOUND = "sound"
    LISTENERS = "listeners"
    POPULARITY = "popularity"
    CHANCE = "chance"


BASES = tuple(Basis)
"""By the number that stands for each in arrays."""


class Scored(NamedTuple):
    """One item of a list; scores order one list and are not comparable between models."""

    track_id: int
    score: float


class Because(NamedTuple):
    """Why a track is recommended: the basis, and the listener's own tracks that it rests on, best first."""

    basis: Basis
    track_ids: tuple[int, ...]
