"""From an executed notebook to one that can be published: figures get their words, traces of the machine go.

Cells show a `Plate`, `Table`, `Note` or `Live` (figures.page) whose words lie in the output's metadata under
`hgnb`; MyST-NB reads captions, labels and alt texts from the cell's metadata instead, so they move there. Numbers stay
on one line with what they belong to.
"""

import copy
import html
import json
import re
from typing import Any

from hgnb.data.splits import EMBEDDED
from hgnb_book.chapter import ChapterError, assignments, place

UNDRAWN = "Not drawn on these data, for the reason above."
IMAGES = ("image/png", "image/svg+xml", "image/jpeg")
SHEET = "image/webp"  # of an interactive part (figures.page)
NEEDS = "**To run it**"
IMPORTS = ("import ", "from ")  # how a cell begins that no one reads: it is folded
CODE = re.compile(r"(```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$\n]*\$)", re.DOTALL)  # and formulas
TOGETHER = {  # what isn't broken across lines, and how it is written
    re.compile(r"\b([^\W\d_]) = (?=[−½\d])"): "\\1\u00a0=\u00a0",  # K = 2
    re.compile(r"\b([rησερ]) (?=[−½\d])"): "\\1\u00a0",  # r −0.22, σ ½
    re.compile(r"(?<=\d) × (?=\d)"): "\u00a0×\u00a0",  # 3 × 3
    re.compile(r"(?<=\d)e-(?=\d)"): "e−",  # 4e-3: browsers break behind a hyphen
    re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b"): "\\1\u2011\\2\u2011\\3",  # a date
}
# Below what a chapter needs; `hgnb book` reads pages in book/_executed, from where the source is two folders up.
AGAIN = """\
:::{{container}} chapter-tools
{{download}}`Download this notebook <../../notebooks/{chapter}.ipynb>`, or open it in JupyterLab: `make lab` in a copy \
of the repository, `{chapter}.ipynb`, *Run All Cells*.
For this page it ran in {seconds:.0f} s with the profile `{profile}`{people}, the networks that its first cells name \
trained before.
:::"""


