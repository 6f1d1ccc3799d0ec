"""The page of an executed notebook stands alone: nothing from the network, links to the other pages."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from segue.pipeline.html import write_html

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def page(tmp_path: Path) -> str:
    control = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "VBox()"}
    outputs = [
        new_output("display_data", {"image/png": DOT}),
        new_output("display_data", control),
        new_output("stream", text="1 < 2"),
    ]
    cells = [
        new_markdown_cell(
            "# Music & words\n[02 Features](02_features.ipynb) and [a site](https://example.org)\n\n"
            r"The angle is $\frac{x}{|y|}$; two pay $5 or $6, and `$x$` is code."
        ),
        new_code_cell("secret_of_the_code = 1", outputs=outputs),
    ]
    notebook = new_notebook(
        cells=cells, metadata={"widgets": {"application/vnd.jupyter.widget-state+json": {}}}
    )
    path = tmp_path / "01_x.ipynb"
    nbformat.write(notebook, path)
    assert write_html(path) == tmp_path / "01_x.html"
    return path.with_suffix(".html").read_text()


def test_nothing_comes_from_the_network(page: str):
    assert not re.search(r"""<(?:script|link|img)[^>]+(?:src|href)=["']https?:""", page)
    assert not re.search(r"""@import|url\(["']?https?:""", page)
    assert "<script src" not in page
    assert f"data:image/png;base64,{DOT}" in page


def test_links_lead_to_the_other_pages(page: str):
    assert 'href="02_features.html"' in page
    assert 'href="https://example.org"' in page


def test_code_is_folded_and_outputs_are_not(page: str):
    folded = re.search(r'<details class="code">.*?</details>', page, re.S)[0]
    assert "secret_of_the_code" in folded
    assert "1 &lt; 2" in page.replace(folded, "")


def test_a_control_says_where_it_works(page: str):
    assert "This works while the notebook is open in JupyterLab" in page
    assert "VBox()" not in page


def test_the_title_is_the_heading(page: str):
    assert "<title>Music &amp; words</title>" in page


def test_formulas_are_shown_without_a_script(page: str):
    assert page.count("<math") == 1
    assert "<mfrac><mrow><mi>x</mi></mrow>" in page
    assert "two pay $5 or $6" in page
    assert "<code>$x$</code>" in page
