"""The pipeline: numbered notebooks through papermill, into one folder a run."""

from segue.pipeline.run import BY_HAND, Run, current_run, open_run

__all__ = ["BY_HAND", "Run", "current_run", "open_run"]
