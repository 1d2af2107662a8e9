"""The ledger's rules: made-up numbers under which each claim holds, fails and is undecided; gates that keep it from
being judged; families of a fixed size."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from figures import verdicts
from hgnb.analysis import annotated, silence
from hgnb.claims import claim
from hgnb.claims.claim import Lacking
from hgnb.claims.ledger import BY_ID, CLAIMS, SIZES, considered, decided
from hgnb.stats import UNKNOWN, Estimate
from hgnb.stats.estimate import CROSSED

ROOT = Path(__file__).resolve().parents[1]


def around(value, half=0.01):
    """Over five seeds, with an interval this wide; sure enough to survive Holm's correction where its limit is far."""
    return Estimate(value, value - half, value + half, CROSSED, np.inf, 5, 100)


COUNTED = {
    "persons": 149_813, "persons with val": 156_165, "photographs": 58_945, "filter": "some filter",
    "kept train": 129_000, "kept val": 5_100, "full": 7_017, "full of all": 8_475,
}  # fmt: skip
LATE = {"lowest": [32, 30, 35, 31, 33], "epochs": 50, "falling": [True] * 5}
THREE = {"train_loss": [50] * 5, "val_loss": [32, 30, 31, 28, 33], "val_pck": [47] * 5}
FIFTY = {"ratio": around(0.00165, 0.0001), "own": [1] * 5, "by lot": [2] * 5}
MINUTES = {"hourglass": 70, "autoencoder": 2, "modified": 70, "device": "GeForce GTX 1070"}
NEAREST = {"medians": (16.0, 2.0), "keypoints": 17}
SHARES = {"train": 0.887, "val": 0.877}


def parted(value, half):
    return {"auc": around(value, half), "misplaced": around(0.1)}


def traits(*values, half=0.03):
    return {"traits": {f"trait {i}": around(v, half) for i, v in enumerate(values)}}


def two_best(*gaps, half=0.005):
    return {"best": [2, 2, 2, 2, 3], "apart": {k: around(v, half) for k, v in enumerate(gaps, 3)}}


