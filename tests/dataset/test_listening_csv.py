"""Files of who listened to what: read as they stand, or refused by their line."""

import gzip
import os
import subprocess
import sys

import numpy as np
import pytest

from segue.dataset import listening_csv
from segue.dataset.listening_csv import read_listening
from segue.errors import SegueError

HEADER = b"user,item,weight\n"


@pytest.fixture
def read(tmp_path):
    def of(data: bytes, **options):
        file = tmp_path / "plays.csv"
        file.write_bytes(data)
        return read_listening(file, **options)

    return of


def rows(found) -> list[tuple[str, str, float]]:
    users, items = found.user_names.to_pylist(), found.item_names.to_pylist()
    return [
        (users[user], items[item], weight)
        for user, item, weight in zip(found.users, found.items, found.weights.tolist(), strict=True)
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (HEADER + b"a,x,1\nb,x,2.5\n", [("a", "x", 1.0), ("b", "x", 2.5)]),
        (HEADER + b"a,x,1\nb,x,2", [("a", "x", 1.0), ("b", "x", 2.0)]),
        (b"\xef\xbb\xbfuser,item,weight\r\na,x,1\r\n", [("a", "x", 1.0)]),
        (b"user,item,weight\ra,x,1\rb,y,2\r", [("a", "x", 1.0), ("b", "y", 2.0)]),
        (b"\n\r\nuser,item\n\na,x\n\n", [("a", "x", 1.0)]),
        (b"when,item,weight,user\n1999,x,3,a\n", [("a", "x", 3.0)]),
        (
            b'"user","item"\n"a,1","say ""x"""\n"two\nlines",y\n',
            [("a,1", 'say "x"', 1.0), ("two\nlines", "y", 1.0)],
        ),
        (b"user,item\n1,01\n01,1\n1.0,NaN\n", [("1", "01", 1.0), ("01", "1", 1.0), ("1.0", "NaN", 1.0)]),
        ("user,item\nÄ,東京 \n".encode(), [("Ä", "東京 ", 1.0)]),
        (HEADER + b"a,x, 7 \nb,x,-3\nc,x,+1e3\n", [("a", "x", 7.0), ("b", "x", -3.0), ("c", "x", 1000.0)]),
        (HEADER + b"a,x,1e-60\nb,x,-1e-60\n", [("a", "x", 2.0**-126), ("b", "x", -(2.0**-126))]),
        (gzip.compress(HEADER + b"a,x,1\n") + gzip.compress(b"b,y,2\n"), [("a", "x", 1.0), ("b", "y", 2.0)]),
    ],
    ids=(
        "plain", "no last newline", "bom and crlf", "cr", "blank lines", "any order", "quoted",
        "ids are text", "unicode", "numbers", "tiny", "gzip",
    ),
)  # fmt: skip
def test_what_is_read(read, data, expected):
    assert rows(read(data)) == expected


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty: a header is needed"),
        (HEADER, "has a header and no rows"),
        (HEADER[:-1], "has a header and no rows"),
        (b"user,weight\na,1\n", "lacks the column 'item': its header has 'user', 'weight'"),
        (b"User,item\na,x\n", "lacks the column 'user'"),
        (b"user;item\na;x\n", "separated by commas"),
        (b"user,item,user\na,x,b\n", "names the column 'user' twice"),
        (HEADER + b"a,x,1\nb,x,much\n", "line 3, has the weight 'much'"),
        (HEADER + b"a,x,1\nb,x,\n", "line 3, has the weight ''"),
        (HEADER + b"a,x,NaN\n", "line 2, has the weight 'NaN'"),
        (HEADER + b"a,x,inf\n", "line 2, has the weight 'inf'"),
        (HEADER + b"a,x,1e31\n", "line 2, has the weight '1e31': give a number of at most 1e+30"),
        (HEADER + b"a,x,1_0\n", "line 2, has the weight '1_0'"),
        (HEADER + b'"two\nlines",x,1\n\na,x,no\n', "line 5, has the weight 'no'"),
        (HEADER + b"a,x,1\n,x,1\n", "line 3, has no user"),
        (HEADER + b"a,x,1\nb,,1\n", "line 3, has no item"),
        (HEADER + b"a,x,1\n\nb,x\n", "line 4, has 2 fields where the header has 3"),
        (HEADER + b"a,x,1,9\n", "line 2, has 4 fields where the header has 3"),
        (HEADER + b'"a,x,1\nb,x,1\n', "line 2, has 1 fields where the header has 3"),
        (HEADER + "a,x,1\né,x,1\n".encode("latin-1"), "line 3, is not UTF-8"),
        ("user,item\na,x\n".encode("utf-16"), "is not UTF-8"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "is not UTF-8"),
        (b"a" * 100_000, "longer than 64 KiB: it is no header"),
        (HEADER + b"a" * 20_000_000 + b",x,1\n", "has a row of more than 8 MiB"),
        (gzip.compress(HEADER + b"a,x,1\n" * 99_999, mtime=0)[:-9], "is a damaged gzip file"),
        (gzip.compress(HEADER + b"a,x,1\n", mtime=0)[:15], "is a damaged gzip file"),
        (gzip.compress(HEADER + b"a,x,1\n", mtime=0) + b"more", "is a damaged gzip file"),
    ],
)
def test_what_is_refused(read, tmp_path, data, told):
    with pytest.raises(SegueError) as refused:
        read(data)
    assert told in str(refused.value)
    assert str(tmp_path / "plays.csv") in str(refused.value)


