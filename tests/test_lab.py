"""*Run All Cells* in JupyterLab itself: chapters of a fresh copy, in another order than the book's."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import nbformat
import pytest
from browser import PATIENCE, chromium

REPOSITORY = Path(__file__).resolve().parents[1]
PARTS = ("hgnb", "notebooks", "profiles", "results")
FOLDERS = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTERLAB_SETTINGS_DIR")
FOLDERS += ("JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR")
ROLE = re.compile(r"\{(?:term|numref|eq|cite|ref|doc)[^}]*\}`[^`]*`|^~~~", re.MULTILINE)
DONE = """() => {
    const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")].map(e => e.textContent);
    return prompts.some(p => /\\d/.test(p)) && !prompts.some(p => p.includes("*"));
}"""
SHOWN = """kind => [...document.querySelectorAll(".jp-OutputArea-output")]
    .filter(e => e.dataset.mimeType === `application/vnd.jupyter.${kind}`).map(e => e.textContent)"""


@pytest.fixture
def fresh(tmp_path):
    """A copy without data or runs, whose parameters cells say `smoke`: all that a reader has to change."""
    folder = tmp_path / "a fresh copy"
    for part in PARTS:
        shutil.copytree(REPOSITORY / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (folder / "notebooks").glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
        cell.source = cell.source.replace('profile = "tiny"', 'profile = "smoke"')
        nbformat.write(notebook, path)
    return folder


@contextmanager
def lab(folder, tmp_path):
    """JupyterLab on the notebooks as `make lab` starts it, but with settings of its own; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if name != "HGNB_HOME"}
    env |= {name: str(tmp_path / name) for name in FOLDERS} | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "jupyterlab", "notebooks", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=x"]
    command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_for(f"http://127.0.0.1:{port}/api", server, tmp_path / "lab.log")
            yield f"http://127.0.0.1:{port}/lab/tree/{{}}.ipynb?token=x&reset"
        finally:
            server.terminate()
            server.wait(60)


def _wait_for(address, server, log):
    for _ in range(1200):  # a busy machine takes its time
        assert server.poll() is None, log.read_text()
        try:
            return urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"JupyterLab doesn't answer: {log.read_text()[-2000:]}")


@contextmanager
def opened(browser, address):
    """A chapter whose kernel is ready; its page. Whatever it asks of another machine fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.get_by_text("| Idle").wait_for()
    yield page
    assert not [url for url in asked if not re.match("data:|blob:|http://127.0.0.1", url)]
    context.close()


def run_cells(page):
    """Run all cells of an open chapter, until they are done or one fails."""
    page.get_by_role("menuitem", name="Run", exact=True).first.click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.wait_for_function(DONE, timeout=5 * PATIENCE)


def run_all(browser, address):
    """Open a chapter and run all of its cells; what it printed, line by line as Jupyter shows it."""
    with opened(browser, address) as page:
        run_cells(page)
        assert page.evaluate(SHOWN, "stderr") == []  # errors, too
        printed = "".join(page.evaluate(SHOWN, "stdout")).splitlines()
        assert page.locator(".jp-RenderedImage img").count() > 2
        texts = page.locator(".jp-MarkdownCell, .jp-Cell-outputArea").all_inner_texts()  # not code
        assert texts and not ROLE.findall("\n".join(texts)), "MyST shows as source"
    return [" ".join(line.split()) for line in printed if line.strip()]


def test_run_all_in_any_order(fresh, tmp_path):
    """The fourth chapter first: it draws the data and trains what it needs, with a bar for each; then the second, and
    once more with a profile that isn't there."""
    with lab(fresh, tmp_path) as address, chromium() as browser:
        printed = run_all(browser, address.format("04_improvement"))
        bars = [line for line in printed if "100 %" in line]
        for name in ("hourglass", "autoencoder", "modified"):
            assert [bar for bar in bars if bar.startswith(f"{name}-smoke-embedded: epoch ") and "left 0:00:00" in bar]
        printed = run_all(browser, address.format("02_experiment"))
        assert not [line for line in printed if line.startswith("hourglass-")], "trained already"
        assert [line for line in printed if line.startswith("few-smoke-embedded: epoch ")]
        with opened(browser, address.format("03_interpretation")) as page:  # not run yet, so without outputs
            page.locator(".jp-CodeCell .cm-content").first.fill('profile = "smok"\ndata = "embedded"\nseed = 0')
            run_cells(page)
            (told,) = page.evaluate(SHOWN, "stderr")  # where JupyterLab puts errors
            assert told.startswith("Unknown profile 'smok': did you mean 'smoke'?") and "Traceback" in told
    assert len(list((fresh / "data/runs").glob("hourglass-smoke-*"))) == 1
