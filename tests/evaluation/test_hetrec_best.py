"""Our own models against what others measured on the same split."""

import os

import pytest

from evaluation.test_hetrec import hetrec
from segue.evaluation.compare import compare_on
from segue.evaluation.listeners import listener_values
from segue.models import create

__all__ = ["hetrec"]


@pytest.mark.slow
def test_weighted_als_by_its_defaults(hetrec):
    """0.2596 measured; published ALS reaches 0.2463, EASE 0.2344 (the README of the split)."""
    data, test = hetrec
    values, _ = listener_values(create("wals").fit(data), data, test)
    assert values["ndcg_at_10"].mean() > 0.258


@pytest.mark.soak
def test_the_best_mix(hetrec):
    """At least 0.260 was asked for, within 5 minutes on 2 cores, its own tuning included."""
    row = compare_on({"best": create("best")}, *hetrec)[0].set_index("model").loc["best"]
    assert row["ndcg_at_10"] > 0.260
    if len(os.sched_getaffinity(0)) <= 2:
        assert row["fit_s"] < 300
