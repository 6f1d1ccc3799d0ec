"""The notebooks as committed: no outputs, one shape, thin cells, parameters that explain themselves."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from segue.pipeline.parameters import read
from segue.pipeline.stages import stages, writes_to_store

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LONGEST_CELL = 14
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def test_there_are_five_in_order():
    assert [stage.name for stage in stages(FOLDER)] == [
        "01_etl",
        "02_features",
        "03_models",
        "04_eval",
        "05_player",
    ]
    assert [writes_to_store(stage) for stage in stages(FOLDER)] == [True, False, True, False, False]


@each_notebook
def test_it_is_valid_and_has_no_outputs(path: Path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in code_cells(path):
        assert cell.outputs == []
        assert cell.execution_count is None
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


@each_notebook
def test_its_parameters_explain_themselves(path: Path):
    tagged = [cell for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    found = read(path)
    assert list(found)[:2] == ["dataset", "run_id"]
    assert found["dataset"].choices == ("demo", "fma", "folder")
    assert found["run_id"].default == "by-hand"
    for parameter in found.values():
        assert re.search(r"; small run: .+$", parameter.help), f"{parameter.name}: {parameter.help}"
        assert re.search(r"count|id|number|text|distance|no unit|\[", parameter.help), parameter.help
        shown = parameter.default if not isinstance(parameter.default, list) else str(parameter.default)
        assert parameter.convert(str(shown)) == parameter.default


@each_notebook
def test_its_cells_are_sentences(path: Path):
    for cell in code_cells(path):
        tree = ast.parse(cell.source)
        assert not [
            node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.For)
        ]
        assert len(cell.source.splitlines()) <= LONGEST_CELL


@each_notebook
def test_it_opens_with_what_it_answers_and_closes_with_what_was_found(path: Path):
    cells = nbformat.read(path, 4).cells
    assert cells[0].source.startswith("# ")
    assert "What this notebook answers" in cells[0].source
    headings = [cell for cell in cells if cell.cell_type == "markdown" and "## What was found" in cell.source]
    assert len(headings) == 1
    after = cells[cells.index(headings[0]) + 1]
    assert after.source.startswith("findings.")


@each_notebook
def test_its_links_lead_somewhere(path: Path):
    for cell in nbformat.read(path, 4).cells:
        for target in re.findall(r"\]\(([^)]+)\)", cell.source if cell.cell_type == "markdown" else ""):
            assert (FOLDER / target).is_file()