# For each claim the numbers under which it holds, fails, and is undecided; a level can't be undecided.
CASES = {
    "C1": (COUNTED, COUNTED | {"full": 5_000}, None),
    "C2": tuple(LATE | {"rise": around(v)} for v in (0.05, -0.05, 0.005)),
    "C3": tuple({"effect": around(v)} for v in (0.05, -0.05, 0.005)),
    "C4": tuple({"best": THREE, "gap": around(v)} for v in (0.05, -0.05, 0.005)),
    "C5": ({"pck": around(0.45), "source": 0.433}, {"pck": around(0.48), "source": 0.433}, None),
    "C6": ({"pck": around(0.42), "source": 0.441}, {"pck": around(0.40), "source": 0.441}, None),
    "C7": tuple({"left": around(v, 0.1)} for v in (0.1, 0.9, 0.48)),
    "C8": tuple({"gap": around(v, 0.1)} for v in (-0.4, 0.4, -0.05)),
    "C9": tuple({"auc": around(v, 0.03)} for v in (0.95, 0.6, 0.81)),
    "C10": (traits(0.02, -0.05, 0.01), traits(0.02, 0.6, 0.01), traits(0.02, 0.18, 0.01)),
    "C11": tuple(FIFTY | {"cost": around(v, 0.003)} for v in (0.001, 0.1, 0.009)),
    "C12": ({"share": around(0.35)}, {"share": around(0.30)}, None),
    "C13": (two_best(0.05, 0.04), two_best(0.05, -0.04), two_best(0.05, 0.004)),
    "C14": (two_best(0.05, 0.04), two_best(-0.05, -0.04), two_best(0.05, -0.001)),
    "C15": tuple(parted(*v) for v in ((0.9, 0.05), (0.5, 0.05), (0.72, 0.05))),
    "C16": tuple(parted(*v) for v in ((0.9, 0.05), (0.5, 0.05), (0.68, 0.05))),
    "C17": tuple(NEAREST | {"full": around(0.9, 0.1), "sparse": around(v, 0.1)} for v in (0.9, 0.1, 0.55)),
    "C18": tuple({"rise": around(v, 0.004), "epochs": 100} for v in (0.0, 0.05, 0.011)),
    "C19": tuple({"start": around(-0.1), "end": around(v)} for v in (0.05, -0.05, 0.005)),
    "C20": (*({"pck": around(v), "gain": around(0.03), "source": 0.467} for v in (0.46, 0.40)), None),
    "C21": (*({"pck": around(v), "gain": around(0.03), "source": 0.474} for v in (0.48, 0.55)), None),
    "C22": (None, {"visible": SHARES}, None),
    "C23": (*({"original": around(0.33), "modified": around(v)} for v in (0.39, 0.45)), None),
    "C24": tuple({"fewer": around(v, 0.02)} for v in (0.1, -0.1, 0.01)),
    "C25": (
        {"latents": around(560, 9), "codes": around(16, 1), "random": around(9), "projection": around(30)},
        {"latents": around(300, 9), "codes": around(16, 1), "random": around(9), "projection": around(30)},
        None,
    ),
    "C26": (MINUTES, MINUTES | {"autoencoder": 5}, None),
    "C27": tuple({"longer": around(v), "random": around(0)} for v in (0.05, -0.05, 0.005)),
    "C28": tuple({"gap": around(v), "same": [True, False, False, False, False]} for v in (0.05, -0.05, 0.005)),
    "C29": tuple({"gain": around(v, 0.02), "by_lot": around(0.1, 0.02)} for v in (0.1, -0.1, 0.01)),
    "C30": tuple({"fewer": around(v, 0.02)} for v in (0.1, -0.1, 0.01)),
    "C31": tuple(
        {"left": around(a, 0.05), "gap": around(b, 0.05), "control": around(0)}
        for a, b in ((0.2, -0.3), (0.9, -0.3), (0.2, -0.04))
    ),
    "C32": tuple({"gain": around(v)} for v in (0.05, -0.05, 0.005)),
    "C33": tuple(
        {"rand": around(a, 0.04), "auc": around(b, 0.04)} for a, b in ((0.02, -0.05), (0.9, 0.4), (0.19, 0.05))
    ),
    "C34": tuple(
        {"reach": around(v, 0.005), "narrow": around(0.0, 0.005)} for v in (0.02, -0.08, -0.019)
    ),
    "C35": tuple({"more": around(v)} for v in (0.05, -0.05, 0.005)),
    "C36": tuple({"two": around(0.05), "four": around(v)} for v in (0.05, -0.05, 0.005)),
}  # fmt: skip
# Lighter hourglasses: shares of keypoints, and logarithms of ratios of seconds.
QUICK, SLOW, EVEN = (dict.fromkeys(("training", "with loading"), around(v, 0.02)) for v in (-0.3, 0.3, 0.0))
BELOW, ABOVE, OPEN = ({"accuracy": around(v)} for v in (-0.05, 0.05, 0.0))
SAME = {"accuracy": around(0.0, 0.002)}


def two(first, second, a, b, half=0.002):
    return {first: around(a, half), second: around(b, half)}


