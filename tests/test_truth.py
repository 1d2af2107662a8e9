"""No result is typed: a sentence that names a verdict agrees with every ledger, and a number in it is a source's."""

import ast
import json
import re
from pathlib import Path

from test_words import BLOCK, INLINE, blanked

from hgnb.claims.ledger import CLAIMS

ROOT = Path(__file__).resolve().parents[1]
LEDGERS = {
    file.stem: {row["id"]: row["verdict"] for row in json.loads(file.read_text(encoding="utf8"))["claims"]}
    for file in sorted((ROOT / "results").glob("claims-*.json"))
}
NAMED = {"holds": r"holds?|survives?|confirmed", "fails": r"fails?|refuted", "undecided": r"undecided"}
NUMBER = re.compile(r"(?<![\w.·:-])(\d+\.\d+)(?![\w.])")
PLACE = (  # in the sources
    r"\b(?:[Ss]ections?|question|figure|version|thesis|in|follow|and) [1-9]\d?\.\d+|\([^()]*\b[1-9]\.\d[^()]*\)"
)
# Typed, and no result of this book: what was chosen before any run, what a word or a measure means, the sources' own.
CHOSEN = {
    "0.02", "0.1", "0.5", "0.6", "0.9", "0.99", "1.7", "3.2",  # limits, radii, rates, and a score's two ends
    "0.034", "4.7", "5.15", "7.48", "79.7", "86.2",  # of the thesis, from its tables and text
}  # fmt: skip
SOURCES = {number for claim in CLAIMS for number in NUMBER.findall(claim.value.replace("%", " "))}


def said(code):
    """The strings of a cell or module that a reader may see: not its docstrings, and of an f-string what is typed."""
    tree = ast.parse(re.sub(r"^[%!].*$", "", code, flags=re.M))
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [node.value for node in strings if id(node) not in docs and node.value.count(" ") > 2]


def written():
    """Every text of the book that somebody typed, by file."""
    texts = {path.name: [path.read_text(encoding="utf8")] for path in sorted((ROOT / "book").glob("*.md"))}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        texts[path.name] = own = []
        for cell in json.loads(path.read_text(encoding="utf8"))["cells"]:
            source = "".join(cell["source"])
            own += [source] if cell["cell_type"] == "markdown" else said(source)
    for path in sorted((ROOT / "notebooks/figures").glob("*.py")):
        texts[path.name] = said(path.read_text(encoding="utf8"))
    return texts


def disagreeing(texts):
    """Sentences that give a claim another verdict than a ledger does."""
    found = []
    for sentence in (one for text in texts for one in re.split(r"(?<=[.?!:;])\s+", text)):
        for verdict, words in NAMED.items():
            for claim in re.findall(rf"\b([CL]\d+)\b(?:(?!\b[CL]\d)[^.])*?\b(?:{words})\b", sentence):
                found += [sentence for ledger in LEDGERS.values() if ledger.get(claim, verdict) != verdict]
    return found


def typed(texts):
    """Numbers that are neither a source's nor chosen beforehand, each with what stands around it."""
    plain = (blanked(PLACE, blanked(INLINE, blanked(BLOCK, text))) for text in texts)
    return [
        text[max(found.start() - 40, 0) : found.end() + 20]
        for text in plain
        for found in NUMBER.finditer(text)
        if found[1] not in CHOSEN | SOURCES
    ]


def test_nothing_is_typed_that_a_run_or_a_ledger_says():
    texts = written()
    assert len(texts) > 40
    assert not {name: found for name, own in texts.items() if (found := disagreeing(own) + typed(own))}


def test_the_rules_see_what_is_typed():
    assert LEDGERS and all(len(ledger) == len(CLAIMS) for ledger in LEDGERS.values())
    assert disagreeing(["As C22 fails, so C1 holds."]) == []
    assert disagreeing(["On photographs C22 holds."]) and disagreeing(["The claim C1 is undecided."])
    assert typed(["It reaches 0.476 here, `0.476` in code, 0.441 in the thesis (section 5.2)."]) != []
    assert typed(["`0.476` in code, 0.441 in the thesis (its section 5.2), see section 8.2."]) == []
    assert typed(said('f"{x:.2f} of it is 0.78 to 0.96"')) and not typed(said('"""Of it 0.78 or less."""'))
