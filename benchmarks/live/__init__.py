"""The live loop, measured from outside: `python -m benchmarks.live [--quick]`."""
