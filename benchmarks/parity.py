"""How far our features are from librosa's: ``python -m benchmarks.parity [--whole] [FOLDER…]``.

Prints, for each family of features and each statistic, the worst deviation over all files in units of the
tolerance (a thousandth of the value plus a thousandth of the feature's standard deviation over the real
clips), and a line of JSON. Without a folder it takes the data beside the checkout.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from segue.audio.features import COLUMNS, extract
from segue.settings import Settings

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"


def of_tests(name: str) -> Any:
    """Import a module from the tests, where the reference is."""
    if str(ROOT / "tests") not in sys.path:
        sys.path.insert(0, str(ROOT / "tests"))
    return importlib.import_module(name)


def main(arguments: list[str]) -> None:
    settings = Settings(analysed_s=0 if "--whole" in arguments else Settings().analysed_s)
    folders = [Path(argument) for argument in arguments if not argument.startswith("--")]
    parity, recipe = of_tests("audio.parity"), of_tests("audio.librosa_recipe")
    names, distances = [], []
    for path, samples in parity.sounds(folders or [DATA], settings):
        names.append(path.name)
        distances.append(parity.tolerances(extract(samples), recipe.librosa_features(samples)))
    if not names:
        sys.exit("no sound that can be decoded: name a folder that holds some")
    far = np.array(distances)
    print(parity.table(far.max(axis=0)), end="\n\n")
    file, column = np.unravel_index(far.argmax(), far.shape)
    figures = {
        "files": len(names),
        "worst": round(float(far.max()), 4),
        "worst_feature": ".".join(COLUMNS[int(column)]),
        "worst_file": names[int(file)],
        "values_over": int((far > 1).sum()),
        "files_over": int((far > 1).any(axis=1).sum()),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1:])
