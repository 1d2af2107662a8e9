"""A book of two small chapters, through running, weaving and rendering; and what stops each of these."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import nbformat
import psutil
import pytest
from browser import in_browser
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from figures import watching
from hgnb.errors import InputError
from hgnb_book import build, execute, journal, render, weave, workflow
from hgnb_book.chapter import ChapterError
from hgnb_book.edition import PUBLISHED, Edition, homely, private_folders, published

REPOSITORY = Path(__file__).resolve().parents[1]
PARAMETERS = 'profile = "tiny"  # smoke, tiny or paper\ndata = "embedded"\nseed = 0'
FIGURE = """\
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
from figures.page import Plate

figure, ax = plt.subplots()
ax.plot([seed, 1])
Plate(figure, f"A line from {seed}, see $x^2$.", f"The line starts at {seed}.")"""
TABLE = """\
import pandas as pd
from figures.page import Table

Table(pd.DataFrame({"set": ["train"], "persons": [12]}), "Persons a set.", "tbl-sets")"""
NOTE = 'from figures.page import Note\nNote(f"The seed is {seed}, as {{numref}}`fig-line` shows.")'


def tagged(code, name=None):
    """A code cell labelled `name`."""
    return new_code_cell(code, metadata={"mystnb": {"figure": {"name": name}}} if name else {})


def chapter(*cells, parameters=PARAMETERS):
    """A notebook with a parameters cell and `cells` under a heading each."""
    first = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[new_markdown_cell("# A chapter\n\nIt asks."), first])
    for number, cell in enumerate(cells, 1):
        notebook.cells += [new_markdown_cell(f"## Part {number}"), cell]
    return notebook


def saved(notebook, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def small_book(folder, *chapters):
    """The book's own settings, scripts and style in `folder`, with a table of contents of `chapters` and no chapter."""
    shutil.copytree(REPOSITORY / "book/_static", folder / "book/_static")
    for name in ("_config.yml", "book/references.bib"):
        shutil.copy(REPOSITORY / name, folder / name)
    (folder / "book/index.md").write_text("# Start\n\n```{include} _executed/environment.md\n```\n")
    (folder / "book/_toc.yml").write_text(
        "format: jb-book\nroot: index\nparts:\n  - caption: All\n    numbered: true\n    chapters:\n"
        + "".join(f"      - file: _executed/{name}\n" for name in chapters)
    )
    return folder


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository with a space in its path and the book's own settings, but no chapters."""
    folder = small_book(tmp_path / "my books {draft}", "01_a", "02_b")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HGNB_HOME", str(folder))
    return folder


def test_folded_parameters_keep_their_comments():
    given = {"profile": "smoke", "seed": 3}
    assert weave.folded(PARAMETERS, given) == ('profile = "smoke"  # smoke, tiny or paper\ndata = "embedded"\nseed = 3')
    assert weave.folded('data = "embedded"', {"data": "it's"}) == 'data = "it\'s"'
    assert weave.folded('ø = "å"; b = 1  # ü', {"b": 2}) == 'ø = "å"; b = 2  # ü'


def test_numbers_stay_on_one_line_with_what_they_belong_to():
    written = weave.together("K = 2 of 3 × 3, r −0.22, σ ½, at 4e-3 on 2026-11-22, not a = b")
    joined = "K_=_2 of 3_×_3, r_−0.22, σ_½, at 4e−3 on 2026\u201111\u201122, not a = b"
    assert written == joined.replace("_", "\u00a0")
    for code in (
        "`K = 2`",
        "$K = 2$, 3",
        "$$\nK = 3 × 3\n$$",
        "```python\nK = 2  # 2026-11-22\n```",
        "eleven % of 1 to 2",
    ):
        assert weave.together(code) == code
    page = weave.weave(chapter(new_markdown_cell("With K = 5.")), "01_a", {})
    assert any("K\u00a0=\u00a05" in cell.source for cell in page.cells)


def test_an_edition_knows_every_file_that_its_numbers_are_written_in(tmp_path):
    assert list(Edition("drawn+fewer", "embedded", 0).numbers(Path(__file__).parents[1])) == [
        "profiles/drawn.toml",
        "profiles/small.toml",
    ]
    (tmp_path / "profiles").mkdir()
    for name, like in {"round": "about", "about": "round", "lost": "nowhere"}.items():
        (tmp_path / f"profiles/{name}.toml").write_text(f'like = "{like}"')
    found = {name: list(Edition(name, "embedded", 0).numbers(tmp_path)) for name in ("round", "lost")}
    assert [Path(file).stem for files in found.values() for file in files] == ["round", "about", "lost", "nowhere"]


