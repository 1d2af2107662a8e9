"""What the pages promise: formulas have numbers, cited algorithms exist, every question and source is there."""

import json
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
THEORY = ("A1_machine_learning", "A2_building_blocks")
# SPEC of the book: the thesis's algorithms 1 to 8
ALGORITHMS = ["pck", "gradient-descent", "sgd-momentum", "rmsprop", "nearest-upsampling", "pca", "kmeans", "silhouette"]
# The reference list of the thesis, 1 to 34, by our keys.
THESIS = [
    "andriluka2014", "cao2019", "carreira2016", "dang2019", "falbel2021", "felzenszwalb2008", "goodfellow2016",
    "hastie2009", "ibragimov2020a", "ibragimov2020b", "james2017", "jordan2018", "lin2014coco", "newell2016",
    "ng2017", "oshea2015", "olsen2019", "petersen2021", "ponti2017", "pound2016", "rogers2017", "sanderson2017a",
    "sanderson2017b", "sapp2013", "selvaraju2017", "simonyan2014", "skiena2017", "toshev2014", "posehgtrain",
    "deepai", "yang2021", "zeiler2014", "zhang2021", "zheng2020",
]  # fmt: skip


def prose(name):
    """The Markdown of a notebook, a string a cell."""
    cells = json.loads((REPOSITORY / f"notebooks/{name}.ipynb").read_text(encoding="utf8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]


def pages():
    """All prose of the book by file name."""
    notebooks = {p.stem: "\n\n".join(prose(p.stem)) for p in sorted((REPOSITORY / "notebooks").glob("*.ipynb"))}
    return notebooks | {p.stem: p.read_text(encoding="utf8") for p in sorted((REPOSITORY / "book").glob("*.md"))}


@pytest.mark.parametrize("name", THEORY)
def test_every_displayed_formula_has_a_number(name):
    text = "\n".join(prose(name))
    assert "$$" not in text and "\\begin{equation" not in text
    blocks = re.findall(r"```\{math\}\n(.*?)```", text, re.S)
    assert blocks
    for block in blocks:
        assert block.startswith(":label: eq-"), block


def test_labels_are_given_once():
    labels = [label for text in pages().values() for label in re.findall(r"^:label: (\S+)|^\(([\w-]+)\)=$", text, re.M)]
    names = ["".join(pair) for pair in labels]
    assert len(names) == len(set(names)), sorted(n for n in names if names.count(n) > 1)


def test_algorithms_are_written_down_where_code_cites_them():
    theory = "\n".join(text for name in THEORY for text in prose(name))
    titles = re.findall(r"^\(alg-([\w-]+)\)=\n:::\{admonition\} Algorithm (\d) ", theory, re.M)
    assert [name for name, _ in titles] == ALGORITHMS
    assert [int(number) for _, number in titles] == list(range(1, 9))
    cited = set()
    for file in (REPOSITORY / "hgnb").rglob("*.py"):
        cited |= set(re.findall(r"\balg-([a-z]+(?:-[a-z]+)*)", file.read_text(encoding="utf8")))
    assert cited and cited <= set(ALGORITHMS)


def test_all_questions_are_answered_with_a_place_to_look():
    text = (REPOSITORY / "book/questions.md").read_text(encoding="utf8")
    parts = re.split(r"^### ([\d.]+) · .*\?$", text, flags=re.M)
    numbers, answers = parts[1::2], parts[2::2]
    chapters = [number.split(".")[0] for number in numbers]
    assert [chapters.count(str(n)) for n in range(1, 9)] == [11, 6, 5, 5, 5, 5, 1, 1]  # the list's own numbering
    for number, answer in zip(numbers, answers, strict=True):
        assert re.search(r"\{(numref|doc|ref|eq)\}`|`hgnb", answer.split("\n## ")[0]), number


def test_the_bibliography_holds_what_the_thesis_cites():
    assert len(THESIS) == 34
    keys = re.findall(r"^@\w+\{([^,]+),", (REPOSITORY / "book/references.bib").read_text(encoding="utf8"), re.M)
    assert len(keys) == len(set(keys))
    assert set(THESIS) <= set(keys)
    cited = {
        key
        for text in pages().values()
        for keys in re.findall(r"\{cite(?::\w)?\}`([^`]+)`", text)
        for key in keys.split(",")
    }
    assert cited <= set(keys)


def test_terms_are_in_the_glossary():
    text = pages()
    terms = set(re.findall(r"^(\S.*)\n  \S", text["glossary"].split("```")[1], re.M))
    used = {
        re.sub(r".*<(.*)>", r"\1", term) for page in text.values() for term in re.findall(r"\{term\}`([^`]+)`", page)
    }
    assert used and used <= terms


def test_every_chapter_says_what_it_takes_to_run_it():
    for path in sorted((REPOSITORY / "notebooks").glob("*.ipynb")):
        said = re.findall(r"^\*\*To run it\*\*: .*\b(?:data|network)", "\n".join(prose(path.stem)), re.M)
        assert len(said) == 1, f"{path.name} needs a line '**To run it**: ...' that says what it needs and how long"
