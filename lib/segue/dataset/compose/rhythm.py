"""The grid of sixteenths with its swing, and the drum patterns of each genre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEVELS = {"X": 1.0, "x": 0.75, "o": 0.5, ".": 0.28}
"""Velocity of a pattern's letters; ``-`` is a rest."""


@dataclass(frozen=True)
class Grid:
    """Where the sixteenths fall.

    ``swing`` is the place of the off-beat within its pair: 0.5 even, 0.67 triplets; ``swing_unit`` tells
    whether the pairs are eighths (``8``) or sixteenths (``16``).
    """

    tempo: float
    beats: int
    swing: float
    swing_unit: int

    @property
    def steps(self) -> int:
        """Return the sixteenths of a bar."""
        return 4 * self.beats

    @property
    def beat_s(self) -> float:
        """Return the seconds of a beat."""
        return 60.0 / self.tempo

    @property
    def bar_s(self) -> float:
        """Return the seconds of a bar."""
        return self.beats * self.beat_s

    def at(self, bar: int, step: float) -> float:
        """Return the second at which a sixteenth of a bar sounds, swing included."""
        width = 4 if self.swing_unit == 8 else 2
        pair, inside = divmod(step, width)
        place = inside / width
        swung = place * 2 * self.swing if place < 0.5 else self.swing + (place - 0.5) * 2 * (1 - self.swing)
        return bar * self.bar_s + (pair + swung) * width * self.beat_s / 4


PATTERNS: dict[str, dict[str, str]] = {
    "none": {},
    "rock_eighths": {
        "kick": "X-----x-X-x-----", "snare": "----X-------X---", "hat": "x-o-x-o-x-o-x-o-",
    },
    "rock_drive": {
        "kick": "X-x---x-X-x---x-", "snare": "----X-------X--.", "hat": "X-x-X-x-X-x-X-x-",
    },
    "rock_half": {
        "kick": "X-----x---x-----", "snare": "--------X-------", "ride": "x---x---x---x---",
    },
    "rock_tom": {
        "kick": "X---x---X---x-x-", "snare": "----X-------X---", "tom": "--x---x---x---xx",
    },
    "four_floor": {
        "kick": "X---X---X---X---", "clap": "----x-------x---", "open": "--x---x---x---x-",
    },
    "techno": {
        "kick": "X---X---X---X---", "hat": "-oxo-oxo-oxo-oxo", "rim": "---o--o----o--o-",
    },
    "house": {
        "kick": "X---X---X---X---", "clap": "----X-------X---", "open": "--x---x---x---x-",
        "shaker": "o.oxo.oxo.oxo.ox",
    },
    "broken_beat": {
        "kick": "X-----x---X-----", "snare": "----X-------X-.-", "hat": "x.o.x.ooxxo.x.o.",
    },
    "boom_bap": {
        "kick": "X-----oX--X-----", "snare": "----X--.-.--X---", "hat": "x-o-x-o-x-o-x-oo",
    },
    "boom_bap_late": {
        "kick": "X--o---x-xX-----", "snare": "----X-------X--.", "hat": "xoo-x-o-xoo-x-o-",
    },
    "trap": {
        "kick": "X------x--x-----", "clap": "--------X-------", "hat": "xoxoxoxoxoxoxxxx",
        "open": "------o---------",
    },
    "folk_stomp": {
        "kick": "x-------x-------", "shaker": "o.x.o.x.o.x.o.x.",
    },
    "folk_shaker": {
        "shaker": "o-.-x-.-o-.-x-.-", "rim": "----o-------o---",
    },
    "swing_ride": {
        "ride": "x---x-o-x---x-o-", "pedal": "----x-------x---", "kick": "o-------o-------",
    },
    "swing_brushes": {
        "brush": "o-.-x-.-o-.-x-.-", "pedal": "----x-------x---",
    },
    "swing_busy": {
        "ride": "x---x-o-x---x-ox", "pedal": "----x-------x---", "snare": "------.-----.-.-",
        "kick": "o-----.-o---.---",
    },
    "one_drop": {
        "kick": "--------X-------", "rim": "--------X-------", "hat": "--x---x---x---x-",
    },
    "steppers": {
        "kick": "X---X---X---X---", "rim": "--------X-----o-", "hat": "o-x-o-x-o-x-o-xx",
    },
    "rockers": {
        "kick": "X-------X---o---", "snare": "--------X-------", "hat": "o-x-o-x-o-xoo-x-",
    },
    "pulse": {
        "kick": "o---------------", "shaker": "----.-------.---",
    },
    "waltz": {
        "kick": "o-----------", "shaker": "----o---o---",
    },
}  # fmt: skip
"""Sixteenths of one bar (3/4 has twelve), an instrument of the kit a line."""

FILLS = (
    {"snare": "--------x-x-xxXX"},
    {"snare": "----------x-x-x-", "tom": "-----------x-x-x"},
    {"tom": "--------x-xxx-xx", "snare": "------x---------"},
    {"snare": "------------xxxx", "open": "--------------X-"},
)
"""What the last bar of a section may have on top."""


def hits(pattern: dict[str, str], rng: np.random.Generator, looseness: float) -> list[tuple[str, int, float]]:
    """Return a bar's hits as (instrument, step, velocity); quiet ones come and go with ``looseness``."""
    found = []
    for instrument, line in pattern.items():
        for step, letter in enumerate(line):
            level = LEVELS.get(letter, 0.0)
            if letter == "-" and instrument in ("hat", "snare", "shaker") and rng.random() < 0.03 * looseness:
                level = LEVELS["."]
            elif level and level < 0.6 and rng.random() < 0.2 * looseness:
                level = 0.0
            if level:
                found.append((instrument, step, level * float(rng.uniform(0.88, 1.08))))
    return found