def weave(executed, chapter: str, private: dict[str, str]):
    """A publishable copy of the notebook `executed`.

    `private`: absolute folders and what stands in their place (edition.private_folders). Raises ChapterError,
    naming the cell, for a figure without label, caption or alt text.
    """
    page = copy.deepcopy(executed)
    given = page.metadata.get("papermill", {}).get("parameters", {})
    page.metadata.pop("papermill", None)
    page.metadata.pop("widgets", None)
    page.cells = [cell for cell in page.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    claims = _judged(page)
    for index, cell in enumerate(page.cells):
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = folded(cell.source, given)
            cell.source = relative(cell.source, private)
        if cell.cell_type == "code":
            if cell.source.startswith(IMPORTS):
                cell.metadata["tags"] = sorted({*cell.metadata.get("tags", []), "hide-input"})
            # not stderr: progress bars and warnings print paths of the machine
            cell.outputs = [relative(output, private) for output in cell.outputs if output.get("name") != "stderr"]
            try:
                _dress(cell)
            except ChapterError as error:
                raise ChapterError(f"Chapter {chapter}, {place(page, index)}: {error}") from None
        else:
            cell.source = together(cell.source)
    _enliven(page, chapter)
    _argue(page, claims)
    _offer(page, chapter)
    page.metadata = relative(page.metadata, private)
    return page


def together(text: str) -> str:
    """Markdown whose numbers stay on one line with their sign or name; code and formulas as they are."""
    parts = CODE.split(text)
    for pattern, written in TOGETHER.items():
        parts[::2] = [pattern.sub(written, part) for part in parts[::2]]
    return "".join(parts)


def folded(code: str, given: dict[str, Any]) -> str:
    """A parameters cell with the values that were `given` in place of its defaults; comments stay."""
    lines = code.encode().splitlines(keepends=True)  # ast counts columns in bytes
    for name, node in reversed(assignments(code)):
        if name in given:
            assert node.value.end_lineno is not None  # it was read from text
            own = given[name]  # text as JSON, whose quotes are the house's
            value = json.dumps(own, ensure_ascii=False) if isinstance(own, str) else repr(own)
            first, last = node.value.lineno - 1, node.value.end_lineno - 1
            line = lines[first][: node.value.col_offset] + value.encode() + lines[last][node.value.end_col_offset :]
            lines[first : last + 1] = [line]
    return b"".join(lines).decode()


def relative(thing: Any, private: dict[str, str]) -> Any:
    """`thing` (nested dicts, lists and text) with no private folder in its text."""
    if isinstance(thing, str):
        for folder, name in private.items():
            # not in the middle of a longer name: "/root" is no part of "/mnt/root" or "/rooted"
            path = rf"(?<![\w.-]){re.escape(folder)}(?![\w.-])"
            thing = re.sub(path + ("/?" if not name else ""), name, thing)
        return thing
    if isinstance(thing, dict):
        for key in thing:
            if key not in (*IMAGES, SHEET):
                thing[key] = relative(thing[key], private)
        return thing
    return [relative(item, private) for item in thing] if isinstance(thing, list) else thing


def _kind(output) -> str | None:
    return output.get("metadata", {}).get("hgnb", {}).get("kind")


def _dress(cell) -> None:
    kinds = [_kind(output) for output in cell.outputs]
    pictured = [any(image in output.get("data", {}) for image in IMAGES) for output in cell.outputs]
    if "figure" in kinds or any(pictured):
        if len(cell.outputs) > 1:
            raise ChapterError("a cell with a figure shows nothing else; split it into two cells.")
        _figure(cell, cell.outputs[0])
    elif "table" in kinds or "note" in kinds:
        for output, kind in zip(cell.outputs, kinds, strict=True):
            if kind:
                output.data = {"text/markdown": together("".join(output.data["text/markdown"]))}
        label = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
        cell.metadata["mystnb"] = {"markdown_format": "myst"}
        if label and "note" in kinds:
            # the data don't allow the figure: a numbered place stays, or references to it would break
            cell.metadata["mystnb"]["figure"] = {"name": label, "caption": UNDRAWN}


def _figure(cell, output) -> None:
    words = output.get("metadata", {}).get("hgnb", {})
    mystnb = cell.metadata.get("mystnb", {})
    figure, image = dict(mystnb.get("figure", {})), dict(mystnb.get("image", {}))
    figure["caption"] = words.get("caption") or figure.get("caption")
    image["alt"] = words.get("alt") or image.get("alt")
    for what, value in (("label", figure.get("name")), ("caption", figure["caption"]), ("alt text", image["alt"])):
        if not (value and str(value).strip()):
            raise ChapterError(f"its figure has no {what}.")
    image["alt"] = " ".join(image["alt"].split())
    figure["caption"] = together(" ".join(figure["caption"].split()))
    output.data = {mime: data for mime, data in output.data.items() if mime in IMAGES}
    output.metadata.pop("hgnb", None)
    cell.metadata["mystnb"] = {**mystnb, "figure": figure, "image": image}


def _enliven(page, chapter: str) -> None:
    """Interactive parts as data that book/_static/hgnb.js reads; one whose figure isn't drawn is left out."""
    figures = [cell.metadata.get("mystnb", {}) for cell in page.cells]
    drawn = {words["figure"]["name"]: "image" in words for words in figures if "figure" in words}
    for index, cell in enumerate(page.cells):
        for output in [output for output in cell.get("outputs", []) if _kind(output) == "live"]:
            words = output.metadata["hgnb"]
            if words["of"] not in drawn:
                missing = f"there is no figure '{words['of']}' in this chapter for its interactive part."
                raise ChapterError(f"Chapter {chapter}, {place(page, index)}: {missing}")
            if drawn[words["of"]]:
                output.data, output.metadata = {"text/html": _part(words)}, {}
            else:
                cell.outputs.remove(output)


def _judged(page) -> dict[str, list[str]]:
    """The claims that the chapter's last cells judge (figures.verdicts), each with the labels of its figures."""
    outputs = [output for cell in page.cells for output in cell.get("outputs", [])]
    return {k: v for one in outputs for k, v in one.get("metadata", {}).get("hgnb", {}).get("claims", {}).items()}


def _argue(page, claims: dict[str, list[str]]) -> None:
    """Links from a chapter's figures and tables to the claims that they show, in their captions, and a line below its
    title from claim to figure to verdict."""
    from nbformat.v4 import new_markdown_cell

    shown: dict[str, list[str]] = {}
    for claim, labels in claims.items():
        for label in labels:
            shown.setdefault(label, []).append(_row(claim))
    here = set()
    for cell in page.cells:
        words = cell.metadata.get("mystnb", {}).get("figure", {})
        if words.get("name") in shown and "caption" in words:
            words["caption"] += f" {_bears(shown[words['name']])}"
            here.add(words["name"])
        for output in cell.get("outputs", []):
            label = output.get("metadata", {}).get("hgnb", {}).get("name")
            if label in shown:
                first, rest = output.data["text/markdown"].split("\n", 1)
                output.data["text/markdown"] = f"{first} {_bears(shown[label])}\n{rest}"
                here.add(label)
    ways = [
        f"{_row(claim)} → {{numref}}`{next(label for label in labels if label in here)}`"
        for claim, labels in claims.items()
        if here & set(labels)
    ]
    if claims:
        end = f"{{ref}}`verdicts <verdicts-{next(iter(claims)).lower()}>`"
        words = f"Claim → figure → verdict: {' · '.join([*ways, end])}"
        page.cells.insert(1, new_markdown_cell(f":::{{container}} argument\n{words}\n:::", id="argument"))


def _row(claim: str) -> str:
    """A link to a claim's row of the ledger."""
    return f"{{ref}}`{claim} <claim-{claim.lower()}>`"


def _bears(claims: list[str]) -> str:
    return f"Bears on {' and '.join([', '.join(claims[:-1]), claims[-1]] if len(claims) > 1 else claims)}."


def _offer(page, chapter: str) -> None:
    """Say below what a chapter needs how to run it again and how long that took, where a run has said so."""
    from nbformat.v4 import new_markdown_cell

    facts = page.metadata.get("hgnb", {})
    if "seconds" in facts and page.cells and page.cells[0].cell_type == "markdown":
        given = facts.get("parameters", {})
        people = " on **drawn people**, not on photographs" if given.get("data", EMBEDDED) == EMBEDDED else ""
        profile = given.get("profile", "tiny")
        words = AGAIN.format(chapter=chapter, seconds=facts["seconds"], profile=profile, people=people)
        needs = (i for i, cell in enumerate(page.cells) if cell.cell_type == "markdown" and NEEDS in cell.source)
        page.cells.insert(next(needs, 0) + 1, new_markdown_cell(words, id="chapter-tools"))


def _part(words: dict) -> str:
    """The element that the script turns into a part: its data as JSON in which nothing can end the script."""
    sheets = [
        {key: value for key, value in sheet.items() if key != SHEET} | {"source": f"data:{SHEET};base64,{sheet[SHEET]}"}
        for sheet in words["sheets"]
    ]
    data = json.dumps({"data": words["data"], "sheets": sheets}, separators=(",", ":")).replace("<", "\\u003c")
    names = f'data-of="{html.escape(words["of"])}" data-part="{html.escape(words["part"])}"'
    return f'<div class="live" {names} hidden><script type="application/json">{data}</script></div>'
