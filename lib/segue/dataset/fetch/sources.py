"""What public data sets there are, and where: address, size, checksum, licence, citation."""

from __future__ import annotations

from dataclasses import dataclass

from segue.dataset import fma
from segue.errors import UsageError

_GIB = 1 << 30
_ROUNDED = 1.05
_SPARE = 4 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """One published archive.

    ``size`` is its bytes, exactly or (``exact`` False) as its publisher rounds them; ``unpacked`` is
    roughly what it holds. ``checksum`` is the publisher's own, as ``(algorithm, hexadecimal digits)``, or
    None where none is published. ``folder`` is what it unpacks to; ``flat`` says that the archive itself
    has no such folder.
    """

    name: str
    title: str
    url: str
    size: int
    exact: bool
    unpacked: int
    checksum: tuple[str, str] | None
    folder: str
    licence: str
    citation: str
    flat: bool = False

    @property
    def archive(self) -> str:
        """Return the archive's file name."""
        return self.url.rpartition("/")[2]

    @property
    def most_bytes(self) -> int:
        """Return how many bytes are taken at most."""
        return self.size if self.exact else int(self.size * _ROUNDED) + _SPARE

    @property
    def verified_by(self) -> str:
        """Say what tells a whole archive from a damaged one."""
        if self.checksum:
            return f"{self.checksum[0].upper()} {self.checksum[1]}"
        return "no published checksum; the CRC-32 of each file in it"


def find_source(name: str) -> Source:
    """Return the data set of this name.

    Raises
    ------
    UsageError
        If there is none.
    """
    if found := SOURCES.get(ALIASES.get(name, name)):
        return found
    raise UsageError(f"there is no data set {name!r} to fetch: choose from {', '.join(SOURCES)}")


def _fma(part: str, title: str, size: int, exact: bool, unpacked: int, sha1: str) -> Source:
    return Source(
        f"fma_{part}", title, f"https://os.unil.cloud.switch.ch/fma/fma_{part}.zip", size, exact, unpacked,
        ("sha1", sha1), f"fma_{part}", fma.LICENCE, fma.CITATION,
    )  # fmt: skip


def _movielens(name: str, title: str, size: int, exact: bool, unpacked: int, md5: str | None) -> Source:
    return Source(
        f"movielens-{name}", title, f"https://files.grouplens.org/datasets/movielens/ml-{name}.zip", size,
        exact, unpacked, ("md5", md5) if md5 else None, f"ml-{name}",
        "research use, with acknowledgement; redistribution under the same terms; no commercial use without "
        "GroupLens's permission",
        "F. M. Harper, J. A. Konstan: The MovieLens Datasets: History and Context. ACM Transactions on "
        "Interactive Intelligent Systems 5 (4), 2015.",
    )  # fmt: skip


_ALL = (
    # SHA-1 and rounded sizes: README of the repository mdeff/fma.
    _fma("metadata", "FMA: tables of tracks, genres and features", 358_412_441, True, 3 * _GIB // 2,
         "f0df49ffe5f2a6008d7dc83c6915b31835dfe733"),
    _fma("small", "FMA small: 8,000 clips of 30 s, 8 genres", 7_679_594_875, True, 7_700_000_000,
         "ade154f733639d52e35e32f5593efe5be76c6d70"),
    _fma("medium", "FMA medium: 25,000 clips of 30 s, 16 genres", 22 * _GIB, False, 22 * _GIB,
         "c67b69ea232021025fca9231fc1c7c1a063ab50b"),
    _fma("large", "FMA large: 106,574 clips of 30 s, 161 genres", 100_306_112_191, True, 101_000_000_000,
         "497109f4dd721066b5ce5e5f250ec604dc78939e"),
    _fma("full", "FMA full: 106,574 whole tracks, 161 genres", 879 * _GIB, False, 880 * _GIB,
         "0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab"),
    Source(
        "hetrec2011-lastfm-2k", "Last.fm listening of 1,892 users (HetRec 2011)",
        "https://files.grouplens.org/datasets/hetrec2011/hetrec2011-lastfm-2k.zip", 5 << 19, False, 10 << 20,
        None, "hetrec2011-lastfm-2k", "non-commercial use",
        "I. Cantador, P. Brusilovsky, T. Kuflik: 2nd Workshop on Information Heterogeneity and Fusion in "
        "Recommender Systems (HetRec 2011). 5th ACM Conference on Recommender Systems (RecSys), 2011.",
        flat=True,
    ),
    # GroupLens changes this one over time, so no checksum of it stays true.
    _movielens("latest-small", "MovieLens latest small: 100,000 film ratings", 978_202, False, 4 << 20, None),
    # MD5: the files ml-25m.zip.md5 and ml-32m.zip.md5 beside the archives.
    _movielens("25m", "MovieLens 25M: 25 million film ratings", 261_978_986, True, 1_160_000_000,
               "6b51fb2759a8657d3bfcbfc42b592ada"),
    _movielens("32m", "MovieLens 32M: 32 million film ratings", 238_950_008, True, 960_000_000,
               "d472be332d4daa821edc399621853b57"),
)  # fmt: skip

SOURCES = {source.name: source for source in _ALL}
"""Every data set by its name."""
ALIASES = {"movielens": "movielens-32m"}
"""Other names by which they are found."""
