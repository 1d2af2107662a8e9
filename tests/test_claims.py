"""The ledger's rules: made-up evidence in which each claim is known to hold, to fail and to be undecided."""

import json
import re
from pathlib import Path

import made_up
import numpy as np
import pytest
from scipy import stats

from hgnb.explain.claims import rules
from hgnb.explain.claims.catalogue import CLAIMS
from hgnb.explain.claims.claim import Scene
from hgnb.explain.claims.estimate import UNKNOWN, Estimate, pooled
from hgnb.explain.claims.ledger import judge
from hgnb.explain.claims.result import Result, packed
from hgnb.intervals import bootstrap

ROOT = Path(__file__).resolve().parents[1]
BY_ID = {claim.id: claim for claim in CLAIMS}
PAPER, TINY = Scene("paper", "coco", levels=True), Scene("tiny", "embedded", levels=False)


def around(value, half=0.01):
    return Estimate(value, value - half, value + half)


def spread(value, half=0.01, by=0.004, seeds=5):
    """The same quantity from several seeds."""
    return [around(value + by * step, half) for step in np.linspace(-1, 1, seeds)]


def seeds(**estimates):
    """Records of five seeds; what isn't a list is the same in each."""
    return [{k: v[i] if isinstance(v, list) else v for k, v in estimates.items()} for i in range(5)]


COUNTED = {
    "images": 66_808, "persons": 149_813, "persons with val": 156_165, "full": 7_017, "train": 124_040,
    "val": 5_064, "test": 5_064,
}  # fmt: skip
LATE = {"lowest": 32, "epochs": 50, "falling": True}
THREE = {"train_loss": 50, "val_loss": 32, "val_pck": 47}
FIFTY = {"ratio": 0.00165, "own": 1, "equal": 1, "levels": False}
TWO = {"best": 2, "resamples": 20}
MINUTES = {"hourglass": 70, "autoencoder": 2, "modified": 70, "device": "GeForce GTX 1070"}
FOUR = ("original v = 1", "original v = 2", "modified v = 1", "modified v = 2")


def visible(original, modified):
    return seeds(**dict(zip(FOUR, (around(0.3), spread(original), around(0.4), spread(modified)), strict=True)))


def traits(*values, half=0.05):
    return {"traits": {f"trait {i}": around(v, half) for i, v in enumerate(values)}, "lacking": ""}


def parted(value, half):
    return {"auc": around(value, half), "misplaced": around(0.1)}