LONG_ONES = ("six hourglasses", "four blocks")
INFER = [f"{name} inference" for name in ("stacks-6", "blocks-4", "inner-64")]
DEPTHS = [f"{name} {kind}" for name in ("depths-rising", "depths-falling") for kind in ("training", "inference")]
CASES |= {
    "L1": (BELOW | QUICK, BELOW | SLOW, OPEN | QUICK),
    "L2": (SAME | QUICK, BELOW | QUICK, SAME | EVEN),
    **{name: (BELOW, ABOVE, OPEN) for name in ("L3", "L4")},
    "L12": ({"weight": "heavy"} | BELOW, ABOVE, OPEN),
    **{name: (ABOVE, BELOW, OPEN) for name in ("L5", "L11")},
    "L6": (ABOVE | QUICK, ABOVE | SLOW, OPEN | QUICK),
    "L7": (QUICK, SLOW, EVEN),
    "L8": tuple(times | {"jumps": around(-0.05)} for times in (QUICK, SLOW, EVEN)),
    "L9": tuple(
        two("mixed precision", "dropout", a, -0.1) | {"training": around(b, 0.02)}
        for a, b in ((0.0, 0.3), (0.0, -0.3), (0.005, 0.3))
    ),
    "L10": (two("rising", "falling", -0.1, -0.1), two("rising", "falling", -0.1, 0.1), two("rising", "falling", 0, -1)),
    "L13": tuple(two(*LONG_ONES, 0, b) for b in (0, -0.1, 0.005)),
    "L14": tuple(dict.fromkeys(INFER[:2], around(-0.3)) | {INFER[2]: around(v)} for v in (-0.3, 0.3, 0.0)),
    "L15": tuple(dict.fromkeys(DEPTHS[:3], around(0.0)) | {DEPTHS[3]: around(v)} for v in (0.0, -0.3, -0.05)),
}  # fmt: skip
CASES = {claim.id: CASES[claim.id] for claim in CLAIMS}


def case(name, numbers, shut="", seeds=5):
    """A claim with numbers in place of what its columns would give."""
    return considered(replace(BY_ID[name], gather=lambda _: numbers, gates=()), None, seeds, shut)


def verdict(name, numbers, shut=""):
    (row,) = decided([case(name, numbers, shut)])
    return row


@pytest.mark.parametrize("name", list(CASES))
@pytest.mark.parametrize("at", range(3), ids=claim.VERDICTS[:3])
def test_every_claim_gets_its_verdict(name, at):
    numbers = CASES[name][at]
    if numbers is None:
        assert BY_ID[name].number, "a level isn't undecided"
        return
    row = verdict(name, numbers)
    assert row.verdict == claim.VERDICTS[at]
    if at == 2:
        assert "80 % power" in row.reason and row.decidable > 0


@pytest.mark.parametrize("name", list(CASES))
def test_a_shut_gate_keeps_every_claim_from_a_verdict(name):
    row = verdict(name, next(n for n in CASES[name] if n is not None), shut="a gate")
    assert (row.verdict, row.reason, row.p) == (claim.NEEDS, "a gate", None)
    assert row.measured != "–", "what was measured is shown"


@pytest.mark.parametrize("name", [name for name, claim in BY_ID.items() if not claim.number])
def test_a_number_without_an_interval_decides_nothing(name):
    """The same numbers as points: 1.00 (1.00 to 1.00) is no certainty."""

    def point(value):
        if isinstance(value, dict):
            return {key: point(v) for key, v in value.items()}
        return replace(value, low=value.value, high=value.value) if isinstance(value, Estimate) else value

    for numbers in CASES[name][:2]:
        assert verdict(name, point(numbers)).verdict == claim.UNDECIDED


def test_every_claim_has_its_rule_source_and_family():
    assert [one.id for one in CLAIMS] == [f"C{n}" for n in range(1, 37)] + [f"L{n}" for n in range(1, 16)]
    for one in CLAIMS:
        assert len(one.rule) > 40 and one.sentence.endswith(".") and one.source and one.value
        assert one.family in claim.FAMILIES
        if one.family != "lighter" and not one.number:
            assert claim.competent in one.gates, "nothing is said of a network that knows nothing"
    assert sum(SIZES.values()) == sum(not one.number for one in CLAIMS)


def test_every_label_behind_a_claim_exists():
    written = "".join(p.read_text(encoding="utf8") for p in (ROOT / "notebooks").glob("*.ipynb"))
    written += "".join(p.read_text(encoding="utf8") for p in (ROOT / "notebooks" / "figures").rglob("*.py"))
    labels = set(re.findall(r'"((?:fig|tbl)-[a-z0-9-]+)\\?"', written))  # in a cell's source quotes are escaped
    assert {label for claim in CLAIMS for label in claim.shown} <= labels


# What a part of a claim does to the whole


