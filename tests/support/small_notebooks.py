"""Small notebooks, good and broken, and a way to run the pipeline over them."""

import io
import sys
from pathlib import Path
from typing import Any

import nbformat

from segue.pipeline.console import Console
from segue.pipeline.job import Outcome, run_pipeline
from segue.settings import Settings

PROCESS = Path(__file__).parents[1] / "pipeline" / "pipeline_process.py"
PARAMETERS = """
dataset = "folder"  # where the music comes from [demo | fma | folder]; small run: folder
run_id = "by-hand"  # name of the run's folder, text; small run: by-hand
"""
FIRST_PARAMETERS = """
path = ""  # folder of the music, text; small run: any
size = 3  # size of nothing, count [1..9]; small run: 3
"""
OPEN = """
from segue.pipeline import open_run
run = open_run(dataset, run_id, NAME)
"""
FIRST = """
from pathlib import Path
run.path.joinpath("tables").mkdir(exist_ok=True)
run.path.joinpath("tables", "first.txt").write_text(f"{path} {size}")
with open(Path(path).parent / "executed.log", "a") as log: print(NAME, file=log)
run.record(size=size)
"""
SECOND = """
from pathlib import Path
text = run.path.joinpath("tables", "first.txt").read_text()
with open(Path(text.split()[0]).parent / "executed.log", "a") as log: print(NAME, file=log)
run.record(read=text.split()[1], factor=factor)
"""


def write_notebook(folder: Path, name: str, parameters: str, *cells: str, **metadata: Any) -> Path:
    """Write a notebook whose cells may use its own name as NAME."""
    tagged = nbformat.v4.new_code_cell(PARAMETERS + parameters, metadata={"tags": ["parameters"]})
    named = [nbformat.v4.new_code_cell(f"NAME = {name!r}\n{cell}") for cell in (OPEN, *cells)]
    heading = nbformat.v4.new_markdown_cell(f"# Notebook {name}")
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(
        cells=[heading, tagged, *named], metadata={"kernelspec": spec, **metadata}
    )
    path = folder / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


class Runner:
    """Runs the pipeline as a person would and keeps count of what was executed."""

    def __init__(self, notebooks: Path, music: Path, home: Path) -> None:
        self.notebooks, self.music, self.home = notebooks, music, home
        self.log = music.parent / "executed.log"
        self.said = ""

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    @property
    def current(self) -> Path:
        return (self.runs / "current").resolve()

    @property
    def command(self) -> list[str]:
        """Return the command of a process of its own."""
        return [sys.executable, str(PROCESS), str(self.notebooks), str(self.home), str(self.music)]

    def __call__(self, *given: tuple[str, str], **options: str) -> Outcome:
        """Run in this process, which spares it seconds of imports."""
        stream = io.StringIO()
        try:
            return run_pipeline(
                Settings(home=self.home),
                [("dataset", "folder"), ("path", str(self.music)), *given],
                notebooks=self.notebooks,
                console=Console(stream),
                **options,
            )
        finally:
            self.said = stream.getvalue()

    def executed(self) -> list[str]:
        """Return the notebooks executed since the last call, in order."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines
