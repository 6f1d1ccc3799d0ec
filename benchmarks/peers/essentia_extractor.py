"""Essentia's MusicExtractor on each path of standard input; prints each one's milliseconds of the processor.

Run by benchmarks/features.py with a Python that has the package ``essentia``.
"""

import sys
import time

import essentia  # type: ignore[import-not-found]

essentia.log.infoActive = False
essentia.log.warningActive = False
import essentia.standard  # type: ignore[import-not-found]  # noqa: E402 (it logs while it is imported)

analyse = essentia.standard.MusicExtractor()
for line in sys.stdin:
    started = time.process_time()
    analyse(line.rstrip("\n"))
    print(1_000 * (time.process_time() - started), flush=True)