# For each claim the evidence, one record a seed, under which it holds, fails, and is undecided. Levels can't be
# undecided: the source's number lies in the widened interval or doesn't; those about a method can, for lack of seeds.
CASES = {
    "C1": ([COUNTED], [COUNTED | {"full": 5_000}], None),
    "C2": (
        [LATE | {"rise": around(0.05)}],
        [LATE | {"rise": around(-0.05)}],
        [LATE | {"rise": around(0.005)}],
    ),
    "C3": tuple([{"effect": around(v, h), "epoch": 21}] for v, h in ((0.03, 0.01), (-0.03, 0.01), (0.005, 0.01))),
    "C4": tuple([THREE | {"gap": around(v)}] for v in (0.03, -0.03, 0.005)),
    "C5": ([{"pck": around(0.45)}], [{"pck": around(0.48)}], None),
    "C6": ([{"pck": around(0.42)}], [{"pck": around(0.40)}], None),
    "C7": tuple([{"ratio": around(v, 0.1)}] for v in (0.1, 0.9, 0.48)),
    "C8": tuple([{"gap": around(v, 0.1)}] for v in (-0.4, 0.4, -0.05)),
    "C9": tuple([{"auc": around(v, 0.03)}] for v in (0.95, 0.6, 0.81)),
    "C10": ([traits(0.02, -0.05, 0.01)], [traits(0.02, 0.6, 0.01)], [traits(0.02, 0.18, 0.01)]),
    "C11": (
        [FIFTY | {"cost": around(0.001, 0.003)}],
        [FIFTY | {"cost": around(0.1, 0.003)}],
        [FIFTY | {"cost": around(0.009, 0.003)}],
    ),
    "C12": ([{"share": around(0.35)}], [{"share": around(0.30)}], None),
    "C13": (
        [TWO | {"won": 1.0, "excess": around(0.2, 0.02)}],
        [TWO | {"won": 1.0, "excess": around(-0.2, 0.02)}],
        [TWO | {"won": 0.6, "excess": around(0.2, 0.02)}],
    ),
    "C14": (
        [TWO | {"won": 0.95, "excess": around(0.2, 0.02)}],
        [TWO | {"won": 0.05, "excess": around(0.2, 0.02)}],
        [TWO | {"won": 0.95, "excess": around(0.01, 0.02)}],
    ),
    "C15": tuple([parted(*v)] for v in ((0.9, 0.05), (0.5, 0.05), (0.72, 0.05))),
    "C16": tuple([parted(*v)] for v in ((0.9, 0.05), (0.5, 0.05), (0.68, 0.05))),
    "C17": tuple(
        [{"full": around(f, 1), "sparse": around(s, 1), "keypoints": 17}] for f, s in ((16, 2), (16, 9), (16, 4))
    ),
    "C18": tuple([{"rise": around(v, 0.004), "epochs": 100}] for v in (0.0, 0.05, 0.011)),
    "C19": (
        seeds(start=spread(-0.1), end=spread(0.03, 0.005, 0.002)),
        seeds(start=spread(-0.1), end=spread(-0.03, 0.005, 0.002)),
        seeds(start=spread(-0.1), end=spread(0.005)),
    ),
    "C20": (
        seeds(pck=spread(0.46), gain=around(0.03)),
        seeds(pck=spread(0.40), gain=around(0.03)),
        seeds(pck=spread(0.46), gain=around(0.03))[:4],
    ),
    "C21": (
        seeds(pck=spread(0.48), gain=around(0.03)),
        seeds(pck=spread(0.55), gain=around(0.03)),
        seeds(pck=spread(0.48), gain=around(0.03))[:4],
    ),
    "C22": (visible(0.46, 0.57), visible(0.46, 0.49), visible(0.46, 0.57)[:1]),
    "C23": (
        seeds(original=spread(0.33), modified=spread(0.39)),
        seeds(original=spread(0.33), modified=spread(0.45)),
        seeds(original=spread(0.33), modified=spread(0.39))[:4],
    ),
    "C24": tuple(seeds(fewer=spread(v, 0.02)) for v in (0.1, -0.1, 0.01)),
    "C25": (
        seeds(latents=spread(560, 0, 9), codes=spread(16, 0, 1), random=around(9), projection=around(30)),
        seeds(latents=spread(300, 0, 9), codes=spread(16, 0, 1), random=around(9), projection=around(30)),
        seeds(latents=spread(560, 0, 9), codes=spread(16, 0, 1), random=around(9), projection=around(30))[:2],
    ),
    "C26": ([MINUTES], [MINUTES | {"autoencoder": 5}], None),
    "C27": tuple(seeds(longer=spread(v), random=around(0), projection=around(0)) for v in (0.05, -0.05, 0.005)),
    "C28": tuple(seeds(gap=spread(v), same=[True, False, False, False, False]) for v in (0.05, -0.05, 0.005)),
    "C29": tuple([{"gap": around(v, 0.02)}] for v in (0.1, -0.1, 0.01)),
    "C30": tuple([{"fewer": around(v, 0.02)}] for v in (0.1, -0.1, 0.01)),
    "C31": (
        seeds(ratio=spread(0.2), gap=spread(-0.3)),
        seeds(ratio=spread(0.9), gap=spread(-0.3)),
        seeds(ratio=spread(0.2), gap=spread(-0.005)),
    ),
    "C32": tuple(seeds(gain=spread(v)) for v in (0.05, -0.05, 0.005)),
    "C33": (
        seeds(rand=spread(0.02), auc=spread(-0.05)),
        seeds(rand=spread(0.9), auc=spread(0.4)),
        seeds(rand=spread(0.19, 0.05), auc=spread(0.05)),
    ),
    "C34": (
        seeds(reach=spread(0.02), narrow=spread(0.0, 0.005, 0.002)),
        seeds(reach=spread(-0.08), narrow=spread(0.0, 0.005, 0.002)),
        seeds(reach=spread(-0.015), narrow=spread(0.0, 0.005, 0.002)),
    ),
}
# Lighter hourglasses: shares of keypoints, and logarithms of ratios of seconds, which seeds share.
QUICK, SLOW, EVEN = (dict.fromkeys(("training", "with loading"), around(v, 0.02)) for v in (-0.3, 0.3, 0.0))
BELOW, ABOVE = (seeds(accuracy=spread(v)) for v in (-0.05, 0.05))
SAME, OPEN = seeds(accuracy=spread(0.0, 0.002, 0.001)), seeds(accuracy=spread(0.0))


