"""``segue evaluate``: figures that can be computed by hand, and a word for what is not taken as it stands."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest

from segue.cli import run_command
from segue.commands.evaluate import evaluate, table
from segue.dataset.listening_csv import read_listening
from segue.evaluation.pairs import pairs_of
from segue.models import MODELS
from support.planted import taste
from support.tunable import Tunable

LOG = [1 / math.log2(place + 1) for place in range(1, 11)]


@pytest.fixture
def files(tmp_path):
    def write(train: str, test: str) -> tuple[Path, Path]:
        for name, text in (("train.csv", train), ("test.csv", test)):
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / "train.csv", tmp_path / "test.csv"

    return write


@pytest.fixture
def planted(tmp_path) -> tuple[Path, Path]:
    """Listeners with tastes: every fifth row of each is the test."""
    plays = taste(listeners=60).interactions
    plays.columns = ["user", "item", "weight"]
    held_out = plays.groupby("user").cumcount() % 5 == 0
    plays[~held_out].to_csv(tmp_path / "train.csv", index=False)
    plays[held_out].to_csv(tmp_path / "test.csv", index=False)
    return tmp_path / "train.csv", tmp_path / "test.csv"


def run(train: Path, test: Path, *options: str) -> int:
    arguments = ["--train", str(train), "--test", str(test), *options]
    return run_command(lambda: evaluate.main(arguments, standalone_mode=False))


@pytest.fixture
def result(capsys):
    def of(files: tuple[Path, Path], *options: str) -> dict:
        assert run(*files, "--json", *options) == 0
        return json.loads(capsys.readouterr().out)

    return of


def test_popularity_by_hand(files, result):
    """Five items with 4, 3, 2, 1 and 0 users in training; nobody's training items are ranked."""
    train = "user,item\na,i1\nb,i1\nc,i1\nd,i1\na,i2\nb,i2\ne,i2\na,i3\nf,i3\nb,i4\n"
    # a is ranked i4, i5; d i2, i3, i4, i5; e i1, i3, i4, i5.
    found = result(files(train, "user,item\na,i5\nd,i2\nd,i4\ne,i3\n"), "--model", "popularity")
    ndcg = [LOG[1], (LOG[0] + LOG[2]) / (LOG[0] + LOG[1]), LOG[1]]
    assert found["ndcg_at_10"]["mean"] == pytest.approx(sum(ndcg) / 3)
    assert found["recall_at_20"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert found["mrr_at_10"]["mean"] == pytest.approx((0.5 + 1 + 0.5) / 3)
    assert found["precision_at_10"]["mean"] == pytest.approx(4 / 30)
    assert (found["users"], found["items"]) == (3, 5)
    assert found["ndcg_at_10"] == found["yardsticks"]["popularity"]["ndcg_at_10"]
    assert found["ndcg_at_10"]["low"] <= found["ndcg_at_10"]["mean"] <= found["ndcg_at_10"]["high"]
    assert found["artists"] == "not named"


def test_recall_is_over_at_most_twenty_and_the_ideal_over_at_most_ten(files, result):
    """25 relevant items that are the 25 most popular ones: nothing better could be listed."""
    wanted = [f"w{i:02d}" for i in range(25)]
    others = "".join(f"u{k},{item}\n" for k in range(2) for item in wanted)
    train = "user,item\n" + others + "me,mine\n" + "".join(f"u3,x{i}\n" for i in range(30))
    test = "user,item\n" + "".join(f"me,{item}\n" for item in wanted)
    found = result(files(train, test), "--model", "popularity")
    assert found["ndcg_at_10"]["mean"] == pytest.approx(1.0)
    assert found["recall_at_20"]["mean"] == found["map_at_10"]["mean"] == 1.0
    assert found["items"] == 56


def test_what_is_done_with_rows_is_said(files, result):
    train = "weight,user,item,when\n2,a,x,1\n3,a,x,2\n1,a,y,3\n-1,a,z,4\n0,b,y,5\n1,c,v,6\n1,c,x,7\n1,b,q,8\n"
    test = "user,item,weight\na,v,5\na,v,1\na,x,5\nb,x,bad\nstranger,x,1\nstranger,only,1\n"
    paths = files(train, test)
    found = result(paths, "--model", "popularity")
    assert (found["train_rows"], found["train_pairs"], found["test_rows"], found["test_pairs"]) == (
        8,
        7,
        6,
        2,
    )
    assert found["users"] == 2
    assert found["items"] == 6  # only, q, v, x, y, z
    assert [(each["file"], each["rows"], each["treatment"]) for each in found["treatments"]] == [
        ("train", 1, "a user and item that came before: the weights are summed"),
        ("train", 2, "weight 0 or below: a dislike, never ranked for that user"),
        ("test", 1, "a user and item that came before: counted once"),
        ("test", 2, "user without a row in training: left out"),
        ("test", 1, "in training too, so never ranked: left out"),
        ("train", 8, "columns not read: when"),
        ("test", 6, "weights are not looked at: each pair is relevant"),
    ]
    pairs = pairs_of(read_listening(paths[0]), read_listening(paths[1], weights=False))
    assert sorted(pairs.train.matrix.data.tolist()) == [-1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 5.0]
    assert pairs.test.to_numpy().tolist() == [["a", 2], ["b", 3]]


def test_one_long_name_costs_its_own_length_only(files, result):
    """As a column of equally wide text these users would take 24 GB."""
    long = "u" * 300_000
    train = f"user,item\n{long},x\n{long},y\n" + "".join(f"u{i},x\n" for i in range(20_000))
    found = result(files(train, f"user,item\nu1,y\n{long},z\n"), "--model", "popularity")
    assert (found["users"], found["items"], found["train_pairs"]) == (2, 3, 20_002)


def test_a_user_with_dislikes_only_is_ranked(files, result):
    train = "user,item,weight\na,x,-1\nb,y,1\nb,z,1\nc,y,1\n"
    found = result(files(train, "user,item\na,y\n"), "--model", "popularity")
    assert (found["users"], found["ndcg_at_10"]["mean"]) == (1, 1.0)


def test_names_and_the_order_of_rows_do_not_matter(planted, result, tmp_path):
    renamed = []
    for number, file in enumerate(planted):
        rows = pd.read_csv(file).sample(frac=1, random_state=number)
        rows.to_csv(tmp_path / f"shuffled{number}.csv", index=False)
        renamed.append(tmp_path / f"shuffled{number}.csv")
    options = ("--model", "ease", "--no-tune")
    one, other = result(planted, *options), result(tuple(renamed), *options)
    del one["seconds"], other["seconds"]
    assert one == other


def test_ties_do_not_follow_the_names_of_items(files, result):
    """All items have one user: popularity knows nothing, whatever the items of the test are called."""
    means = []
    for wanted in ("a", "z"):
        train = "user,item\n" + "".join(f"u{i},{wanted}{i}\nu{i},m{i}\n" for i in range(400))
        test = "user,item\n" + "".join(f"u{i},{wanted}{(i + 7) % 400}\n" for i in range(400))
        found = result(files(train, test), "--model", "popularity")
        means.append(found["recall_at_20"]["mean"])
    assert max(means) < 4 * 20 / 798


def test_a_model_is_tuned_on_the_training_rows_and_better_for_it(planted, result, monkeypatch):
    monkeypatch.setitem(MODELS, "tunable", Tunable)
    plain = result(planted, "--model", "tunable", "--no-tune")
    tuned, again = (result(planted, "--model", "tunable", "--trials", "8", "--seed", "1") for _ in range(2))
    assert plain["chosen"] == {
        "by": "defaults", "given": [], "trials": 0, "validation_ndcg_at_10": None,
    }  # fmt: skip
    assert plain["parameters"]["shrink"] == 20.0
    assert tuned["chosen"]["trials"] == 8
    assert tuned["chosen"]["searched"] == ["neighbours", "power", "shrink"]
    assert (
        tuned["ndcg_at_10"]["mean"]
        > plain["ndcg_at_10"]["mean"]
        > plain["yardsticks"]["random"]["ndcg_at_10"]["high"]
    )
    for one in (tuned, again):
        assert set(one.pop("seconds")) == {"read", "tune", "fit", "rank"}
    assert tuned == again
    kept = ("--model", "tunable", "--trials", "3", "--keep", str(planted[0].parent / "kept"))
    assert result(planted, *kept)["chosen"] == result(planted, *kept)["chosen"]
    assert len(list((planted[0].parent / "kept").iterdir())) == 1
    fixed = result(planted, "--model", "tunable", "--trials", "3", "-p", "shrink", "1", "-p", "power", "none")
    assert fixed["chosen"]["searched"] == ["neighbours"]
    assert fixed["chosen"]["given"] == ["power", "shrink"]
    assert (fixed["parameters"]["shrink"], fixed["parameters"]["power"]) == (1.0, "none")


def test_the_mix_of_best_is_said(planted, result):
    few = ("-p", "trials", "1", "-p", "folds", "1", "-p", "starts", "1", "-p", "parts", "1")
    found = result(planted, "--model", "best", *few)
    chosen = found["chosen"]
    assert chosen["trials"] >= 1
    assert sum(part["weight"] for part in chosen["mix"]) == pytest.approx(1.0)
    assert {part["model"] for part in chosen["mix"]} <= set(MODELS)
    assert any(f"picked from {chosen['trials']} settings on validation" in line for line in table(found))


def test_a_person_gets_a_table(planted, capsys):
    assert run(*planted, "--model", "popularity") == 0
    shown = capsys.readouterr()
    assert "60 users ranked 60 items; learned from 540 pairs" in shown.out
    assert "nDCG@10" in shown.out
    assert "artists are not named" in shown.out
    assert "test: 180 rows, weights are not looked at: each pair is relevant" in shown.out
    assert "ranking 60 items" in shown.err


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (("--model", "exact"), 2, "exact learns from features and there are none in a file of user and item"),
        (("--model", "eas"), 2, "there is no model 'eas'; did you mean 'ease'"),
        (("--model", "ease", "-p", "rge", "1"), 2, "no parameter 'rge'; did you mean 'reg'"),
        (("--model", "ease", "-p", "reg", "-1"), 2, "reg = '-1': input should be greater than 0"),
        (("--model", "ease", "--trials", "0"), 2, "0 is not in the range x>=1"),
        ((), 2, "Missing option '--model'"),
    ],
)
def test_bad_use(files, capsys, options, code, told):
    assert run(*files("no\n", "no\n"), *options) == code
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("train", "test", "told"),
    [
        ("", "user,item\na,x\n", "train.csv is empty"),
        ("user,item\na,x\n", "user,item\n", "test.csv has a header and no rows"),
        ("user,item,weight\na,x,many\n", "user,item\na,y\n", "train.csv, line 2, has the weight 'many'"),
        ("user,item\na,x\n", "user,artist\na,y\n", "test.csv lacks the column 'item'"),
        ("user,item\na,x\n", "user,item\nb,y\nc,y\n", "of 2 pairs in"),
        ("user,item\na,x\n", "user,item\na,x\n", "nobody is left to ask"),
    ],
)
def test_bad_files(files, capsys, train, test, told):
    assert run(*files(train, test), "--model", "popularity", "--json") == 1
    shown = capsys.readouterr()
    assert told in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("model", ["ease", "item_knn", "wals", "best"])
