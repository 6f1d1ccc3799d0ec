import numpy as np
import pytest

from segue.live.catalogue import Catalogue


@pytest.mark.parametrize("far", [1, 10**15])
def test_ids_near_and_far_apart_are_found_newcomers_among_them(far: int):
    known = np.array([2, 5, 9]) * far
    tracks = Catalogue(known, known, known, 3)
    new = np.array([7, 1]) * far
    catalogue, order = tracks.extended(new, new, new)
    assert order.tolist() == [1, 0]
    asked = [7 * far, 2 * far, 1 * far, 3 * far, 9 * far, -5, 0, 2**63 - 1]
    assert catalogue.positions(asked).tolist() == [4, 0, 3, -1, 2, -1, -1, -1]
    assert tracks.positions(dict.fromkeys(asked)).tolist() == [-1, 0, -1, -1, 2, -1, -1, -1]
    assert tracks.positions([]).tolist() == []