def timed(records, times):
    return [record | times for record in records]


def two(first, second, a, b, **times):
    return seeds(**{first: spread(a, 0.002, 0.001), second: spread(b, 0.002, 0.001)}, **times)


CASES |= {
    "L1": (timed(BELOW, QUICK), timed(BELOW, SLOW), timed(OPEN, QUICK)),
    "L2": (timed(SAME, QUICK), timed(BELOW, QUICK), timed(SAME, EVEN)),
    **{name: (BELOW, ABOVE, OPEN) for name in ("L3", "L4", "L12")},
    **{name: (ABOVE, BELOW, OPEN) for name in ("L5", "L11")},
    "L6": (timed(ABOVE, QUICK), timed(ABOVE, SLOW), timed(OPEN, QUICK)),
    "L7": ([QUICK], [SLOW], [EVEN]),
    "L8": (timed(ABOVE, QUICK), timed(ABOVE, SLOW), timed(ABOVE, EVEN)),
    "L9": (
        two("mixed precision", "dropout", 0, -0.1, **SLOW), two("mixed precision", "dropout", 0, -0.1, **QUICK),
        two("mixed precision", "dropout", 0.005, -0.1, **SLOW),
    ),
    "L10": (two("rising", "falling", -0.1, -0.1), two("rising", "falling", -0.1, 0.1), two("rising", "falling", 0, -1)),
    "L13": (
        two("six hourglasses", "four blocks", 0, 0), two("six hourglasses", "four blocks", 0, -0.1),
        two("six hourglasses", "four blocks", 0, 0.005),
    ),
}  # fmt: skip
CASES = {claim.id: CASES[claim.id] for claim in CLAIMS}
VERDICTS = (rules.HOLDS, rules.FAILS, rules.UNDECIDED)


def verdict(name, records, scene=PAPER):
    (row,) = judge([{name: record} for record in records], scene, [BY_ID[name]])
    return row


@pytest.mark.parametrize("name", [claim.id for claim in CLAIMS])
@pytest.mark.parametrize("at", range(3), ids=VERDICTS)
def test_every_claim_gets_its_verdict(name, at):
    records = CASES[name][at]
    if records is None:
        assert BY_ID[name].number and not BY_ID[name].method
        records, at = CASES[name][0], 0
    assert verdict(name, records).verdict == VERDICTS[at]


def test_every_claim_has_its_rule_and_source():
    assert [claim.id for claim in CLAIMS] == [f"C{n}" for n in range(1, 35)] + [f"L{n}" for n in range(1, 14)]
    for claim in CLAIMS:
        assert len(claim.rule) > 40 and claim.sentence.endswith(".") and claim.source and claim.value


def test_every_label_behind_a_claim_exists():
    written = "".join(p.read_text(encoding="utf8") for p in (ROOT / "notebooks").glob("*.ipynb"))
    written += "".join(p.read_text(encoding="utf8") for p in (ROOT / "hgnb" / "figures").rglob("*.py"))
    labels = set(re.findall(r'"((?:fig|tbl)-[a-z0-9-]+)"', written))
    assert {label for claim in CLAIMS for label in claim.shown} <= labels


@pytest.mark.parametrize("name", [claim.id for claim in CLAIMS])
def test_levels_wait_for_paper_and_methods_for_seeds(name):
    claim, records = BY_ID[name], CASES[name][0]
    small = verdict(name, records, TINY)
    assert small.measured != "–"
    assert small.verdict == (rules.NEEDS if claim.number else rules.HOLDS)
    assert ("paper" in small.reason) == claim.number
    if claim.method:
        few = verdict(name, records[:4])
        assert few.verdict == rules.UNDECIDED and "4" in few.reason and f"{claim.made_by} SEEDS=5" in few.reason


# What a part of a claim does to the whole


