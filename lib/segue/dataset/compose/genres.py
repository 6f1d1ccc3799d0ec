"""The eight genres: what tempo, harmony, rhythm and timbre each draws from."""

from __future__ import annotations

from dataclasses import dataclass

Choice = tuple[str, ...]


@dataclass(frozen=True)
class Branch:
    """A sub-genre in FMA's tree: its id, and the factor it puts on the tempo."""

    genre_id: int
    pace: float = 1.0


@dataclass(frozen=True)
class Genre:
    """The material of a genre; an artist chooses from it, a track composes with the choice.

    Attributes
    ----------
    genre_id, title
        As in FMA's genres.csv.
    tempo
        Lowest and highest beats a minute.
    waltz
        Share of tracks in 3/4.
    progressions
        Chords by degree, one a bar, "!" a raised third; each repeats until its section is full.
    bass, comp
        Pairs of timbre and style of playing (see `segue.dataset.compose.parts`).
    pads
        Timbres that hold the chords in the background; "" for none.
    swing, swing_unit
        See `segue.dataset.compose.rhythm.Grid`.
    drive, crackle
        Distortion of the chords, and level of the record's noise, 0 to 1.
    reverb_s, wet
        Decay time in seconds and share of the reverberation.
    treble
        Hz above which the mix falls off.
    rms_db
        Level of the finished track, dB below full scale.
    looseness
        How freely hands move off the grid and drums vary, 0 to 1.
    pump
        How deep the kick ducks the rest, 0 to 1.
    echo
        Level of the echo on the lead, 0 to 1.
    rest
        Share of a melody's notes left out.
    drum_level, bass_level, pad_level
        Factors on these parts' place in the mix.
    neighbours
        Titles of genres from which an artist may borrow a trait.
    """

    genre_id: int
    title: str
    branches: tuple[Branch, ...]
    tempo: tuple[float, float]
    scales: Choice
    progressions: tuple[Choice, ...]
    chords: Choice
    patterns: Choice
    kits: Choice
    bass: tuple[tuple[str, str], ...]
    comp: tuple[tuple[str, str], ...]
    leads: Choice
    melody: Choice
    pads: Choice = ("",)
    waltz: float = 0.0
    swing: tuple[float, float] = (0.5, 0.52)
    swing_unit: int = 16
    drive: tuple[float, float] = (0.0, 0.0)
    crackle: tuple[float, float] = (0.0, 0.0)
    reverb_s: tuple[float, float] = (0.5, 1.2)
    wet: tuple[float, float] = (0.08, 0.2)
    treble: tuple[float, float] = (8_500.0, 10_500.0)
    rms_db: float = -16.0
    looseness: float = 0.5
    pump: float = 0.0
    echo: tuple[float, float] = (0.0, 0.1)
    rest: tuple[float, float] = (0.1, 0.25)
    drum_level: float = 1.0
    bass_level: float = 1.0
    pad_level: float = 1.0
    neighbours: tuple[str, ...] = ()


