"""The recommenders: one file each, one contract in `segue.models.base`."""