def test_with_too_few_rows_to_choose_by_the_defaults_are_taken(files, result, model):
    found = result(files("user,item\na,x\nb,x\nb,y\n", "user,item\na,y\n"), "--model", model)
    assert found["ndcg_at_10"] == {"mean": 1.0, "low": 1.0, "high": 1.0}
    assert found["chosen"]["validation_ndcg_at_10"] is None


def test_popularity_on_the_fixed_split(shared_data, tmp_path, result):
    """Published 0.0801 and 0.1028; equally popular artists, ordered otherwise, move both by up to 0.0002."""
    train, test = hetrec(shared_data, tmp_path)
    found = result((train, test), "--model", "popularity")
    assert (found["users"], found["items"], found["test_pairs"]) == (1_877, 17_632, 18_578)
    assert found["ndcg_at_10"]["mean"] == pytest.approx(0.0801, abs=1e-4)
    assert found["recall_at_20"]["mean"] == pytest.approx(0.1028, abs=2.5e-4)


def hetrec(shared_data: Path, folder: Path) -> tuple[Path, Path]:
    source = shared_data / "listening" / "hetrec2011-lastfm-2k"
    plays = pd.read_csv(source / "user_artists.dat", sep="\t", names=["user", "item", "weight"], header=0)
    test = pd.read_csv(source / "test_pairs.csv.gz", names=["user", "item"], header=0)
    held_out = (plays.merge(test, how="left", indicator=True)["_merge"] == "both").to_numpy()
    plays[~held_out].to_csv(folder / "train.csv", index=False)
    test.to_csv(folder / "test.csv.gz", index=False)
    return folder / "train.csv", folder / "test.csv.gz"
