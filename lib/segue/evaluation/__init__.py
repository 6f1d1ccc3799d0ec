"""Splits and metrics: how good a recommender is, beside popularity and random."""
