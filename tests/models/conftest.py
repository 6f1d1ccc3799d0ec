import pytest

from segue.models import MODELS, create
from support.small_models import SMALL_MODELS
from support.spark_fixture import spark

__all__ = ["spark"]


@pytest.fixture(scope="session")
def fit(request):
    """Fit a model by name, once for equal data and parameters; Spark starts only for models that use it."""
    fitted = {}

    def get(name, data, **parameters):
        parameters = SMALL_MODELS.get(name, {}) | parameters
        key = (name, data.fingerprint, tuple(sorted(parameters.items())))
        if key not in fitted:
            if "torch" in MODELS[name].libraries:
                pytest.importorskip("torch")
            needs_spark = "pyspark" in MODELS[name].libraries
            session = request.getfixturevalue("spark") if needs_spark else None
            fitted[key] = create(name, spark=session, **parameters).fit(data)
        return fitted[key]

    return get
