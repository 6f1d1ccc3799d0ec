"""The player under visitors, measured from outside: `python -m benchmarks.player [--quick]`."""