def test_each_part_can_make_a_claim_fail():
    """A rise that comes too late, or while the training loss rises as well, is no overfitting."""
    rise = {"rise": around(0.05)}
    assert verdict("C2", LATE | rise | {"lowest": [41] * 5}).verdict == claim.FAILS
    parts = verdict("C2", LATE | rise | {"lowest": [41, 30, 30, 30, 30]})
    assert parts.verdict == claim.UNDECIDED and parts.reason == "a part of it is so in some seeds and not in others"
    assert verdict("C2", LATE | rise | {"falling": [False] * 5}).verdict == claim.FAILS
    assert verdict("C4", {"best": THREE | {"val_loss": [47] * 5}, "gap": around(0.05)}).verdict == claim.FAILS
    cheap = FIFTY | {"cost": around(0.001, 0.003)}
    assert verdict("C11", cheap | {"own": [3] * 5}).verdict == claim.FAILS
    assert verdict("C11", cheap | {"own": [3, 1, 1, 1, 1]}).verdict == claim.UNDECIDED
    assert verdict("C19", {"start": around(0.1), "end": around(0.1)}).verdict == claim.FAILS
    assert verdict("C31", {"left": around(0.2), "gap": around(0.3), "control": around(0)}).verdict == claim.FAILS
    assert verdict("C34", {"reach": around(0.1), "narrow": around(-0.1)}).verdict == claim.FAILS
    assert verdict("L8", QUICK | {"jumps": around(0.2)}).verdict == claim.FAILS
    assert verdict("C1", COUNTED | {"persons": 149_812}).verdict == claim.FAILS
    assert verdict("C1", COUNTED | {"kept val": 6_352}).verdict == claim.FAILS


def test_what_a_claim_asks_of_its_number_is_kept_beside_it():
    """Of the number that decides alone, whatever else a rule asks for."""
    asked = {name: verdict(name, CASES[name][0]).facts()["asked"] for name in ("C9", "C19", "C33", "C18")}
    assert asked == {
        "C9": {"above": 0.8},
        "C19": {"above": 0.0},
        "C33": {"below": 0.2, "above": -0.2},
        "C18": {"below": 0.01},
    }
    assert verdict("C1", COUNTED).facts()["asked"] == {}
    assert verdicts.asked(verdict("C33", CASES["C33"][0]).facts()) == " (asked: below 0.2 and above −0.2)"
    assert verdicts.asked(verdict("C1", COUNTED).facts()) == "" == verdicts.asked(verdicts.NOTHING)


def test_one_epoch_under_two_names_decides_nothing():
    row = verdict("C28", {"gap": around(0), "same": [True] * 5})
    assert row.verdict == claim.NEEDS and row.p is None and "both chains are one" in row.reason
    assert verdict("C28", {"gap": around(0.05), "same": [True, False, True, True, True]}).p is not None


def test_another_device_is_no_judge_of_hours():
    row = verdict("C26", MINUTES | {"device": "NVIDIA H200"})
    assert row.verdict == claim.NEEDS and "1070" in row.reason and "70 min on NVIDIA H200" in row.measured


def test_visible_keypoints_few_enough_would_let_both_numbers_stand():
    row = verdict("C22", {"visible": {"train": 0.80, "val": 0.9}})
    assert row.verdict == claim.NEEDS and "at most 82.3 % could be" in row.measured
    assert "88.7 % of train, 87.7 % of val" in verdict("C22", {"visible": SHARES}).measured


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("C8", {"gap": UNKNOWN}),
        ("C9", {"auc": UNKNOWN}),
        ("C10", {"traits": {}}),
        ("C15", {"auc": UNKNOWN, "misplaced": UNKNOWN}),
        ("C23", {"original": UNKNOWN, "modified": UNKNOWN}),
        ("C29", {"gain": UNKNOWN, "by_lot": UNKNOWN}),
        ("C33", {"rand": UNKNOWN, "auc": UNKNOWN}),
    ],
)
def test_what_the_data_lack_is_said(name, numbers):
    row = verdict(name, numbers)
    assert row.verdict == claim.NEEDS and row.reason.startswith("other data: ") and row.measured == "–"


# Families


