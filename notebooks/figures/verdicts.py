"""What became of the claims, as pages show it: counts, the whole ledger, the end of a chapter, a few sentences.

00_claims, 05_discussion, and the end of every chapter that judges a claim.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from figures.ahead import ahead
from figures.page import Note, Table, capital, cited, listed
from hgnb import records
from hgnb.claims import carried
from hgnb.claims.claim import FAILS, HOLDS, NEEDS, SEEDS, UNDECIDED
from hgnb.claims.collect import kept
from hgnb.claims.ledger import BY_ID, CLAIMS, Result, summary
from hgnb.data.splits import EMBEDDED
from hgnb.training.experiment import Experiment

PEOPLE = {EMBEDDED: "drawn people", "coco-val2017": "COCO's photographs", "coco": "COCO's photographs"}
SIGNS = {HOLDS: "✓", FAILS: "✗", UNDECIDED: "?", NEEDS: "…"}  # a verdict is told apart without its colour
WORDS = {HOLDS: "holds", FAILS: "fails", UNDECIDED: "undecided", NEEDS: "not judged yet"}
MANY = WORDS | {HOLDS: "hold", FAILS: "fail", NEEDS: "not yet judged"}
SECOND = "lighter networks"  # of chapter 06
ANNOTATIONS = "COCO's annotations alone"  # on which some claims are judged whatever was trained
OVER_SIZES = {  # what becomes of a verdict at other sizes than its own
    carried.CARRIES: "It carries to every size that judges it",
    carried.TURNED: "It turns at another size",
    UNDECIDED: "Whether it carries to other sizes can't be told",
    NEEDS: "Too few sizes judge it to say whether it carries",
}
LIGHTER = {claim.id for claim in CLAIMS if claim.family == "lighter"}
BARE = {claim.id for claim in CLAIMS if not claim.trainings} - LIGHTER
OWN = "this build"  # title of the ledger that isn't recorded
LEVEL = "C6"  # what its hourglass reaches: verdicts about one that finds hardly anything say little
NONE = "No longer run is recorded in `results/`; `make claims SEEDS=5` makes one."
NOTHING = {"measured": "–", "verdict": "", "reason": "", "seeds": 0}  # of a claim that a ledger doesn't know
WAITS = {  # what a verdict waits for, by how the ledger says it
    r"`paper`": "the thesis's own settings on all of COCO, without which a level says nothing",
    r"\d+ seeds": f"{SEEDS} trained networks; fewer say nothing about a method",
    r"a network that knows": "networks that find more than these do",
    r"a control that comes out": "a difference that is known to be there, and doesn't show in these runs",
    r"its control": "the networks that others are compared with",
    r"times of": "times that were taken more often",
    r"the trainings?": "networks that aren't recorded yet",
}


@dataclass(frozen=True)
class Column:
    """A ledger beside others."""

    title: str
    result: Result
    changed: str = ""  # what makes it stale; '' if nothing does

    @classmethod
    def of(cls, result: Result, title: str = "") -> "Column":
        """Called by its profile and data unless a title is given."""
        record = result.record
        return cls(title or f"{record.profile} on {record.data}", result, "; ".join(result.stale))

    @property
    def people(self) -> str:
        """Who its networks were trained on."""
        return people(self.result.record.data) + (f", {self.title}" if self.title == OWN else "")

    def row(self, name: str) -> Mapping[str, Any]:
        """What it says of a claim."""
        return next((row for row in self.result.rows if row["id"] == name), NOTHING)

    def verdict(self, name: str) -> str:
        """The bare verdict; '' for a claim that it doesn't know."""
        return self.row(name)["verdict"]

    def cell(self, name: str) -> str:
        """'fails; what was measured' or 'needs; what it waits for', marked where stale; a dash for a claim not known."""
        row = self.row(name)
        wait = [waits(row["reason"])] if row["verdict"] == NEEDS else []
        told = "; ".join(words for words in (row["verdict"], *wait, row["measured"]) if words != "–")
        return f"*stale:* {told}" if told and self.changed else told or "–"

    @property
    def came(self) -> str:
        """When, on which seeds and device it was made, and whether it still counts."""
        made = f"*{self.title}*: {self.result.record.date[:10]}, {_seeds(self.result.seeds)}, on {self.result.record.device}"
        level = f"test PCK of the hourglass {self.row(LEVEL)['measured']}"
        counts = f"**Stale**: {self.changed}." if self.changed else "Made by today's code, profile and data."
        return f"{made}; {level}. Its {len(self.result.rows)} claims: {summary(self.result)} {counts}"


@dataclass(frozen=True)
class Verdicts(Note):
    """A note at a chapter's end that also says which figure shows which claim; the build links both ways."""

    shown: Mapping[str, Sequence[str]]  # labels by claim

    def _repr_mimebundle_(self, include=None, exclude=None):
        data, metadata = super()._repr_mimebundle_(include, exclude)
        return data, {"hgnb": metadata["hgnb"] | {"claims": {name: list(at) for name, at in self.shown.items()}}}


