"""The findings that matter, a few plain sentences each, from the ledgers and the records. 00_claims, the conclusion."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from figures.ch07 import worth
from figures.chains import Chains
from figures.page import Note, capital, listed
from figures.verdicts import Column, asked, at, badge, became, waits
from hgnb.claims.claim import FAILS, HOLDS, NEEDS, UNDECIDED
from hgnb.claims.evidence import Seeds
from hgnb.claims.ledger import BY_ID
from hgnb.claims.steered import judged


@dataclass(frozen=True)
class Finding:
    """A claim of the ledger that matters, in words that need no chapter."""

    id: str
    claimed: str
    holds: str
    fails: str
    undecided: str


FINDINGS = (
    Finding(
        "C2", "The network overfits: its validation loss is lowest long before its training ends.",
        "it does so here", "here it doesn't", "whether it does can't be told",
    ),
    Finding(
        "C7", "Without its skip-connections the network loses most of what it finds.",
        "less than half is left of what it finds beyond a mean pose", "half of what it finds beyond a mean pose is left",
        "whether half is left can't be told",
    ),
    Finding(
        "C31", "A network that is trained without skip-connections lacks what they carry, too.",
        "it reaches less than half, and small joints suffer most",
        "it reaches half of what its skip-connections bring beyond a mean pose, or small joints suffer no more than others",
        "how much it lacks can't be told",
    ),
    Finding(
        "C8", "Nose, eyes and ears rely on the skip-connections more than shoulders, hips and knees.",
        "they lose more", "they don't lose more", "the small and the big can't be told apart",
    ),
    Finding(
        "C9", "The first direction of the latent space tells sitting people from standing ones.",
        "it does", "it doesn't as clearly as that takes", "whether it does clearly enough can't be told",
    ),
    Finding(
        "C15", "The latent space falls into two clusters: people with nearly all joints labelled, and the others.",
        "the clusters part them", "not as clearly as that takes", "whether the clusters part them clearly can't be told",
    ),
    Finding(
        "C16", "Among fully labelled people the two clusters are the moving and the still.",
        "they are", "not as clearly as that takes", "whether they are can't be told",
    ),
    Finding(
        "C29", "People in the wrong cluster are found worse because they lie there.",
        "moved to the other cluster they are found better", "moved to the other cluster they aren't found better",
        "whether a move helps them can't be told",
    ),
    Finding(
        "C27", "The modified network is better because of the autoencoder, not because it was trained longer.",
        "it beats a network that was only trained longer", "a network that was only trained longer does as well",
        "it can't be told apart from a network that was only trained longer",
    ),
)  # fmt: skip


def told(finding: Finding, columns: Sequence[Column]) -> str:
    """What was claimed, what became of it on each dataset, how sure that is, and where to look."""
    claim, parts = BY_ID[finding.id], []
    for column in columns:
        row = column.row(finding.id)
        count = f"{row['seeds']} network{'s' if row['seeds'] != 1 else ''}"
        measured = "" if row["measured"] == "–" else f" ({row['measured']}; {count})"
        if row["verdict"] == NEEDS:
            seen = f" So far, with {count}: {row['measured']}." if measured else ""
            words = f"it takes {waits(row['reason'])}.{seen}"
        else:
            words = {HOLDS: finding.holds, FAILS: finding.fails, UNDECIDED: finding.undecided}[row["verdict"]]
            sure = f" {capital(row['reason'])}." if row["reason"] else ""
            words += f"{measured}.{sure}"
        limit = asked(row) if any(row.get("asked", {}).values()) else ""  # that of zero is in the words
        parts.append(f"- {badge(row['verdict'])} on {column.people}{limit}: {words}")
    links = f"{{numref}}`{claim.shown[0]}` · {at(claim.id)} in the ledger · {{ref}}`rule and code <rule-{claim.id.lower()}>`"
    return _block(f"*Claimed:* **{finding.claimed}**", parts, links)


def _block(head: str, parts: Sequence[str], links: str) -> str:
    return "\n".join([":::{container} finding", head, "", *parts, "", links, ":::"])


def beyond_the_ledger(columns: Sequence[Column]) -> list[str]:
    """Two findings that no claim of the sources asks for: whether the autoencoder's own training paid, and whether the
    meanings of directions survive when people are moved along them."""
    paid, survived = [], []
    for column in columns:
        record, on = column.result.record, f"- On {column.people}"
        chain = Chains(record)
        if chain.has("narrow"):
            paid.append(f"{on}: {worth(chain)}")
        else:
            paid.append(f"{on}: not recorded yet.")
        each = judged(Seeds.of(record))
        judgeable = [one for one in each if one.verdict != NEEDS]
        came = Counter(one.verdict for one in judgeable)
        wanted = listed(sorted({waits(one.reason) for one in each}))
        words = {HOLDS: "survive", FAILS: "don't survive", UNDECIDED: "undecided"}
        count = f"of {len(judgeable)} meanings {listed([f'{n} {words[verdict]}' for verdict, n in came.items()])}"
        survived.append(f"{on}: {count if judgeable else f'none of the {len(each)} is judged yet; it takes {wanted}'}.")
    trained = "*Asked here:* **Does it pay to train the autoencoder on the latents before it is put in?**"
    moved = "*Asked here:* **Does what a direction means to the eye still hold when people are moved along it?**"
    return [_block(trained, paid, "{numref}`fig-later`"), _block(moved, survived, "{numref}`fig-steered`")]


def findings(columns: Sequence[Column]) -> Note:
    """All of them."""
    return Note("\n\n".join([*(told(one, columns) for one in FINDINGS), *beyond_the_ledger(columns)]))


def named(columns: Sequence[Column], *ids: str) -> Note:
    """The findings, or some of them by their claims, and their verdicts alone, a line each."""
    chosen = [one for one in FINDINGS if not ids or one.id in ids]
    return Note("\n".join(f"- {one.claimed} {became(columns, one.id)} ({at(one.id)})." for one in chosen))
