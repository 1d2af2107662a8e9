"""Whether the thesis's findings survive a better model, and what became of its future work. Thesis 8.4; 07_beyond."""

from collections.abc import Sequence

from figures import verdicts
from figures.page import Note, Table, listed
from figures.verdicts import Column
from hgnb import records
from hgnb.claims.claim import FAILS, HOLDS
from hgnb.claims.collect import judged
from hgnb.records import BETTER
from hgnb.training.experiment import Experiment

# What chapters 03 to 05 found in one network, and what the autoencoder did for it.
FINDINGS = (
    "C2", "C7", "C8", "C9", "C10", "C11", "C13", "C14", "C15", "C16", "C17", "C19", "C24", "C27", "C28", "C29", "C30",
    "C33",
)  # fmt: skip
LATER = ("C31", "C32", "C34")
NONE = (
    f"No better model is judged in `results/`: `make claims PROFILE={BETTER} SEEDS=5` trains one with its chain, "
    "and the table gets its second column."
)


def columns(live: Experiment) -> list[Column]:
    """The ledger of the thesis's targets, judged from the record that fits the live data best, and the better model's
    on the same data."""
    found = records.fitting("chain", live.profile.name, live.data_name)
    plain = next((record for record in found if not record.better), None)
    data = plain.data if plain else live.data_name
    better = next((r for r in found if r.better and r.data == data), None)
    made = [Column.of(judged(plain))] if plain else []
    return made + ([Column.of(judged(better), f"better model: {better.profile} on {better.data}")] if better else [])


def later(made: Sequence[Column]) -> Table | Note:
    """tbl-later: the claims about what was left for later, as recorded."""
    return verdicts.beside(made[:1], "tbl-later", LATER)


def table(made: Sequence[Column]) -> Table | Note:
    """tbl-survival: what chapters 03 to 05 found, with the thesis's targets and in a better model."""
    return verdicts.beside(made, "tbl-survival", FINDINGS)


def told(made: Sequence[Column]) -> Note:
    """Which findings survive, which don't, and of which one of the two says nothing."""
    if len(made) < 2:
        return Note(NONE)
    first, second = made[:2]
    decided = [i for i in FINDINGS if {first.verdict(i), second.verdict(i)} <= {HOLDS, FAILS}]
    kept = [i for i in decided if first.verdict(i) == second.verdict(i) == HOLDS]
    lost = [i for i in decided if first.verdict(i) == HOLDS != second.verdict(i)]
    won = [i for i in decided if first.verdict(i) == FAILS != second.verdict(i)]
    open_ = len(FINDINGS) - len(decided)
    are = "is" if len(decided) == 1 else "are"
    return Note(
        f"Of {len(FINDINGS)} findings {len(decided)} {are} decided in both columns. "
        f"Surviving: {listed(kept) or 'none'}; holding only with the thesis's targets: {listed(lost) or 'none'}; "
        f"only in the better model: {listed(won) or 'none'}. "
        f"{open_} {'is' if open_ == 1 else 'are'} open in one of them or in both."
    )
