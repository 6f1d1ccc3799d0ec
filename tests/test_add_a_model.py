"""The page docs/add-a-model.md: its examples are files, the files are models that keep the contract."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from segue.errors import UsageError
from segue.models import MODELS, Basis, TrainingData, create, load

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "examples"
IDS = [10, 20, 30, 40, 50]
DATA = TrainingData(np.array(IDS), np.array([[0.0], [1.0], [1.5], [3.0], [10.0]]))


@pytest.fixture
def example(monkeypatch):
    """Register the example as its one line in the registry would."""
    monkeypatch.syspath_prepend(EXAMPLES)
    from one_feature_explained import OneFeature, Unexplained

    monkeypatch.setitem(MODELS, "one_feature", OneFeature)
    yield Unexplained
    for name in ("one_feature", "one_feature_explained"):
        del sys.modules[name]


@pytest.mark.parametrize(("name", "lines"), [("one_feature.py", 30), ("one_feature_explained.py", 10)])
def test_the_page_shows_the_files_as_they_are(name, lines):
    source = (EXAMPLES / name).read_text()
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "add-a-model.md").read_text(), re.S)
    assert source in blocks
    assert len(source.splitlines()) <= lines


def ids(scored):
    return [item.track_id for item in scored]


def test_the_example_does_what_the_page_says(example, tmp_path):
    model = create("one_feature").fit(DATA)
    # Distances from 20: 1, 0.5, 2, 9.
    assert ids(model.similar([20], 4)) == [30, 10, 40, 50]
    assert [item.score for item in model.similar([20], 2)] == pytest.approx([1 / 1.5, 1 / 2])
    # 30: 2 / 1.5 + 1 / 9.5; 10: 2 / 2 + 1 / 11; 40: 2 / 3 + 1 / 8. The disliked 10 is left out.
    assert ids(model.recommend({20: 2.0, 50: 1.0}, 3)) == [30, 10, 40]
    assert ids(model.recommend({20: 2.0, 50: 1.0, 10: -1.0}, 3)) == [30, 40]
    model.save(tmp_path)
    assert load(tmp_path).similar([20], 4) == model.similar([20], 4)
    with pytest.raises(UsageError, match="did you mean 'column'"):
        create("one_feature", colum=3)


def test_the_longer_example_says_why(example):
    model = create("one_feature").fit(DATA)
    reasons = model.explain({20: 1.0, 50: 1.0}, [30, 40], most=1)
    assert reasons == [(Basis.SOUND, (20,)), (Basis.SOUND, (20,))]
    assert model.explain({20: 0.1, 50: 1.0}, [40], most=1) == [(Basis.SOUND, (50,))]
    assert example().fit(DATA).explain({20: 1.0}, [30])[0].track_ids == ()


def test_the_example_keeps_the_contract():
    code = f"""
import sys
import pytest
sys.path.insert(0, {str(EXAMPLES)!r})
from one_feature_explained import OneFeature
from segue.models import MODELS
MODELS["one_feature"] = OneFeature
suite = ["tests/models/test_contract.py", "tests/models/test_explain.py"]
sys.exit(pytest.main([*suite, "-q", "-k", "one_feature", "-p", "no:cacheprovider"]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) >= 20
    assert "skipped" not in done.stdout