def test_the_line_is_right_far_into_a_file(read):
    data = HEADER + b"".join(b"u%d,i%d,1\n" % (i, i % 99) for i in range(700_000))
    assert len(data) > 8 << 20
    with pytest.raises(SegueError, match="line 700002, has the weight 'x'"):
        read(data + b"a,b,x\n")
    found = read(data)
    assert len(found) == 700_000
    assert (len(found.user_names), len(found.item_names)) == (700_000, 99)
    assert found.user_names[int(found.users[-1])].as_py() == "u699999"
    assert found.item_names[int(found.items[-1])].as_py() == f"i{699_999 % 99}"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "is not a file"),
        ("absent.csv", "cannot be read"),
        ("pipe", "is not a file"),
        ("dir/absent", "cannot"),
    ],
)
def test_what_is_no_file(tmp_path, name, told):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SegueError, match=told):
        read_listening(tmp_path / name)


def test_weights_that_are_not_wanted_are_not_read(read):
    found = read(b"user,item,weight,at\na,x,text,1\n", weights=False)
    assert (rows(found), found.weighted, found.others) == ([("a", "x", 1.0)], True, ("at",))


def test_there_is_a_most(read, monkeypatch):
    monkeypatch.setattr(listening_csv, "MOST_ROWS", 2)
    assert len(read(HEADER + b"a,x,1\nb,x,1\n")) == 2
    with pytest.raises(SegueError, match="more than 2 rows"):
        read(HEADER + b"a,x,1\nb,x,1\nc,x,1\n")


@pytest.mark.soak
def test_a_file_of_a_gigabyte_takes_little_memory(tmp_path):
    """Some 70 million rows: 12 bytes of each are kept, and twice that while the blocks are joined."""
    file = tmp_path / "large.csv"
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, 200_000, 1_000_000), rng.zipf(1.3, 1_000_000) % 100_000
    block = b"".join(
        b"u%d,i%d,%d\n" % (user, item, user % 9 + 1) for user, item in zip(users, items, strict=True)
    )
    with file.open("wb") as out:
        out.write(HEADER)
        while out.tell() < 1_000_000_000:
            out.write(block)
    program = (
        "import resource, sys; from segue.dataset.listening_csv import read_listening;"
        "found = read_listening(sys.argv[1]); print(len(found));"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True
    )
    read, kib = map(int, done.stdout.split())
    assert read > 60_000_000
    assert kib < 3 << 20