def test_a_family_is_as_large_as_its_claims():
    """A claim's verdict doesn't hang on which others of its family could be judged."""
    near = {"left": Estimate(0.4, 0.31, 0.49, CROSSED)}
    assert case("C7", near).finding.decision.p < 0.05 and SIZES["skips"] == 3
    alone = verdict("C7", near)
    assert alone.verdict == claim.UNDECIDED and "Holm" in alone.reason
    others = [case("C8", CASES["C8"][0]), case("C31", CASES["C31"][0])]
    together = {row.id: row.verdict for row in decided([case("C7", near), *others])}
    assert together == {"C7": claim.HOLDS, "C8": claim.HOLDS, "C31": claim.HOLDS}, "steps down as Holm does"
    shut = {
        row.id: row
        for row in decided([case("C7", near), *(replace(c, verdict="needs", reason="a gate") for c in others)])
    }
    assert shut["C7"].verdict == claim.UNDECIDED and shut["C8"].verdict == claim.NEEDS
    foreign = [case(name, CASES[name][2]) for name in CASES if BY_ID[name].family != "skips" and CASES[name][2]]
    assert decided([case("C7", near), *foreign])[0].verdict == claim.UNDECIDED


def test_a_level_without_spread_says_nothing():
    with pytest.raises(Lacking, match="no spread"):
        BY_ID["C6"].judge({"pck": Estimate.of(0.441, np.nan, 0, CROSSED), "source": 0.441})


# COCO's annotations


def test_a_house_without_the_table_says_what_makes_it(house):
    for name in ("C1", "C22"):
        made = considered(BY_ID[name], None, 0)
        assert "benchmarks/annotations.py" in made.reason and made.finding is None


def test_counts_of_a_made_up_split(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from annotations import counted

    visibility = np.zeros((4, 17), int)
    visibility[0] = 2
    visibility[1, :6], visibility[2, :3] = 1, 2
    made = counted(visibility, np.array([[0.5, 0.5], [0.1, 0.1], [0.5, 0.5], [1, 1]]), np.array([1, 1, 2, 3]))
    assert made["photographs"] == 3 and made["by_labelled"][0] == 1 and made["by_labelled"][17] == 1
    assert made["by_persons"] == [0, 2, 1] and [column[0] for column in made["by_keypoint"]] == [1, 1, 2]
    shares = annotated.Annotated({"train": made, "val": made | {"by_persons": [0, 4]}}).shares("by_persons")
    assert shares.tolist() == [0, 6 / 7, 1 / 7], "photographs of both splits, however full the fullest of each"
    kept = made["kept"]
    assert kept[annotated.ALL] == {"persons": 3, "full": 1, "visible": 20, "hidden": 6}
    assert kept["6 or more labelled"]["persons"] == 2 and kept["4 or more visible"]["persons"] == 1
    assert kept["box of 2 % or more"]["persons"] == 2


def test_the_kept_table_says_what_the_sources_numbers_are_worth():
    """C1 and C22 on the annotations of the whole of COCO, and the loss of silence of ambiguity 2."""
    table = annotated.load()
    assert table
    row = verdict("C1", BY_ID["C1"].gather(None))
    assert row.verdict == claim.HOLDS and "149,813 persons (156,165 with validation)" in row.measured
    assert table.counts["full"] == 7_017, "the thesis's own number, if its filter doesn't ask how much is labelled"
    assert verdict("C22", BY_ID["C22"].gather(None)).verdict == claim.FAILS
    assert [round(1e5 * silence.on_coco(table, split), 2) for split in annotated.SPLITS] == [5.89, 5.72]
    assert round(1e5 * silence.on_coco(table, "val", "6 or more labelled"), 2) == 6.41
    assert silence.on_coco(table, "val", reading="σ as in 8.2") < 2.1e-5
    assert silence.of_coco() == pytest.approx((0.685, 0.901), abs=1e-3) and silence.of_coco("σ as in 8.2")[0] > 2
    assert all(table.off(name) > 0.03 for name in annotated.FILTERS), "no filter tried fits both splits"


def test_the_kept_table_is_that_of_the_annotations(real, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    from annotations import count

    where = real("coco-labels") / "person_keypoints_2017.npz"
    assert count(where)["splits"] == annotated.load().splits
