"""What readers may count on in the words: terms linked where a page first uses them, one spelling, one bibliography,
numbered formulas, algorithms and answers where they are cited. What Sphinx warns of, a rendering refuses.
"""

import json
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NO_PROSE = ("glossary", "literature")  # they define terms and list sources
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

# How a term is found in running text; None where the word has common meanings too, and is linked by hand.
FORMS = {
    "batch": r"batch(?:es)?(?! norm)", "bottleneck": r"bottlenecks?(?! module)",  # the report's is a residual
    "code": None, "coords": None, "crop": r"crops?", "head": None,
    "heatmap": r"heatmaps?", "Holm correction": r"Holm's (?:correction|rule)", "hourglass": r"hourglass(?:es)?",
    "latents": r"latents|latent spaces?", "limbs": None, "loss": r"loss(?:es)?", "misplaced": r"misplaced",
    "pooling": r"(?:max )?poolings?", "profile": r"(?<!in )profiles?", "ReLU": r"ReLUs?", "run": None,
    "skip-connection": r"skip-connections?|skips", "stacked hourglass": r"stacked hourglass(?:es)?",
    "weights": r"weights",
}  # fmt: skip

# Not running text: blocks, headings, a chapter's question below its title, rows of tables, labels, options.
BLOCK = r"^(`{3,}|~{3,}).*\n(?s:.*?)^\1\s*$|^#.*$|^\*[^*].*\*$|^\|.*$|^\([\w-]+\)=$|^:{3,}.*$|^:\w+:.*$"
ROLE = r"\{term\}`(?:[^`<]*<([^>`]+)>|([^`<]+))`"
INLINE = r"\[[^\]]*\]\([^)]*\)|\$[^$]+\$|(?:\{[\w:]+\})?`[^`]+`"  # links, formulas, roles, code


@cache
def pages():
    """All prose of the book by file name; a notebook's Markdown cells one after the other."""
    found = {path.stem: path.read_text(encoding="utf8") for path in sorted((ROOT / "book").glob("*.md"))}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf8"))["cells"]
        found[path.stem] = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return found


def terms():
    return re.findall(r"^(\S.*)\n  \S", pages()["glossary"].split("```")[1], re.M)


def blanked(pattern, text):
    return re.sub(pattern, lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.M)


def uses(text):
    """(where, term, form, linked) of every use of a term in running text, in order."""
    text = blanked(BLOCK, text)
    made = [(found.start(), found[1] or found[2], found[0], True) for found in re.finditer(ROLE, text)]
    forms = {term: FORMS.get(term, re.escape(term) + "s?") for term in sorted(terms(), key=len, reverse=True)}
    known = [term for term, form in forms.items() if form]
    either = "|".join(f"({forms[term]})" for term in known)
    for found in re.finditer(rf"(?<![\w-])(?:{either})(?![\w-])", blanked(INLINE, text), re.I):
        made.append((found.start(), known[found.lastindex - 1], found[0], False))
    return sorted(made)


def unlinked(text):
    """The first use of each term that isn't linked there."""
    first = {}
    for where, term, form, linked in uses(text):
        first.setdefault(term, (where, form, linked))
    return {term: (where, form) for term, (where, form, linked) in first.items() if not linked}


@pytest.mark.parametrize("name", [name for name in pages() if name not in NO_PROSE])
def test_a_term_is_linked_where_a_page_uses_it_first(name):
    text = pages()[name]
    missing = {term: text[max(where - 30, 0) : where + 40] for term, (where, _) in unlinked(text).items()}
    assert not missing


def test_the_rule_sees_first_uses():
    assert not unlinked("An {term}`epoch`, and an epoch; `epoch` is code, $epoch$ a formula, [epoch](x) a link.")
    assert set(unlinked("# Epoch\n\nEpochs, then an {term}`epoch`. {numref}`epoch`")) == {"epoch"}
    assert set(unlinked("A stacked hourglass.")) == {"stacked hourglass"}
    assert not unlinked("{term}`Skip-connections <skip-connection>` are skips.")


def entries():
    """Fields of each entry of the bibliography, by key; its kind under 'kind'."""
    text = (ROOT / "book/references.bib").read_text(encoding="utf8")
    found = {}
    for kind, key, body in re.findall(r"^@(\w+)\{([^,]+),\n(.*?)^\}", text, re.M | re.S):
        assert key not in found
        found[key] = dict(re.findall(r"^ +(\w+) += \{(.*)\},$", body, re.M)) | {"kind": kind}
    return found


def test_every_source_is_cited_on_a_page_and_the_thesiss_are_among_them():
    roles = re.findall(r"\{cite(?::\w)?\}`([^`]+)`", "\n".join(pages().values()))
    assert {key for keys in roles for key in keys.split(",")} == set(entries())
    assert len(set(THESIS)) == 34 and set(THESIS) <= set(entries())