def recorded(profile: str, data: str) -> list[Column]:
    """The recorded ledgers that a page about a profile and data shows, one of each dataset: the page's own data first,
    photographs before drawn people; of a dataset's the page's profile, else the one that could judge most. That of the
    better model has a page of its own."""
    found = [kept(record) for record in records.fitting("chain", profile, data) if not record.better]

    def fits(result: Result) -> tuple:
        record = result.record
        judged = sum(row["verdict"] != NEEDS for row in result.rows)
        return record.data == EMBEDDED, record.data != data, record.profile != profile, -judged

    best: dict[str, Result] = {}
    for result in sorted(found, key=fits):
        best.setdefault(result.record.data, result)
    return [Column.of(result) for result in best.values()]


# In a line


def people(data: str) -> str:
    """Who a dataset holds, in words; drawn people are always called so."""
    return PEOPLE.get(data, f"the photographs `{data}`")


def badge(verdict: str) -> str:
    """A verdict with its sign, as HTML that is coloured on the page and plain elsewhere."""
    return f'<span class="verdict {verdict}">{SIGNS[verdict]} {WORDS[verdict]}</span>' if verdict else "–"


def waits(reason: str) -> str:
    """What a verdict waits for, in words for whoever doesn't run anything."""
    return next((words for start, words in WAITS.items() if re.match(start, reason)), reason)


def asked(row: Mapping[str, Any]) -> str:
    """' (asked: above 0.8)': what a claim asks of the number that decides it; '' where none does, or none is there."""
    sides = [f"{side} {limit:g}".replace("-", "−") for side, limit in row.get("asked", {}).items()]
    return f" (asked: {listed(sides)})" if sides else ""


def tally(columns: Sequence[Column]) -> dict[str, tuple[Counter, str]]:
    """Verdicts counted, and on how many trained networks: on each dataset, then of the second report's claims, which are
    about other networks, and of those that annotations alone judge."""

    def count(column: Column, ids: Collection[str]) -> Counter:
        return Counter(row["verdict"] for row in column.result.rows if row["id"] in ids)

    chain = {claim.id for claim in CLAIMS} - BARE - LIGHTER
    told = {}
    for column in columns:
        seeds = len(column.result.seeds)
        told[column.people] = count(column, chain), f"{seeds} network{'s' if seeds != 1 else ''}"
    if columns:
        told[SECOND] = count(columns[0], LIGHTER), "the second report's claims"
        told[ANNOTATIONS] = count(columns[0], BARE), "no network"
    return told


def counts(columns: Sequence[Column]) -> Note:
    """How many of the thesis's claims hold, fail, can't be decided or aren't judged yet: a line for each dataset."""
    if not columns:
        return Note(NONE)
    heads = "".join(
        f'<th scope="col"><span class="verdict {v}">{sign} {MANY[v]}</span></th>' for v, sign in SIGNS.items()
    )
    lines = [f'<tr><th scope="col">Claims judged on</th>{heads}</tr>']
    for on, (count, networks) in tally(columns).items():
        if on == SECOND:
            continue
        cells = "".join(f"<td>{count[verdict]}</td>" for verdict in SIGNS)
        lines.append(f'<tr><th scope="row">{on} <small>{networks}</small></th>{cells}</tr>')
    return Note(f'<table class="counts">{"".join(lines)}</table>')


def became(columns: Sequence[Column], name: str) -> str:
    """'✓ holds on COCO's photographs, … not judged yet on drawn people': one claim, wherever it was judged."""
    if name in BARE and columns:
        return f"{badge(columns[0].verdict(name))} on {ANNOTATIONS}"
    return ", ".join(f"{badge(column.verdict(name))} on {column.people}" for column in columns) or NONE


def at(name: str) -> str:
    """A link to a claim's row of the ledger."""
    return f"{{ref}}`{name} <claim-{name.lower()}>`"


# The whole ledger


def table(columns: Sequence[Column]) -> Table | Note:
    """tbl-claims: the ledger's counts, its first line."""
    rows = [(on, networks, *(count[v] for v in SIGNS)) for on, (count, networks) in tally(columns).items()]
    heads = ["Judged on", "By", *(f"{SIGNS[verdict]} {MANY[verdict]}" for verdict in SIGNS)]
    caption = (
        f"The sources' {len(CLAIMS)} claims by what became of them; each stands below with its figure and its rule."
    )
    return Table(pd.DataFrame(rows, columns=heads), caption, "tbl-claims") if rows else Note(NONE)