def test_each_part_can_make_a_claim_fail():
    """A rise that comes too late, or while the training loss rises as well, is no overfitting."""
    rise = {"rise": around(0.05)}
    assert verdict("C2", [LATE | rise | {"lowest": 40}]).verdict == rules.HOLDS
    assert verdict("C2", [LATE | rise | {"lowest": 41}]).verdict == rules.FAILS
    assert verdict("C2", [LATE | rise | {"falling": False}]).verdict == rules.FAILS
    assert verdict("C4", [THREE | {"gap": around(0.05), "val_loss": 47}]).verdict == rules.FAILS
    cheap = FIFTY | {"cost": around(0.001, 0.003)}
    assert verdict("C11", [cheap | {"equal": 3}]).verdict == rules.FAILS
    assert verdict("C11", [cheap | {"levels": True, "ratio": 0.0017}]).verdict == rules.HOLDS
    assert verdict("C11", [cheap | {"levels": True, "ratio": 0.003}]).verdict == rules.FAILS
    assert verdict("C19", seeds(start=spread(0.1), end=spread(0.1))).verdict == rules.FAILS
    assert verdict("C34", seeds(reach=spread(0.1), narrow=spread(-0.1))).verdict == rules.FAILS


def test_one_epoch_under_two_names_decides_nothing():
    row = verdict("C28", seeds(gap=around(0, 0), same=True))
    assert row.verdict == rules.UNDECIDED and row.p is None
    assert "one epoch in 5 of 5 seeds" in row.measured and "both chains are one" in row.reason
    some = seeds(gap=[around(0, 0)] + [around(0.05, 0.002)] * 4, same=[True] + [False] * 4)
    assert verdict("C28", some).p is not None, "seeds that part the epochs are judged"


def test_another_device_is_no_judge_of_hours():
    row = verdict("C26", [MINUTES | {"device": "NVIDIA H200"}])
    assert row.verdict == rules.NEEDS and "1070" in row.reason and "70 min on NVIDIA H200" in row.measured


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("C8", {"gap": UNKNOWN}),
        ("C9", {"auc": UNKNOWN}),
        ("C10", {"traits": {"x": UNKNOWN}, "lacking": ""}),
        ("C10", {"traits": {}, "lacking": "22 such persons give 21 components"}),
        ("C11", {"lacking": "too few"}),
        ("C13", {"lacking": "3 persons are too few for K-means"}),
        ("C15", {"auc": UNKNOWN, "misplaced": UNKNOWN}),
        ("C29", {"gap": UNKNOWN}),
        ("C33", {"rand": UNKNOWN, "auc": UNKNOWN}),
    ],
)
def test_what_the_data_lack_is_said(name, record):
    row = verdict(name, [record])
    assert row.verdict == rules.NEEDS and row.reason.startswith("other data: ") and row.measured == "–"


def test_missing_runs_name_their_command():
    row = verdict("C9", [{"needs": "the run `hourglass` of seed 0: hgnb train hourglass"}])
    assert (row.verdict, row.seeds) == (rules.NEEDS, 0) and "hgnb train hourglass" in row.reason


def test_a_method_is_judged_on_the_seeds_that_are_there():
    """The asked seed's own pair may lack; six others decide."""
    records = [{"needs": "a run"}, *CASES["C28"][0], {"gap": around(0.05), "same": False}]
    row = verdict("C28", records)
    assert (row.verdict, row.seeds) == (rules.HOLDS, 6)


# Numbers


def test_p_agrees_with_the_interval():
    """0.025 on one side exactly where the bound of the interval is the limit, for either distribution."""
    for freedom in (np.inf, 4.0):
        estimate = Estimate(0.5, 0.4, 0.7, freedom)
        assert estimate.tail(0.4) == pytest.approx(0.025) and estimate.less(0.7) == pytest.approx(0.025)
        assert estimate.tail(0.5) == pytest.approx(0.5) and estimate.tail(0.9) > 0.99
    assert (Estimate.exact(3).tail(2), Estimate.exact(3).tail(3), Estimate.exact(3).less(4)) == (0, 1, 0)


def test_p_of_resampled_images_is_nearly_that_of_the_t_test():
    values = np.random.default_rng(0).normal(0.2, 1, 300)
    columns = np.column_stack([values, np.ones(300)])
    estimate = Estimate.of(bootstrap(columns, np.arange(300), lambda total, n: total / n, draws=4000))
    assert estimate.tail(0) == pytest.approx(stats.ttest_1samp(values, 0, alternative="greater").pvalue, abs=0.003)