def test_no_private_folder_stays_in_an_output():
    private = {"/home/ann/books": "", "/home/ann": "~"}
    text = "/home/ann/books/data/x.png, /home/ann/y, file:///home/ann/books but /home/anna and /mnt/home/ann"
    pictures = dict.fromkeys(("image/png", "image/webp"), "a+/home/ann/b")
    assert weave.relative({"a": [text], **pictures}, private) == {
        "a": ["data/x.png, ~/y, file:// but /home/anna and /mnt/home/ann"], **pictures,
    }  # fmt: skip


def test_data_are_named_by_their_folder_only(tmp_path):
    given = Edition("tiny", str(tmp_path / "photos"), 0)
    assert given.data_name == "photos"
    assert str(tmp_path) not in str(given.stamps(Path("r")))
    other = Edition("tiny", str(tmp_path / "b" / "photos"), 0)
    assert given.stamps(Path("r")) != other.stamps(Path("r"))
    assert weave.relative(f"'{tmp_path}/photos'", private_folders(Path("/r/s"), given.data)) == "'photos'"


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ({"name": "fig-a", "caption": "", "alt": "b"}, "caption"),
        ({"name": "fig-a", "caption": "a", "alt": " "}, "alt text"),
        ({"name": None, "caption": "a", "alt": "b"}, "label"),
    ],
)
def test_figure_without_words_is_refused(words, missing):
    output = nbformat.v4.new_output("display_data", {"image/png": "x"}, metadata={"hgnb": {"kind": "figure", **words}})
    cell = tagged("1", words["name"])
    cell.outputs = [output]
    with pytest.raises(ChapterError, match=rf"01_a, code cell 2, below.*'Part 1'.*no {missing}"):
        weave.weave(chapter(cell), "01_a", {})


def test_figure_that_shares_its_cell_is_refused():
    cell = tagged("1", "fig-a")
    words = {"hgnb": {"kind": "figure", "caption": "a", "alt": "b"}}
    cell.outputs = [
        nbformat.v4.new_output("display_data", {"image/png": "x"}, metadata=words),
        nbformat.v4.new_output("stream", name="stdout", text="hello"),
    ]
    with pytest.raises(ChapterError, match="two cells"):
        weave.weave(chapter(cell), "01_a", {})


def test_how_to_run_a_chapter_again_stands_below_what_it_takes():
    made = chapter(tagged("1"))
    made.metadata["hgnb"] = {"seconds": 3.2, "parameters": {"profile": "smoke"}}
    for cell in (new_markdown_cell("**To run it**: the data; seconds."), new_markdown_cell("More.")):
        made.cells.append(cell)
        page = weave.weave(made, "01_a", {}).cells
        at = next(i for i, cell in enumerate(page) if cell.id == "chapter-tools")
        assert page[at - 1].source.startswith("**To run it**")
        assert "ran in 3 s with the profile `smoke`" in page[at].source
    made.cells = made.cells[:-2]
    assert weave.weave(made, "01_a", {}).cells[1].id == "chapter-tools", "below the title where it says nothing"


def test_unknown_parameter_is_refused_with_the_nearest(tmp_path):
    source = saved(chapter(), tmp_path / "01_a.ipynb")
    with pytest.raises(InputError, match=r"'profil' in 01_a.ipynb: did you mean 'profile'"):
        execute.run(source, tmp_path / "out.ipynb", {"profil": "smoke"})
    with pytest.raises(InputError, match=r"'seed' of 01_a.ipynb must be of type int"):
        execute.run(source, tmp_path / "out.ipynb", {"seed": "one"})
    with pytest.raises(InputError, match=r"01_a\.ipynb"):
        execute.run(tmp_path / "01_b.ipynb", tmp_path / "out.ipynb", {})
    assert not (tmp_path / "out.ipynb").exists()


def test_values_take_the_type_of_their_default(tmp_path):
    source = chapter(parameters='data = "a"\nseed = 0\nrate = 0.5\nquick = False')
    given = {"data": "123", "seed": "7", "rate": "2", "quick": "True"}
    checked = execute.checked(tmp_path / "x.ipynb", source, given)
    assert checked == {"data": "123", "seed": 7, "rate": 2.0, "quick": True}
    assert isinstance(checked["rate"], float)


def test_failing_cell_names_chapter_cell_and_error(tmp_path):
    source = saved(chapter(tagged("1"), tagged('raise KeyError("elbow")')), tmp_path / "01_a.ipynb")
    out = tmp_path / "executed" / "01_a.ipynb"
    with pytest.raises(ChapterError, match=r"01_a.ipynb.*code cell 3.*'Part 2'.*KeyError: 'elbow'"):
        execute.run(source, out, {"seed": "1"})
    assert not out.parent.exists() or not list(out.parent.iterdir())