GENRES: tuple[Genre, ...] = (
    Genre(
        12, "Rock", (Branch(12), Branch(66, 0.95), Branch(85, 1.08), Branch(25, 1.2)),
        tempo=(108, 148), scales=("minor", "mixolydian", "major", "dorian"),
        progressions=(("1", "7", "6", "7"), ("1", "4", "5", "4"), ("1", "6", "3", "7"), ("1", "5", "6", "4"),
                      ("1", "1", "4", "5"), ("6", "4", "1", "5")),
        chords=("power", "power", "triad"), patterns=("rock_eighths", "rock_drive", "rock_half", "rock_tom"),
        kits=("rock",), bass=(("pick_bass", "eighths"), ("finger_bass", "eighths"), ("pick_bass", "gallop")),
        comp=(("drive_guitar", "chug"), ("drive_guitar", "strum"), ("clean_guitar", "strum")),
        leads=("lead_guitar", "lead_guitar", "organ", "saw_lead"), melody=("riff", "song"),
        pads=("", "", "organ"), drive=(0.35, 0.95), reverb_s=(0.4, 1.0), wet=(0.06, 0.16), rms_db=-13.5,
        drum_level=1.0, bass_level=0.9, neighbours=("Folk", "International", "Hip-Hop"),
    ),
    Genre(
        15, "Electronic", (Branch(181, 1.04), Branch(182), Branch(495, 0.8), Branch(296, 1.02)),
        tempo=(118, 134), scales=("minor", "phrygian", "dorian"),
        progressions=(("1", "1", "1", "1"), ("1", "1", "6", "7"), ("1", "6", "1", "7"), ("1", "4", "1", "7")),
        chords=("triad", "seventh", "sus4"), kits=("machine",),
        patterns=("four_floor", "techno", "house", "techno", "broken_beat"),
        bass=(("acid_bass", "acid"), ("sub_bass", "offbeat"), ("acid_bass", "offbeat")),
        comp=(("saw_stab", "stab"), ("synth_pluck", "arpeggio"), ("saw_stab", "arpeggio")),
        leads=("square_lead", "saw_lead", "synth_pluck", "bells"), melody=("riff", "sparse"),
        pads=("warm_pad", "", "glass_pad"), reverb_s=(0.8, 2.2), wet=(0.1, 0.25), rms_db=-14.0, looseness=0.1,
        pump=0.6, echo=(0.1, 0.4), rest=(0.2, 0.5), treble=(9_000, 11_000),
        drum_level=1.25, bass_level=1.1, neighbours=("Instrumental", "Hip-Hop", "International"),
    ),
    Genre(
        21, "Hip-Hop", (Branch(811), Branch(100, 1.03), Branch(539, 0.98), Branch(580, 0.94)),
        tempo=(78, 98), scales=("minor", "dorian", "phrygian"),
        progressions=(("1", "4"), ("1", "6"), ("2", "5!", "1", "1"), ("1", "3", "6", "5"), ("1", "7")),
        chords=("seventh", "ninth", "triad"), patterns=("boom_bap", "boom_bap_late", "trap", "boom_bap"),
        kits=("boom", "dusty", "dusty"),
        bass=(("sub_bass", "sub"), ("finger_bass", "sub"), ("upright_bass", "sub")),
        comp=(("electric_piano", "loop"), ("felt_piano", "loop"), ("strings", "loop"),
              ("nylon_guitar", "loop")),
        leads=("flute", "bells", "trumpet", "electric_piano", "choir_pad"), melody=("sparse", "riff"),
        pads=("", "choir_pad", ""), swing=(0.54, 0.62), crackle=(0.1, 0.9), reverb_s=(0.3, 0.8),
        wet=(0.05, 0.14), treble=(4_500, 9_000), rms_db=-14.5, looseness=0.8, rest=(0.3, 0.55),
        drum_level=1.35, bass_level=1.25, neighbours=("Jazz", "Electronic", "International"),
    ),
    Genre(
        17, "Folk", (Branch(17), Branch(103, 0.94), Branch(33, 0.92), Branch(180, 1.06)),
        tempo=(86, 126), scales=("major", "mixolydian", "dorian", "major"),
        progressions=(("1", "4", "1", "5"), ("1", "5", "6", "4"), ("1", "6", "4", "5"), ("1", "7", "4", "1"),
                      ("1", "2", "4", "1")),
        chords=("triad", "triad", "sus2"), patterns=("none", "none", "folk_shaker", "folk_stomp"),
        kits=("hand",), bass=(("upright_bass", "root_fifth"), ("", ""), ("finger_bass", "root_fifth")),
        comp=(("steel_guitar", "pick"), ("steel_guitar", "strum"), ("nylon_guitar", "pick"),
              ("banjo", "pick")),
        leads=("whistle", "fiddle", "harmonica", "steel_guitar", "flute"), melody=("song", "song", "busy"),
        pads=("", "", "cello"), waltz=0.25, reverb_s=(0.5, 1.3), wet=(0.08, 0.2), rms_db=-18.0, looseness=0.8,
        drum_level=1.2, bass_level=0.7, neighbours=("Rock", "Classical", "Instrumental"),
    ),
    Genre(
        4, "Jazz", (Branch(4), Branch(906), Branch(179, 1.1), Branch(37, 0.85)),
        tempo=(104, 176), scales=("major", "dorian", "major", "minor"),
        progressions=(("2", "5", "1", "6!"), ("1", "6!", "2", "5"), ("3", "6!", "2", "5"),
                      ("1", "4", "3", "6"), ("1", "1", "4", "1")),
        chords=("seventh", "ninth"), patterns=("swing_ride", "swing_brushes", "swing_busy"), kits=("jazz",),
        bass=(("upright_bass", "walking"), ("upright_bass", "walking"), ("upright_bass", "two_feel")),
        comp=(("piano", "charleston"), ("clean_guitar", "four"), ("vibraphone", "charleston")),
        leads=("saxophone", "trumpet", "clarinet", "vibraphone", "piano"), melody=("busy", "busy", "song"),
        swing=(0.6, 0.67), swing_unit=8, reverb_s=(0.5, 1.1), wet=(0.1, 0.2), rms_db=-17.5, looseness=0.7,
        rest=(0.12, 0.3), drum_level=1.9, bass_level=0.9, neighbours=("Classical", "Hip-Hop", "Folk"),
    ),
    Genre(
        5, "Classical", (Branch(442), Branch(659, 0.9), Branch(444, 1.05), Branch(5)),
        tempo=(66, 118), scales=("major", "minor", "major"),
        progressions=(("1", "4", "5!", "1"), ("1", "6", "2", "5!"), ("1", "5!", "1", "4"),
                      ("6", "2", "5!", "1"), ("1", "3", "4", "5!")),
        chords=("triad",), patterns=("none",), kits=("hand",),
        bass=(("cello", "held"), ("cello", "root_fifth"), ("", "")),
        comp=(("piano", "alberti"), ("strings", "block"), ("violin", "alberti"), ("piano", "block")),
        leads=("violin", "flute", "clarinet", "piano", "cello"), melody=("song", "busy", "long"),
        pads=("", "strings", ""), waltz=0.4, reverb_s=(1.6, 2.8), wet=(0.18, 0.34), rms_db=-20.0,
        looseness=0.6, rest=(0.05, 0.15), drum_level=0.8, bass_level=0.7,
        neighbours=("Instrumental", "Jazz", "Folk"),
    ),
    Genre(
        1235, "Instrumental", (Branch(107), Branch(267), Branch(18, 1.1), Branch(107, 0.9)),
        tempo=(52, 78), scales=("lydian", "dorian", "major", "minor"),
        progressions=(("1", "1", "4", "4"), ("1", "5", "2", "4"), ("1", "3", "1", "6"), ("1", "2")),
        chords=("sus2", "ninth", "seventh"), patterns=("none", "none", "none", "pulse"), kits=("dub",),
        bass=(("sub_bass", "held"), ("", ""), ("sub_bass", "held")),
        comp=(("felt_piano", "drops"), ("bells", "drops"), ("glass_pad", "block"),
              ("synth_pluck", "arpeggio")),
        leads=("glass_pad", "bells", "flute", "felt_piano"), melody=("long", "sparse"),
        pads=("warm_pad", "glass_pad", "choir_pad", "warm_pad"), reverb_s=(2.6, 4.5),
        wet=(0.35, 0.6), treble=(3_200, 5_500), rms_db=-19.5, looseness=0.6, echo=(0.1, 0.4),
        rest=(0.15, 0.4),
        drum_level=1.3, bass_level=0.6, pad_level=2.4, neighbours=("Electronic", "Classical", "Folk"),
    ),
    Genre(
        2, "International", (Branch(79), Branch(79, 0.94), Branch(602, 1.1), Branch(81, 1.2)),
        tempo=(66, 92), scales=("minor", "dorian", "major", "mixolydian"),
        progressions=(("1", "4"), ("1", "2"), ("1", "7"), ("1", "5", "4", "5"), ("1", "1", "4", "4")),
        chords=("triad", "seventh", "triad"), patterns=("one_drop", "steppers", "rockers"),
        kits=("dub", "rock"),
        bass=(("dub_bass", "dub"), ("dub_bass", "dub"), ("finger_bass", "dub")),
        comp=(("bubble_organ", "skank"), ("clean_guitar", "skank"), ("piano", "skank")),
        leads=("melodica", "trumpet", "saxophone", "organ"), melody=("song", "riff", "sparse"),
        pads=("", "organ", ""), swing=(0.52, 0.6), reverb_s=(0.8, 2.0), wet=(0.08, 0.22), rms_db=-15.5,
        looseness=0.5, echo=(0.25, 0.6), rest=(0.2, 0.45), drum_level=1.5, bass_level=1.35,
        neighbours=("Rock", "Hip-Hop", "Electronic"),
    ),
)  # fmt: skip
"""Genres by FMA's titles and ids; International is its reggae and dub branch, Instrumental its ambient."""

BY_TITLE = {genre.title: genre for genre in GENRES}
