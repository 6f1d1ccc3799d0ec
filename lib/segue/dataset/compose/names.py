"""Invented names: artists, albums and titles from word lists."""

from __future__ import annotations

import numpy as np

_FIRST = (
    "Maren Tobias Ilse Caspian Odette Rufus Linnea Anselm Petra Silas Juno Emeric Saskia Leopold Wren "
    "Matthis Coralie Bastian Thea Oswin Delphine Ivo Marit Lucian Sunniva Ambrose Elin Florian Zelda "
    "Hollis Vera Joss"
).split()
_LAST = (
    "Tollgate Ashgrove Winterbourne Larkmoor Fennimore Quillon Hartsease Oakhampton Silverthorn Marlowe "
    "Finch Greyling Pemberwick Sandoval-Reed Brackenridge Thistlewood Lindqvist-Hale Copperfield-Osei "
    "Draymoor Evergale Holloway-Brandt Nightingall Orchardson Peverell Rainsford Stellmach Underhay "
    "Velasquez-Lind Westerlake Yarborough Zellweger-Moon Amberley Birchwater"
).split()
_ADJECTIVE = (
    "Paper Velvet Copper Distant Hollow Silver Quiet Crooked Amber Northern Drowsy Electric Saffron "
    "Marble Restless Wooden Lunar Tidal Feathered Midnight Painted Wandering Salted Iron Gentle Neon "
    "Autumn Borrowed Frozen Golden"
).split()
_THING = (
    "Harbour Lantern Orchard Compass Sparrow Meadow Engine Carousel Lighthouse Mirror River Satellite "
    "Anchor Garden Bicycle Telegraph Mountain Kettle Parade Island Window Pendulum Thunder Staircase "
    "Comet Ferry Pavilion Almanac Tangerine Umbrella"
).split()
_GROUP = "Quartet Ensemble Collective Orchestra Trio Society Union Company System Sound".split()
_VERB = "Leaving Counting Finding Missing Crossing Keeping Following Painting Waiting-for Dreaming-of".split()
_TIME = "Tuesday Dawn Winter Noon September Midnight Spring Sunday Tomorrow Evening".split()
_SEASON = "Winter September Spring October Autumn April Rain Bloom Moonlight".split()
_PLACE = "Lisbon Trondheim Valparaiso Galway Kyoto Marseille Tallinn Montevideo Bergen Trieste".split()


def _word(rng: np.random.Generator, words: list[str]) -> str:
    return words[int(rng.integers(len(words)))].replace("-for", " for").replace("-of", " of")


def _plural(thing: str) -> str:
    if thing.endswith("y"):
        return thing[:-1] + "ies"
    return thing + ("es" if thing.endswith("s") else "s")


def _artist(rng: np.random.Generator) -> str:
    kind = int(rng.integers(5))
    if kind <= 1:
        return f"{_word(rng, _FIRST)} {_word(rng, _LAST)}"
    if kind == 2:
        return f"The {_word(rng, _ADJECTIVE)} {_plural(_word(rng, _THING))}"
    if kind == 3:
        return f"{_word(rng, _THING)} {_word(rng, _GROUP)}"
    return f"{_word(rng, _ADJECTIVE)} {_word(rng, _THING)}"


def _title(rng: np.random.Generator) -> str:
    adjective, thing, other = _word(rng, _ADJECTIVE), _word(rng, _THING), _word(rng, _THING)
    kinds = (
        f"{adjective} {thing}",
        f"{_word(rng, _VERB)} the {thing}",
        f"{thing} in {_word(rng, _SEASON)}",
        f"The {thing} and the {other}" if thing != other else f"Two {_plural(thing)}",
        f"{_word(rng, _VERB)} {_word(rng, _PLACE)}",
        f"{_word(rng, _PLACE)}, {_word(rng, _TIME)}",
        f"A {thing} of {_plural(other)}" if thing[0] not in "AEIOU" else f"An {thing} of {_plural(other)}",
        f"{_word(rng, _TIME)} {thing}",
    )
    return kinds[int(rng.integers(len(kinds)))]


class Names:
    """Draws names, none of a kind twice."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._used: set[tuple[str, str]] = set()

    def artist(self) -> str:
        """Return a new artist's name."""
        return self._new("artist")

    def title(self) -> str:
        """Return a new title, of a track or an album."""
        return self._new("title")

    def _new(self, kind: str) -> str:
        for _ in range(100):
            name = _artist(self._rng) if kind == "artist" else _title(self._rng)
            if (kind, name) not in self._used:
                break
        else:
            name = f"{name} {sum(1 for used, _ in self._used if used == kind)}"
        self._used.add((kind, name))
        return name
