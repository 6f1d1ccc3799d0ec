"""The same widget in JupyterLab, where anywidget's own front end shows it in the output of a cell."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from support.small_desk import CELL, heard
from support.visitor import write_notebook
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab with the notebook in its folder."""
    write_notebook(tmp_path / "page.ipynb", CELL)
    own = {f"JUPYTER_{name}_DIR": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    own |= {"IPYTHONDIR": str(tmp_path / "ipython"), "SEGUE_HOME": str(tmp_path)}
    log = tmp_path / "lab.log"
    options = ("token=", "password=", "port=0", f"root_dir={tmp_path}")
    with log.open("wb") as file:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root",
                *(f"--ServerApp.{option}" for option in options),
            ],
            env=os.environ | own, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
        )  # fmt: skip
    try:
        served = r"http://127\.0\.0\.1:\d+"
        yield wait_until(lambda: re.search(served, log.read_text()), 90, "JupyterLab serves")[0]
    finally:
        process.terminate()
        process.wait(30)


def test_the_player_works_in_the_output_of_a_cell(browser: Browser, lab: str, tmp_path: Path):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(60_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{lab}/doc/tree/page.ipynb")
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    rows = page.get_by_test_id("for-you").get_by_test_id("row")
    expect(rows).to_have_count(8, timeout=60_000)
    rows.nth(2).hover()
    rows.nth(2).get_by_test_id("like").click()
    wait_until(lambda: heard(tmp_path, "act"), 20, "the like reaches the kernel")
    assert [(act["kind"], act["track_id"]) for act in heard(tmp_path, "act")] == [("like", 3)]
    expect(rows.nth(2).get_by_test_id("like")).to_have_attribute("aria-pressed", "true")
    assert page.locator(".segue[data-full-page]").count() == 0
    page.close()
    assert errors == []
