"""The yardstick of the ETL: what it finds of every file of a folder, in one process and thread, kept nowhere.

`python -m benchmarks.plain_loop FOLDER COUNT` prints a JSON object: files, seconds, seconds of the processor.
"""

import json
import sys
import time
from pathlib import Path

from segue.audio.analyse import warm_up
from segue.audio.decode import Decoded, decode
from segue.audio.features import extract_all
from segue.audio.fingerprint import fingerprint
from segue.audio.tags import read_tags
from segue.dataset.inventory import open_root, sha256
from segue.settings import Settings


def main() -> None:
    folder, count = sys.argv[1:]
    settings = Settings()
    paths = [str(path) for path in sorted(Path(folder).iterdir())[: int(count)]]
    fs, _ = open_root(folder)
    warm_up()
    started, processor = time.perf_counter(), time.process_time()
    for path in paths:
        sha256(fs, path)
        sound = decode(path, Path(path).stat().st_size, settings)
        assert isinstance(sound, Decoded), sound
        read_tags(path)
        fingerprint(extract_all(sound.samples).mel)
    print(
        json.dumps(
            {
                "files": len(paths),
                "seconds": time.perf_counter() - started,
                "processor_s": time.process_time() - processor,
            }
        )
    )


if __name__ == "__main__":
    main()