def test_chapters_become_pages(root):
    """Run, woven, rendered: captions, alts, labels, footer; then a warning that leaves the site as it was."""
    cells = [
        tagged(FIGURE, "fig-line"),
        tagged(TABLE),
        tagged(NOTE, "fig-undrawn"),
        tagged("import os\nprint(os.getcwd(), '/data')"),
    ]
    saved(chapter(*cells), root / "notebooks/01_a.ipynb")
    other = chapter(tagged("import sys\nprint('secret', file=sys.stderr)\nseed"))
    other.cells[0].source = "# Other\n\nSee {numref}`fig-line`, {numref}`fig-undrawn`, {numref}`tbl-sets` and $x^2$."
    saved(other, root / "notebooks/02_b.ipynb")
    for name in ("01_a", "02_b"):
        given = {"profile": "smoke", "seed": "3"}
        execute.run(root / f"notebooks/{name}.ipynb", root / f"book/_executed/{name}.ipynb", given, woven=True)

    edition = Edition("smoke", str(root / "photos"), 3)
    index = render.render(edition, root)
    assert index == root / "site/index.html"
    page = (root / "site/_executed/01_a.html").read_text(encoding="utf8")
    other = (root / "site/_executed/02_b.html").read_text(encoding="utf8")

    assert 'id="fig-line"' in page
    assert 'alt="The line starts at 3."' in page
    assert "A line from 3, see" in page
    assert 'id="tbl-sets"' in page
    assert "Persons a set." in page
    assert "Fig. 1.1" in other
    assert "Fig. 1.2" in other
    assert "Table 1.1" in other
    assert 'id="fig-undrawn"' in page
    assert weave.UNDRAWN in page
    for text in (page, other, index.read_text(encoding="utf8")):
        assert "profile <b>smoke</b> · data <b>photos</b> · seed <b>3</b> · built <b>2" in text
        assert "thebe" not in text
        assert "print.css" not in text
        assert "injected-parameters" not in text
        assert 'src="http' not in text
    published = "".join(
        path.read_text(encoding="utf8", errors="ignore")
        for path in (root / "site").rglob("*")
        if path.suffix in (".html", ".ipynb", ".js", ".md")
    )
    assert str(root) not in published
    assert "papermill.record" not in published
    assert "secret'\n" not in published
    assert len(list((root / "site/_images").iterdir())) == 1

    in_browser(index, "_executed/01_a.html", "_executed/02_b.html")

    assert "CC BY 4.0" in page and "MIT" in page

    # a reference to nothing: the old site stays
    before = index.stat().st_mtime_ns
    broken = nbformat.read(root / "book/_executed/02_b.ipynb", as_version=4)
    broken.cells[0].source += "\n\n{numref}`fig-nowhere`"
    nbformat.write(broken, root / "book/_executed/02_b.ipynb")
    with pytest.raises(render.RenderError, match=r"02_b.*fig-nowhere"):
        render.render(edition, root)
    assert index.stat().st_mtime_ns == before
    assert not list(root.glob("_build/*")) and not list(root.glob("site.*"))


def test_site_is_restored_after_a_stop_between_renames(tmp_path):
    (tmp_path / "site.old").mkdir()
    (tmp_path / "site.old" / "index.html").write_text("old")
    render._recover(tmp_path / "site")
    assert (tmp_path / "site" / "index.html").read_text() == "old"


def test_warning_becomes_a_sentence():
    log = (
        "\x1b[91m/r/book/_executed/01_a.ipynb:30002: WARNING: no such image\x1b[39;49;00m\n"
        "/r/book/index.md:3: WARNING: undefined label\n"
        "build finished with problems, 2 warnings (with warnings treated as errors)."
    )
    said = "Page book/_executed/01_a.ipynb, cell 3, can't be rendered: no such image (and 1 more)"
    assert render._sentence(log, Path("/r")) == said


def test_second_build_says_so(root):
    hold = (
        "import sys, pathlib; from hgnb_book import workflow\n"
        "with workflow.only_build(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(workflow.BuildError, match="Another build"), workflow.only_build(root):
            pass
        other.communicate("")
    with workflow.only_build(root):
        pass


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (
            'Traceback (most recent call last):\n  raise OSError(f"No room: {name}.")\nOSError: No room for a.npy.\n',
            "(OSError: No room for a.npy.)",
        ),
        ("Assuming unrestricted...\n\nsnakemake: error: unknown\n", "(snakemake: error: unknown)"),
        ("One line.\nTwo.\n", "(One line.)"),
        ("\n", "stopped and said nothing"),
    ],
)
def test_a_log_tells_why_a_build_stopped(tmp_path, log, said):
    (tmp_path / workflow.LOG).parent.mkdir(parents=True)
    (tmp_path / workflow.LOG).write_text(log)
    words = workflow.last_words(tmp_path)
    assert said in words and words.startswith("The build stopped") and workflow.LOG in words


