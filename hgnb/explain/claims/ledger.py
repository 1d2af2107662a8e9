"""The ledger: all claims judged together on the evidence of one or more seeds. Shown in 05_discussion."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from hgnb.explain.claims.catalogue import CLAIMS
from hgnb.explain.claims.claim import Claim, Finding, Lacking, Record, Scene
from hgnb.explain.claims.estimate import Estimate
from hgnb.explain.claims.rules import ALPHA, NEEDS, SEEDS, UNDECIDED, Test, verdicts

Evidence = Mapping[str, Record]  # by the claim's id, from one seed; {"needs": [...]} or {"lacking": "..."} where none
LEVELS = "`paper` on the whole of COCO"  # a level is judged nowhere else


@dataclass(frozen=True)
class Row:
    """One claim's line: what the source said, what was measured here, the verdict and why."""

    id: str
    sentence: str
    source: str
    value: str
    measured: str  # with its interval; '–' if nothing could be measured
    estimate: Estimate | None
    seeds: int
    verdict: str  # holds, fails, undecided or needs
    reason: str
    p: float | None  # two-sided and uncorrected, where a test decides
    rule: str
    shown: tuple[str, ...]

    def facts(self) -> dict:
        """JSON-able; null for what is unknown."""
        facts = asdict(self) | {"shown": list(self.shown)}
        if self.estimate is not None:
            facts["estimate"] = {name: getattr(self.estimate, name) for name in ("value", "low", "high")}
        return facts


@dataclass(frozen=True)
class _Case:
    """A claim on its way to a verdict."""

    claim: Claim
    finding: Finding | None
    seeds: int
    decision: Test | str  # a test, or a verdict that needs none
    reason: str


def judge(evidence: Sequence[Evidence], scene: Scene, claims: Sequence[Claim] = CLAIMS) -> list[Row]:
    """A row for every claim. `evidence`: one mapping a seed, the asked seed's first."""
    cases = [_case(claim, evidence, scene) for claim in claims]
    decided = iter(verdicts([case.decision for case in cases if isinstance(case.decision, Test)]))
    return [_row(case, next(decided) if isinstance(case.decision, Test) else case.decision) for case in cases]


def _case(claim: Claim, evidence: Sequence[Evidence], scene: Scene) -> _Case:
    records = [seed[claim.id] for seed in evidence]
    told = [record for record in records if _present(record)]
    if not told or (not claim.method and not _present(records[0])):
        return _Case(claim, None, 0, NEEDS, _wanted(records[0]))
    try:
        finding = claim.judge(told)
    except Lacking as lacking:
        return _Case(claim, None, len(told), NEEDS, f"other data: {lacking}")
    seeds = len(told) if claim.method else 1
    if claim.number and not scene.levels:
        return _Case(claim, finding, seeds, NEEDS, LEVELS)
    if claim.method and len(told) < SEEDS:
        reason = f"{len(told)} of the {SEEDS} paired seeds that a method needs: {claim.made_by} SEEDS={SEEDS}"
        return _Case(claim, finding, seeds, UNDECIDED, reason)
    if isinstance(finding.decision, Test):
        return _Case(claim, finding, seeds, finding.decision, "")
    return _Case(claim, finding, seeds, finding.decision, finding.reason)


def _present(record: Record) -> bool:
    return "needs" not in record and not record.get("lacking")


def _wanted(record: Record) -> str:
    return f"other data: {record['lacking']}" if record.get("lacking") else record["needs"]


def _row(case: _Case, verdict: str) -> Row:
    claim, finding = case.claim, case.finding
    test = case.decision if isinstance(case.decision, Test) else None
    reason = case.reason
    if test is not None and verdict == UNDECIDED:
        reason = _undecided(test)
    return Row(
        claim.id, claim.sentence, claim.source, claim.value, finding.measured if finding else "–",
        finding.estimate if finding else None, case.seeds, verdict, reason, test.p if test else None, claim.rule,
        claim.shown,
    )  # fmt: skip


def _undecided(test: Test) -> str:
    if test.holds == test.fails:
        return "the evidence points neither way"
    lone = "an interval crosses its limit" if test.p > ALPHA else "beside so many other claims p is too large (Holm)"
    return f"leans to '{test.leaning}', but {lone}"