def test_seeds_without_image_error_give_the_paired_t_test():
    gains = [0.03, 0.05, 0.02, 0.06, 0.04]
    estimate = pooled([Estimate.exact(g) for g in gains])
    told = stats.ttest_1samp(gains, 0)
    assert 2 * estimate.tail(0) == pytest.approx(told.pvalue)
    assert (estimate.low, estimate.high) == pytest.approx(tuple(told.confidence_interval()))
    assert estimate.seeds == 5


def test_seeds_never_hide_the_error_of_the_images():
    """Five seeds that agree were still measured on the same few photographs."""
    estimate = pooled([around(0.05, 0.02)] * 5)
    assert estimate.high - estimate.value == pytest.approx(0.02) and estimate.freedom == np.inf
    wider = pooled(spread(0.05, 0.02, 0.02))
    assert wider.high - wider.value > 0.02 and wider.freedom >= 4
    assert not pooled([around(0.1), UNKNOWN]).known


def test_holm_against_a_plain_loop():
    rng = np.random.default_rng(1)
    for _ in range(200):
        tests = [rules.Test(*rng.permutation([p, 1 - p])) for p in rng.uniform(0, 0.03, rng.integers(1, 9))]
        wanted, open_ = [rules.UNDECIDED] * len(tests), list(range(len(tests)))
        while open_:
            smallest = min(open_, key=lambda i: tests[i].p)
            if tests[smallest].p > 0.05 / len(open_):
                break
            wanted[smallest] = tests[smallest].leaning
            open_.remove(smallest)
        assert rules.verdicts(tests) == wanted


def test_a_claim_alone_can_hold_and_beside_others_be_undecided():
    lone = {"gap": Estimate(0.1, 0.005, 0.195)}
    assert verdict("C29", [lone]).verdict == rules.HOLDS
    others = {c.id: CASES[c.id][2][0] for c in CLAIMS if CASES[c.id][2] and not c.method and c.id != "C29"}
    rows = judge([others | {"C29": lone}], TINY, [c for c in CLAIMS if c.id in {*others, "C29"}])
    row = next(row for row in rows if row.id == "C29")
    assert row.verdict == rules.UNDECIDED and "Holm" in row.reason and row.p < 0.05


def test_absence_needs_both_limits():
    assert rules.verdicts([rules.within(around(0.0, 0.1), 0.2)]) == [rules.HOLDS]
    assert rules.verdicts([rules.within(around(0.0, 0.3), 0.2)]) == [rules.UNDECIDED]
    assert rules.verdicts([rules.within(around(-0.5, 0.1), 0.2)]) == [rules.FAILS]


def test_false_claims_are_rarely_confirmed():
    """Under chance alone the ledger's verdicts are wrong in about 5 % of ledgers, not in 5 % of claims."""
    rng, wrong = np.random.default_rng(2), 0
    for _ in range(400):
        tests = [rules.above(around(v, 1.959964)) for v in rng.normal(0, 1, 8)]
        wrong += any(v != rules.UNDECIDED for v in rules.verdicts(tests))
    assert 0.02 < wrong / 400 < 0.08  # three standard errors about 0.05


# Keeping


def test_a_ledger_is_kept_as_json_and_the_same_each_time(house):
    made = Result.of(judge([{c.id: CASES[c.id][0][0] for c in CLAIMS}], TINY), made_up.chain([{"hourglass": 0.4}] * 2))
    file = made.keep()
    held = json.loads(file.read_text())
    assert file.name == "claims-tiny-embedded.json" and held["about"]["seeds"] == [0, 1]
    assert held["claims"] == made.rows and [row["id"] for row in held["claims"]] == [claim.id for claim in CLAIMS]
    before = file.read_bytes()
    assert made.keep().read_bytes() == before


def test_what_no_json_number_is_becomes_null():
    there = json.loads(json.dumps(packed({"a": around(0.1), "b": UNKNOWN, "n": np.int64(3)}), allow_nan=False))
    assert there["a"]["value"] == 0.1 and there["b"]["value"] is None and there["n"] == 3
