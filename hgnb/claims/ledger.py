"""The ledger: all claims judged on every seed's columns, each family corrected by itself. Shown in 05_discussion."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

from hgnb.claims.catalogue import CLAIMS, SIZES
from hgnb.claims.claim import Claim, Finding, Lacking, Scene
from hgnb.claims.lighter import Sweep
from hgnb.claims.rules import ALPHA, FAMILIES, NEEDS, SEEDS, UNDECIDED
from hgnb.claims.seeds import Seeds
from hgnb.stats import Estimate, Test, verdicts

LEVELS = "`paper` on the whole of COCO"  # a level is judged nowhere else
Wanted = Callable[[Seeds, Sequence[str]], str]  # says which of the trainings are missing, and what makes them


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
    decidable: float | None  # smallest distance from the limit that these data decide with 80 % power, in the family
    family: str
    rule: str
    shown: tuple[str, ...]

    def facts(self) -> dict:
        """JSON-able; null for what is unknown."""
        facts = asdict(self) | {"shown": list(self.shown)}
        if self.estimate is not None:
            names = ("value", "low", "high", "over", "freedom", "seeds", "photographs")
            facts["estimate"] = {name: getattr(self.estimate, name) for name in names}
        return facts


@dataclass(frozen=True)
class Case:
    """A claim on its way to a verdict: what was found, unless something lacks, and which gate is shut."""

    claim: Claim
    finding: Finding | None
    seeds: int = 0
    shut: str = ""


def judge(
    seeds: Seeds, sweep: Sweep, scene: Scene, wanted: Wanted, claims: Sequence[Claim] = CLAIMS
) -> list[Row]:  # fmt: skip
    """A row for every claim, from what is recorded of the chain and of chapter 06."""
    return decided([_case(claim, seeds, sweep, scene, wanted) for claim in claims])


def judge_lighter(sweep: Sweep) -> list[Row]:
    """The rows of chapter 06's claims alone."""
    return decided(considered(claim, sweep, sweep.count) for claim in CLAIMS if claim.family == "lighter")


def _case(claim: Claim, seeds: Seeds, sweep: Sweep, scene: Scene, wanted: Wanted) -> Case:
    if claim.family == "lighter":
        return considered(claim, sweep, sweep.count)
    there = seeds.with_(*claim.trainings)
    if claim.trainings and not there.count:
        return Case(claim, None, 0, wanted(seeds, claim.trainings))
    shut = ""
    if claim.number and claim.trainings and not scene.levels:
        shut = LEVELS
    elif claim.trainings and there.count < SEEDS:
        shut = f"{SEEDS} seeds, {there.count} {'is' if there.count == 1 else 'are'} there: `make claims SEEDS={SEEDS}`"
    return considered(claim, there, there.count if claim.trainings else 0, shut)


def considered(claim: Claim, source: Seeds | Sweep, count: int, shut: str = "") -> Case:
    """What a claim's evidence comes to. A gate that is shut leaves what was measured to be shown."""
    try:
        shut = shut or next((why for gate in claim.gates if (why := gate(source))), "")
        return Case(claim, claim.judge(claim.gather(source)), count, shut)
    except Lacking as lacking:
        return Case(claim, None, count, shut or str(lacking))


def decided(cases: Iterable[Case]) -> list[Row]:
    """Their rows in this order; each family is corrected after Holm for as many tests as it has by definition."""
    cases = list(cases)
    tests: dict[str, list[Case]] = {family: [] for family in FAMILIES}
    for case in cases:
        if not case.shut and case.finding and isinstance(case.finding.decision, Test):
            tests[case.claim.family].append(case)
    found: dict[str, str] = {}
    for family, members in tests.items():
        made = verdicts([case.finding.decision for case in members], SIZES[family])  # type: ignore[union-attr,misc]
        found |= {case.claim.id: verdict for case, verdict in zip(members, made, strict=True)}
    return [_row(case, found.get(case.claim.id)) for case in cases]


def _row(case: Case, verdict: str | None) -> Row:
    claim, finding = case.claim, case.finding
    test = finding.decision if finding and verdict is not None else None
    reason, decidable = case.shut, None
    if isinstance(test, Test):
        decidable = test.decidable(ALPHA / SIZES[claim.family])
        if verdict == UNDECIDED:
            reason = _undecided(test, decidable)
    elif case.shut or finding is None:
        verdict = NEEDS
    else:
        verdict, reason = str(finding.decision), finding.reason
    return Row(
        claim.id, claim.sentence, claim.source, claim.value, finding.measured if finding else "–",
        finding.estimate if finding else None, case.seeds, str(verdict), reason,
        test.p if isinstance(test, Test) else None, decidable, claim.family, claim.rule, claim.shown,
    )  # fmt: skip


def _undecided(test: Test, decidable: float) -> str:
    """What stands in the way, and what these data would have decided."""
    why = "an interval crosses its limit" if test.p > ALPHA else "not beside the other claims of its family (Holm)"
    if not decidable < float("inf"):
        return f"{why}; a number without an interval decides nothing"
    return f"{why}; a distance of {decidable:.3g} from it would have been decided with 80 % power"
