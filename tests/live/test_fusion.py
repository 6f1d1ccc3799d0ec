import numpy as np
import pytest

from segue.live.fusion import AVERSION, LEAST, NOBODY, Fused, Fusion, Seeds, shares


class Table:
    """Neighbours from an array, and newcomers beside them."""

    def __init__(self, rows: np.ndarray, besides=((), (), ())) -> None:
        self.rows, self.depth = rows, rows.shape[1]
        self._besides = tuple(np.array(column, dtype=np.int64) for column in besides)

    def first(self, seeds: np.ndarray, counts: np.ndarray) -> np.ndarray:
        return np.concatenate([self.rows[seed, :count] for seed, count in zip(seeds, counts, strict=True)])

    def besides(self, seeds: np.ndarray, counts: np.ndarray):
        return self._besides


def seeds(*places: int, weights=None, session=()) -> Seeds:
    weights = np.ones(len(places)) if weights is None else np.array(weights, dtype=float)
    return Seeds(np.array(places), weights, np.isin(places, session))


def told(fused: Fused) -> dict[int, tuple[float, int]]:
    return {
        int(place): (float(score), int(seed))
        for place, score, seed in zip(fused.places, fused.scores, fused.seed, strict=True)
    }


NEAR = np.array([[1, 2, 3], [2, 3, 0], [3, 1, 0], [0, 1, 2], [5, 6, 7]] + [[0, 1, 2]] * 4)


def test_one_track_by_hand():
    found = told(Fusion(9).fuse(seeds(4), NOBODY, Table(NEAR), np.array([8, 6])))
    assert found == {
        5: (pytest.approx(2 / 5), 4), 6: (pytest.approx(2 / 6 + 1 / 6), 4), 7: (pytest.approx(2 / 7), 4),
        8: (pytest.approx(1 / 5), -1),
    }  # fmt: skip


def test_two_tracks_share_what_they_bring_and_the_newer_counts_twice_as_much_now():
    share = shares(seeds(0, 4))
    assert share[0].tolist() == [pytest.approx(1 / 3), pytest.approx(2 / 3)]
    older = 2 ** (-1 / 10)
    assert share[1].tolist() == [pytest.approx(older / (1 + older)), pytest.approx(1 / (1 + older))]
    found = told(Fusion(9).fuse(seeds(0, 4), NOBODY, Table(NEAR), np.empty(0, dtype=np.int64)))
    assert found[1] == (pytest.approx((share[0][0] + share[1][0]) / 5), 0)
    assert found[6] == (pytest.approx((share[0][1] + share[1][1]) / 6), 4)


def test_now_is_the_session_if_it_has_a_track():
    assert shares(seeds(0, 4, session=[0]))[0].tolist() == [1, 0]
    assert (shares(seeds(0, 4, session=[0]))[1] > 0).all()
    assert shares(seeds(0, 4, session=[7])).tolist() == shares(seeds(0, 4)).tolist()


def test_what_is_near_an_avoided_track_loses_and_what_has_nothing_left_is_not_named():
    avoided = seeds(0, weights=[0.25])
    found = told(Fusion(9).fuse(seeds(4), avoided, Table(NEAR), np.array([3, 1, 8])))
    assert found[3] == (pytest.approx(1 / 5 - AVERSION * 0.25 / 7), -1)
    assert found[1] == (pytest.approx(1 / 6 - AVERSION * 0.25 / 5), -1)
    assert found[8] == (pytest.approx(1 / 7), -1)
    alone = told(Fusion(9).fuse(seeds(4), seeds(4, weights=[9.0]), Table(NEAR), np.array([8])))
    assert set(alone) == {8}


def test_a_newcomer_stands_at_its_rank_beside_the_others():
    found = told(Fusion(10).fuse(seeds(4), NOBODY, Table(NEAR, ([0], [1], [9])), np.array([9])))
    assert found[9] == (pytest.approx(2 / 6 + 1 / 5), 4)
    assert found[6] == (pytest.approx(2 / 6), 4)


@pytest.mark.parametrize("seed", range(5))
def test_the_rankings_are_those_of_the_whole_catalogue(seed):
    """The same by loops over everything: what is left out adds less than `LEAST` to each ranking."""
    rng = np.random.default_rng(seed)
    n, depth = 400, 120
    near = np.array([rng.permutation(n)[:depth] for _ in range(n)])
    likes = seeds(*rng.permutation(n)[:12], weights=rng.integers(1, 4, 12) / 2, session=range(0, n, 2))
    others = rng.permutation(n)[:60]
    fusion = Fusion(n)
    for _ in range(2):
        fused = fusion.fuse(likes, NOBODY, Table(near), others)
        score = np.zeros((2, n))
        for which, share in enumerate(shares(likes)):
            for place, part in zip(likes.places, share, strict=True):
                value = part / (5 + np.arange(depth))
                np.maximum.at(score[which], near[place], np.where(value >= LEAST, value, 0))
        whole = score.sum(axis=0)
        whole[others] += 1 / (5 + np.arange(60))
        assert np.unique(fused.places).size == fused.places.size
        lost = whole[fused.places] - fused.scores
        assert np.abs(lost).max() < LEAST
        assert set(np.flatnonzero(whole > 2 * LEAST)) <= set(fused.places.tolist())
        top = np.argsort(-whole)[:20]
        assert set(top.tolist()) <= set(fused.places[np.argsort(-fused.scores)[:24]].tolist())
