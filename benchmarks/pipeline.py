"""How long the whole pipeline takes on the demo catalogue: from nothing, and when nothing is new.

`python -m benchmarks.pipeline [--quick]` works in a temporary folder with services of its own; --quick
composes 24 tracks instead of 400 and runs notebooks 01 and 02 only. The last line is one JSON object.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

from benchmarks.calibration import matrix_product_ms


def segue(*arguments: str, home: str) -> float:
    """Run the command line; return its seconds."""
    environment = {**os.environ, "SEGUE_HOME": home}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "segue.cli", *arguments], env=environment, check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="24 tracks, notebooks 01 and 02 only")
    quick = parser.parse_args().quick
    tracks = 24 if quick else 400
    figures: dict[str, float] = {"tracks": tracks, "matrix_product_ms": round(matrix_product_ms(), 2)}
    run = ("run", "--dataset", "demo", "-p", "tracks", str(tracks), *(("--only", "01,02") if quick else ()))
    with tempfile.TemporaryDirectory() as home:
        try:
            figures["services_s"] = round(segue("services", "up", home=home), 1)
            figures["first_s"] = round(segue(*run, home=home), 1)
            figures["second_s"] = round(segue(*run, home=home), 1)
        finally:
            segue("services", "down", home=home)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