@pytest.mark.parametrize("key", entries())
def test_an_entry_of_the_bibliography_is_complete(key):
    where = {"inproceedings": "booktitle", "article": "journal", "book": "publisher", "misc": "howpublished"}
    where |= {"mastersthesis": "school", "techreport": "institution"}
    entry = entries()[key]
    assert {"author", "title", "year", where[entry["kind"]]} <= set(entry)
    assert re.fullmatch(r"(19|20)\d\d[ab]?|undated", entry["year"])


def test_no_two_sources_are_cited_alike():
    """A page cites by author and year, so these must tell sources apart: 2021a, 2021b."""
    cited = [(_cited(entry["author"]), entry["year"]) for entry in entries().values()]
    assert len(cited) == len(set(cited)), sorted(one for one in cited if cited.count(one) > 1)


def _cited(authors):
    """Last names as a citation gives them: one, two, or the first of more."""
    names = [name.partition(",")[0] for name in authors.split(" and ")]
    return " and ".join(names) if len(names) < 3 else f"{names[0]} et al."


# American spellings, other ways to write what one way is used for, numbers without the space or the sign they take.
NOT_OURS = (
    r"(?i:\b(?:color|gray|centers?\b|behavior|neighbor|label(?:ed|ing)|model(?:ed|ing)|favor|labor)|"
    r"\b(?:optim|normal|visual|recogn|general|initial|summar|regular|minim|maxim|organ|emphas)iz|\banalyz)|"
    r"\bdata sets?\b|\bskip connection|\bK-Means|\bFig\b|\bautoencod\w+-|\bper ?cents?\b|"
    r"\d%|(?<![\w-])-\d|\d-\d|\dx\d| - | -- "
)


def strays(text):
    """Words and numbers of the running text, headings and tables that are written another way than elsewhere."""
    text = blanked(INLINE, blanked(BLOCK.replace("|^#.*$", "").replace(r"|^\|.*$", ""), text))
    lines = [line for line in text.splitlines() if not re.fullmatch(r"[|:\s-]*", line)]  # a table's rule
    return [line[max(found.start() - 20, 0) :] for line in lines for found in re.finditer(NOT_OURS, line)]


@pytest.mark.parametrize("name", [name for name in pages() if name != "literature"])
def test_one_spelling(name):
    assert not strays(pages()[name])


def test_the_rule_sees_strays():
    assert not strays("A colour at the centre, 5 % of 3 × 3 K-means, `color`, $-1$; a 5-dimensional dataset, −1.")
    for words in ("## Optimizers", "| labeled | 1 |", "5% of it", "at -1", "K-Means", "a data set", "3x3", "2-3"):
        assert len(strays(words)) == 1, words


def test_a_numbered_link_with_words_of_its_own_says_where_its_number_goes():
    """Sphinx refuses others, but only where a page shows them; what code writes depends on what is recorded."""
    code = [path.read_text(encoding="utf8") for part in ("notebooks", "book") for path in (ROOT / part).rglob("*.py")]
    words = [text for page in (*pages().values(), *code) for text in re.findall(r"\{numref\}+`([^`<]+)<", page)]
    assert [text for text in words if "number}" not in text and "%s" not in text] == []


# Formulas, algorithms, answers


@pytest.mark.parametrize("name", THEORY)
def test_every_displayed_formula_has_a_number(name):
    text = pages()[name]
    assert "$$" not in text and "\\begin{equation" not in text
    blocks = re.findall(r"```\{math\}\n(.*?)```", text, re.S)
    assert blocks and all(block.startswith(":label: eq-") for block in blocks)


def test_algorithms_are_written_down_where_code_cites_them():
    theory = "\n".join(pages()[name] for name in THEORY)
    titles = re.findall(r"^\(alg-([\w-]+)\)=\n:::\{admonition\} Algorithm (\d) ", theory, re.M)
    assert titles == [(name, str(number)) for number, name in enumerate(ALGORITHMS, 1)]
    code = "".join(file.read_text(encoding="utf8") for file in (ROOT / "hgnb").rglob("*.py"))
    cited = set(re.findall(r"\balg-([a-z]+(?:-[a-z]+)*)", code))
    assert cited and cited <= set(ALGORITHMS)


def test_all_questions_are_answered_with_a_place_to_look():
    parts = re.split(r"^### ([\d.]+) · .*\?$", pages()["questions"], flags=re.M)
    numbers, answers = parts[1::2], parts[2::2]
    chapters = [number.split(".")[0] for number in numbers]
    assert [chapters.count(str(n)) for n in range(1, 9)] == [11, 6, 5, 5, 5, 5, 1, 1]  # the list's own numbering
    for number, answer in zip(numbers, answers, strict=True):
        assert re.search(r"\{(numref|doc|ref|eq)\}`|`hgnb", answer.split("\n## ")[0]), number


def test_every_chapter_says_what_it_takes_to_run_it():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        said = re.findall(r"^\*\*To run it\*\*: .*\b(?:data|network)", pages()[path.stem], re.M)
        assert len(said) == 1, f"{path.name} needs a line '**To run it**: ...' that says what it needs and how long"
