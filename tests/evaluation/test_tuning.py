import pytest

from segue.errors import SegueError
from segue.evaluation.tuning import als_grid
from segue.models import TrainingData
from segue.models.als import ALS
from support.planted import taste

pytestmark = pytest.mark.slow


def test_the_grid_separates_sense_from_nonsense(spark):
    table = als_grid(taste(), ranks=[4], regs=[0.3, 1e4], model=ALS(spark=spark))
    assert table.columns.tolist() == ["rank", "reg", "ndcg_at_10", "recall_at_20", "fit_s"]
    assert table["reg"].tolist() == [0.3, 1e4]
    assert table["ndcg_at_10"][0] > 1.5 * table["ndcg_at_10"][1]
    with pytest.raises(SegueError, match="without plays"):
        als_grid(TrainingData([1, 2]), [4], [0.1])
