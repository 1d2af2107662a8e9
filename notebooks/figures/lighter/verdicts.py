"""The claims of source 004 with their verdicts, and the last words of chapter 06."""

from collections.abc import Sequence

import pandas as pd

from figures.lighter.words import DASH, small
from figures.page import Note, Table, listed
from hgnb.claims.claim import FAILS, HOLDS, NEEDS, UNDECIDED
from hgnb.claims.ledger import Row
from hgnb.training.networks import BASE


def claims_table(rows: Sequence[Row]) -> Table:
    """tbl-lighter-claims: L1 to L15, the source's value, ours and the verdict."""
    cells = [
        (
            f"**{r.id}** {r.claim.sentence}",
            r.claim.value,
            r.measured,
            r.verdict,
            r.reason or DASH,
            _places(r.claim.shown),
        )
        for r in rows
    ]
    counts = ", ".join(f"{n} {_word(v, n)}" for v in _WORDS if (n := sum(r.verdict == v for r in rows)))
    caption = (
        f"The report's claims: {counts}. Differences of accuracy are in percentage points, one network's less "
        "the other's; intervals are 95 %, over test images and seeds, those of times over turns."
    )
    columns = ["Claim", "Report", "Here", "Verdict", "Because", "Shown in"]
    return Table(pd.DataFrame(cells, columns=columns), caption, "tbl-lighter-claims", filters=("Verdict",))


def _places(shown: Sequence[str]) -> str:
    return ", ".join(f"{{numref}}`{label}`" for label in shown)


_WORDS = {
    HOLDS: ("holds", "hold"),
    FAILS: ("fails", "fail"),
    UNDECIDED: ("is undecided", "are undecided"),
    NEEDS: ("needs trainings or times", "need trainings or times"),
}


def _word(verdict: str, count: int) -> str:
    """What becomes of `count` claims, for one or for several."""
    return _WORDS[verdict][count != 1]


def learned(points: pd.DataFrame, rows: Sequence[Row]) -> Note:
    """The chapter's last words, from the run."""
    base = points.set_index("case").loc[BASE]
    quick = points.loc[points.training.idxmin()]
    told = (
        f"Of the networks timed here, the fastest in training ({small(quick.case)}) takes "
        f"{quick.training / base.training:.2f} of the original's time for {quick.gflop / base.gflop:.2f} "
        f"of its operations. "
    )
    by = {verdict: [r.id for r in rows if r.verdict == verdict] for verdict in _WORDS}
    told += "Of the report's claims " + "; ".join(f"{listed(ids)} {_word(v, len(ids))}" for v, ids in by.items() if ids)
    return Note(told + ". What fewer hourglasses bring is the yardstick for every other change.")
