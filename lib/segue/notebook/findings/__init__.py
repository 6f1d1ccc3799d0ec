"""What each notebook found, in sentences computed from its results."""

from segue.notebook.findings.etl import of_copies, of_etl, work_done
from segue.notebook.findings.evaluation import of_evaluation
from segue.notebook.findings.features import of_features, of_map
from segue.notebook.findings.models import of_models

__all__ = ["of_copies", "of_etl", "of_evaluation", "of_features", "of_map", "of_models", "work_done"]