def test_journal_reads_on_from_where_it_stopped(tmp_path, monkeypatch):
    notes = tmp_path / "journal"
    monkeypatch.setenv(journal.VARIABLE, str(notes))
    with journal.told("hourglass"):
        pass
    events, offset = journal.read(notes)
    assert [event["kind"] for event in events] == ["start", "done"]
    with notes.open("a") as file:
        file.write('{"kind": ')
    assert journal.read(notes, offset) == ([], offset)


def test_bars_are_drawn_where_a_reader_waits(monkeypatch, capsys):
    """As Jupyter shows them: a line is written over from its start, and nothing else that terminals know works."""
    import rich
    from rich.progress import Progress

    monkeypatch.setattr(rich, "_console", None)
    monkeypatch.delenv(watching.SESSION, raising=False)
    assert not watching.watched() and rich._console is None
    monkeypatch.setenv(watching.SESSION, "01_a.ipynb")
    assert watching.watched()
    with Progress() as bar:
        task = bar.add_task("a description that is long", total=2)
        bar.update(task, completed=1, refresh=True)
        bar.update(task, description="short", completed=2, refresh=True)
    line = ""
    for state in re.sub(r"\x1b\[\?25[lh]", "", capsys.readouterr().out).strip("\n").split("\r"):
        line = state + line[len(state) :]
    assert re.fullmatch(r"short ━+ +100% 0:00:00 *", line)


def test_notebooks_carry_no_outputs():
    for path in (REPOSITORY / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf8"))["cells"]:
            assert not cell.get("outputs"), path.name


def test_a_build_says_which_other_book_it_replaces(tmp_path, monkeypatch, capsys):
    (tmp_path / "site").mkdir()
    tiny, smoke = Edition("tiny", "embedded", 0), Edition("smoke", "embedded", 0)
    (tmp_path / "site" / PUBLISHED).write_text(f"{tiny}\n", encoding="utf8")
    monkeypatch.setattr(build, "home", lambda: tmp_path)
    monkeypatch.setattr(build, "_check", lambda *given: None)
    monkeypatch.setattr(build, "only_build", lambda root: nullcontext(None))
    monkeypatch.setattr(build, "results", lambda edition: "")
    monkeypatch.setattr(build, "snakemake", lambda *given: (0, []))
    said = "site/ holds tiny on embedded, seed 0; once this build is done it holds smoke on embedded, seed 0."
    build.build("smoke", "embedded", 0)
    assert said in capsys.readouterr().out
    build.build("tiny", "embedded", 0)
    assert "site/ holds" not in capsys.readouterr().out
    assert published(tmp_path) == str(tiny) != str(smoke)


BUILD = """
import subprocess, sys
from pathlib import Path
from hgnb_book import workflow
job = "import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])"
job += "; print(c.pid, flush=True); c.wait()"
with workflow.stoppable():
    workflow._follow(subprocess.Popen([sys.executable, "-c", job]), Path("no journal"), print)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without a signal")
def test_a_terminated_build_ends_what_it_started():
    """SIGTERM, as a scheduler or a container sends it, comes to the build alone."""
    started = subprocess.Popen([sys.executable, "-c", BUILD], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    job = psutil.Process(int(started.stdout.readline()))
    started.terminate()
    _, said = started.communicate(timeout=60)
    assert "Stopped; what was finished stays" in said
    assert not job.is_running() or job.status() == psutil.STATUS_ZOMBIE


def test_a_chapter_runs_in_this_python_whatever_kernels_a_person_has(tmp_path, monkeypatch):
    """A kernel of the same name that can't start, in a person's own folder, which goes before an environment's."""
    foreign = tmp_path / "jupyter/kernels/python3"
    foreign.mkdir(parents=True)
    spec = {"argv": ["/no/such/python", "{connection_file}"], "display_name": "Python 3", "language": "python"}
    (foreign / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    source = new_notebook(cells=[new_code_cell("import sys; print(sys.executable)")])
    nbformat.write(source, tmp_path / "a.ipynb")
    out = nbformat.read(execute.run(tmp_path / "a.ipynb", tmp_path / "b.ipynb", {}), 4)
    assert out.cells[-1].outputs[0].text.strip() == sys.executable
    assert "JUPYTER_PATH" not in os.environ or "hgnb-" not in os.environ["JUPYTER_PATH"]


def test_a_home_that_cannot_be_written_to_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "person/.cache"))
    (tmp_path / "person").mkdir()
    homely(tmp_path)
    assert os.environ["HOME"] == str(tmp_path / "person"), "one that can be written to stays"
    monkeypatch.setenv("HOME", "/proc/1/no home")
    homely(tmp_path)
    assert Path.home() == tmp_path / "data/.home" and Path.home().is_dir() and "XDG_CACHE_HOME" not in os.environ
