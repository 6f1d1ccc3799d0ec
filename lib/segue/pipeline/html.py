"""An executed notebook as one HTML file that needs nothing from the network."""

from __future__ import annotations

import re
from pathlib import Path

from segue.pipeline.files import write_text
from segue.pipeline.html_tables import align_words

_TEMPLATES = Path(__file__).parent / "templates"
_WIDGET = "application/vnd.jupyter.widget-view+json"
_LINK = re.compile(r"\]\((\d\d_\w+)\.ipynb\)")
_FORMULA = re.compile(r"(?<![\\\w$`])\$([^$\s`](?:[^$\n`]*[^$\s`])?)\$(?![\w$`])")
_ASLEEP = "*This works while the notebook is open in JupyterLab; the player also with `segue player`.*"


def write_html(notebook: Path) -> Path:
    """Write ``<name>.html`` beside an executed notebook: pictures inside, code folded away.

    Links from notebook to notebook lead from page to page; formulas become MathML, which browsers show
    without fetching anything.
    """
    import nbformat
    from nbconvert import HTMLExporter

    node = nbformat.read(notebook, as_version=4)
    node.metadata.pop("widgets", None)
    node.metadata["title"] = _title(node) or notebook.stem
    for cell in node.cells:
        if cell.cell_type == "markdown":
            cell.source = _FORMULA.sub(_as_mathml, _LINK.sub(r"](\1.html)", cell.source))
        for output in cell.get("outputs", []):
            if _WIDGET in output.get("data", {}):
                output["data"] = {"text/markdown": _ASLEEP}
            elif "text/html" in output.get("data", {}):
                output["data"]["text/html"] = align_words(output["data"]["text/html"])
    exporter = HTMLExporter(template_name="report", extra_template_basedirs=[str(_TEMPLATES)])
    body, _ = exporter.from_notebook_node(node)
    path = notebook.with_suffix(".html")
    write_text(path, body)
    return path


def _as_mathml(formula: re.Match[str]) -> str:
    from latex2mathml.converter import convert

    return convert(formula[1])


def _title(node: object) -> str | None:
    for cell in node.cells:  # type: ignore[attr-defined]
        if cell.cell_type == "markdown" and cell.source.startswith("# "):
            return cell.source.splitlines()[0][2:].strip()
    return None