def ledger(columns: Sequence[Column]) -> Note:
    """Every claim: the decided ones first, those that can't be decided, and the others folded by what they wait for, as
    the first column says it."""
    groups: dict[str, list[str]] = {HOLDS: [], UNDECIDED: []}
    for claim in CLAIMS:
        told = [column.verdict(claim.id) for column in columns]
        waiting = columns[0].row(claim.id)["reason"] if columns else ""
        group = HOLDS if {HOLDS, FAILS} & set(told) else UNDECIDED if UNDECIDED in told else waits(waiting)
        groups.setdefault(group, []).append(_entry(columns, claim.id, heading=group))
    decided, open_ = groups.pop(HOLDS), groups.pop(UNDECIDED)
    parts = ["**Decided**", *decided] if decided else ["Nothing is decided yet."]
    folds = {"looked at, and these data can't decide": open_} | {f"wait for {why}": of for why, of in groups.items()}
    for why, entries in folds.items():
        if entries:
            body = "\n\n".join(entries)
            parts.append(f":::::{{dropdown}} {len(entries)} {why}\n{body}\n:::::")
    return Note("\n\n".join(parts))


def _entry(columns: Sequence[Column], name: str, heading: str) -> str:
    """A claim in plain words, what became of it on each dataset, and where to look; what it waits for, unless the
    heading above says it."""
    claim, lines = BY_ID[name], []
    for column in columns[:1] if name in BARE else columns:
        row = column.row(name)
        where = ANNOTATIONS if name in BARE else column.people
        why = row["reason"]
        if row["verdict"] == NEEDS:
            why = "" if waits(why) == heading else f"it takes {waits(why)}"
        because = f" *{capital(why)}.*" if why else ""
        measured = "." if row["measured"] == "–" else f": {row['measured']}."
        stale = f" *Stale: {column.changed}.*" if column.changed else ""
        carries = carried.over_sizes().get(name, "") if column.result.record.profile == carried.PROFILE else ""
        farther = f" {OVER_SIZES[carries]} ({{numref}}`tbl-scale`)." if carries else ""
        lines.append(f"- {badge(row['verdict'])} on {where}{asked(row)}{measured}{because}{farther}{stale}")
    source = f"The source ({cited(claim.source)}): {claim.value}. {_figures(claim.shown)}."
    head = [f"(claim-{name.lower()})=", f"::::{{container}} claim\n**{name}** {claim.sentence}"]
    return "\n".join([*head, "", *lines, "", f"{source} {{ref}}`Rule and code <rule-{name.lower()}>`", "::::"])


# A chapter's end, and several ledgers side by side


def beginning(experiment: Experiment, *trainings: str) -> Note:
    """The start of a chapter: what it is about to train and for how long, as figures.ahead has it."""
    return Note(ahead(experiment, *trainings))


def ending(profile: str, data: str, names: str) -> Verdicts:
    """The last word of a chapter: what became of the claims `names`, as 'C7 C8', that it shows figures of."""
    columns = recorded(profile, data)
    claims = [claim for claim in CLAIMS if claim.id in names.split()]
    lines = [
        f"- {at(claim.id)} {claim.sentence} {became(columns, claim.id)} ({{numref}}`{claim.shown[0]}`)."
        for claim in claims
    ]
    first = f"(verdicts-{claims[0].id.lower()})=\n:::{{container}} verdicts\n**What became of this chapter's claims**"
    return Verdicts("\n".join([first, "", *lines, ":::"]), {claim.id: claim.shown for claim in claims})


def beside(columns: Sequence[Column], name: str, ids: Collection[str] = ()) -> Table | Note:
    """A table called `name` of the claims `ids`, or of all, as each of several recorded ledgers judges them."""
    if not columns:
        return Note(NONE)
    known = {row["id"]: row for column in reversed(columns) for row in column.result.rows}
    wanted = [known[claim.id] for claim in CLAIMS if claim.id in known and (not ids or claim.id in ids)]
    rows = [
        (
            f"**{row['id']}** {row['sentence']}", f"{row['value']} ({cited(row['source'])})",
            *(c.cell(row["id"]) for c in columns), _figures(row["shown"]) or "–",
        ) for row in wanted
    ]  # fmt: skip
    apart = [row["id"] for row in wanted if len({c.verdict(row["id"]) for c in columns} - {NEEDS, ""}) > 1]
    told = f"Verdicts part on {listed(apart)}." if apart else "No two verdicts part." if len(columns) > 1 else ""
    titles = [column.title for column in columns]
    came = " ".join([told, *(column.came for column in columns)]).strip()
    heads = ["Claim", "Source says", *titles, "Shown in"]
    caption = f"The sources' claims as recorded trainings judge them. {came}"
    return Table(pd.DataFrame(rows, columns=heads), caption, name, filters=tuple(titles))


def _figures(labels: Sequence[str]) -> str:
    """Links to the figures and tables of a claim."""
    return ", ".join(f"{{numref}}`{label}`" for label in labels)


def _seeds(seeds: Sequence[int]) -> str:
    if not seeds:
        return "no trained seed"
    return f"seed{'s' if len(seeds) > 1 else ''} {listed([str(seed) for seed in seeds])}"
