"""What is said of a verdict over several sizes and readings, on ledgers whose answer is known."""

import json
import re
from dataclasses import replace

import made_up
import numpy as np
import pytest
from conftest import ROOT

from figures import elsewhere
from hgnb.claims import carried
from hgnb.claims.claim import FAILS, HOLDS, NEEDS, UNDECIDED
from hgnb.claims.ledger import Result
from hgnb.stats import holm
from hgnb.training.networks import CHANGES, get

CLAIM = "C7"
SURE = {HOLDS: (1e-6, 1 - 1e-6), FAILS: (1 - 1e-6, 1e-6), UNDECIDED: (0.2, 0.8), NEEDS: None}


def ledger(verdict: str, value: float = 0.1, seeds: int = 5, **others: str) -> Result:
    """In which one claim has a verdict, and `others` by their ids; all else waits."""
    rows, words = [], {CLAIM: verdict, **others}
    for claim in carried.CLAIMS:
        word = words.get(claim.id, NEEDS)
        estimate = {
            "value": value, "low": value - 0.05, "high": value + 0.05, "over": "seeds", "freedom": 4, "seeds": 5,
            "photographs": 0,
        }  # fmt: skip
        facts = {"id": claim.id, "sentence": claim.sentence, "verdict": word, "sides": SURE[word], "measured": "m"}
        facts |= {"asked": {"below": 0.5}, "seeds": seeds}
        rows.append(facts | {"estimate": estimate if claim.id in words else None, "reason": ""})
    return Result(rows, made_up.chain([{"hourglass": 0.4}] * seeds, "drawn", "embedded"))


def over(own: str, *others: str, study: str = "scale") -> dict[str, Result]:
    return {"": ledger(own)} | {name: ledger(word) for name, word in zip(CHANGES[study], others, strict=False)}


@pytest.mark.parametrize(
    ("own", "others", "said"),
    [
        (HOLDS, [HOLDS] * 8, carried.CARRIES),
        (FAILS, [FAILS] * 8, carried.CARRIES),
        (HOLDS, [*[HOLDS] * 7, UNDECIDED], UNDECIDED),  # the weakest size counts
        (HOLDS, [*[HOLDS] * 7, FAILS], carried.TURNED),
        (FAILS, [*[UNDECIDED] * 7, HOLDS], carried.TURNED),
        (HOLDS, [*[HOLDS] * 4, *[NEEDS] * 4], carried.CARRIES),  # five are judged
        (HOLDS, [*[HOLDS] * 3, *[NEEDS] * 5], NEEDS),
    ],
)
def test_a_verdict_carries_where_every_size_gives_it_and_turns_where_one_decides_the_contrary(own, others, said):
    (one,) = carried.carried(over(own, *others))
    assert (one.id, one.own, one.verdict) == (CLAIM, own, said)
    assert one.stands == 1 + others.count(own) and len(one.judged) == 1 + len(others) - others.count(NEEDS)
    assert said in elsewhere.carrying([one]) or said in (UNDECIDED, NEEDS)


def test_a_size_of_too_few_seeds_is_not_counted_as_recorded():
    begun = over(HOLDS, *[HOLDS] * 6) | {CHANGES["scale"][6]: ledger(NEEDS, seeds=2)}
    told = elsewhere.carrying(carried.carried(begun))
    assert told.startswith("7 of 9 sizes are recorded; of 1 decided verdicts") and len(begun) == 8


def test_what_the_profile_itself_does_not_decide_is_not_followed():
    assert carried.carried(over(UNDECIDED, *[HOLDS] * 8)) == [] == carried.carried({})


def test_a_trend_is_a_line_over_the_logarithm_of_size():
    found = over(HOLDS, *[HOLDS] * 8)
    rng = np.random.default_rng(0)
    at = np.array([carried.size(change) for change in found])
    assert at.tolist() == [0, -4, -2, 0, -2, 2, 0, 2, 4]  # twice as wide is four times as large
    values = 0.3 + 0.02 * at + 0.001 * rng.standard_normal(len(at))
    found = {change: ledger(HOLDS, value) for change, value in zip(found, values, strict=True)}
    (one,) = carried.carried(found, trends=True)
    assert one.trend.value == pytest.approx(np.polyfit(at, values, 1)[0]) and carried.trended(one) == "rises"
    plain = 2 * min(one.trend.tail(0), one.trend.head(0))
    assert one.p_trend == pytest.approx(holm(np.array([plain]))[0])
    (flat,) = carried.carried(over(HOLDS, *[HOLDS] * 8), trends=True)
    assert carried.trended(flat) == "no clear trend"


def test_readings_count_what_stands_turns_and_is_open_and_what_moves_most():
    found = over(HOLDS, HOLDS, FAILS, NEEDS, study="readings")
    far = next(iter(CHANGES["readings"]))
    found[far] = ledger(HOLDS, 0.4)
    stands, turns, shut = carried.readings(found)
    assert (stands.changed, turns.changed, shut.changed) == ([], ["C7 fails, not holds"], [])
    assert shut.count((HOLDS, FAILS), (UNDECIDED, NEEDS)) == 1 and shut.farthest[0] == ""
    error = 0.05 / 2.7764451  # Student's quantile for four degrees of freedom
    assert stands.farthest == ("C7", pytest.approx(0.3 / (error * 2**0.5), rel=1e-4))
    table = elsewhere.readings_table(found).rows
    assert table["Verdicts that stand"].tolist()[:3] == ["1 of 1", "0 of 1", "–"]
    assert table["Open now"].tolist()[:3] == ["–", "–", "1 not judged"]
    unreached = found | {"noise-e": ledger(FAILS, 0.2)}
    assert elsewhere.readings_table(unreached).rows["Verdicts that stand"].tolist()[7] == "–"
    assert "noise-e" not in carried.carried(unreached)[0].judged and "of which" not in elsewhere.depending(found)
    again = next(one for one in carried.readings(unreached) if one.change == "noise-e")
    assert again.farthest == ("", pytest.approx(np.nan, nan_ok=True))
    assert again.repetition == ("C7", pytest.approx(0.1 / (error * 2**0.5), rel=1e-4))
    aside = {"": ledger(HOLDS, C27=UNDECIDED), far: ledger(HOLDS), "noise-e": ledger(HOLDS, C27=UNDECIDED)}
    assert elsewhere.depending(aside).startswith(
        "Of 2 other readings, 1 of which leaves alone what the decided verdicts are about, none turns a verdict; "
    )
    aside["noise-e"] = ledger(HOLDS, 0.2, C27=UNDECIDED)
    assert "by 11.8 standard errors, where a mere repetition moves {ref}`C7 <claim-c7>` by 3.9." in elsewhere.depending(
        aside | {far: ledger(HOLDS, 0.4)}
    )
    assert table["Turned"].tolist()[:3] == ["–", "C7 fails, not holds", "–"]
    assert table["Test PCK"].tolist()[3:] == ["not recorded"] * (len(CHANGES["readings"]) - 3)
    assert "these turn a verdict: C7 fails, not holds" in elsewhere.depending(found)
    assert "; C7 in 2 of 3, the book's own counted; " in elsewhere.depending(found)
    assert "; C7 is decided alike by every reading that judges it; " in elsewhere.depending(
        over(HOLDS, HOLDS, NEEDS, study="readings")
    )
    weak = f"; *{shut.title}* can't be judged, for its networks find too little."
    assert elsewhere.depending(found).endswith(f"{weak} 3 of 13 are recorded ({{numref}}`tbl-readings`).")
    few = found | {far: ledger(NEEDS, seeds=2)}  # it goes on, and isn't counted yet
    assert f"*{stands.title}*" not in elsewhere.depending(few)
    assert elsewhere.depending(few).endswith("2 of 13 are recorded ({numref}`tbl-readings`).")
    assert elsewhere.readings_table(few).rows["Test PCK"].tolist()[:2] == ["m (2 of 5 seeds)", "m"]
    said = elsewhere.depending(over(HOLDS, NEEDS, study="readings"))  # recorded by too few seeds, or networks too weak
    assert "none is recorded well enough to judge" in said and "turns a verdict" not in said


def test_every_ambiguity_is_tried_or_named_as_not_tried():
    cells = json.loads((ROOT / "notebooks/08_how_far.ipynb").read_text(encoding="utf8"))["cells"]
    (told,) = (text for cell in cells if "have no row" in (text := "".join(cell["source"])))
    left = {int(number) for number in re.findall(r"<ambiguity-(\d+)>", told)}
    tried = {int(get(name).source.removeprefix("ambiguity ").split(";")[0]) for name in CHANGES["readings"]}
    entries = re.findall(r"^\(ambiguity-(\d+)\)=", (ROOT / "book/ambiguities.md").read_text(encoding="utf8"), re.M)
    assert not left & tried and left | tried == set(map(int, entries))


def test_a_page_without_such_records_says_what_makes_them(house):
    assert carried.ledgers("scale") == {} == carried.ledgers("readings")
    assert "make scale" in elsewhere.scale([], None).alt and "make readings" in elsewhere.depending({})
    assert "make readings" in elsewhere.specification([]).alt


def test_both_figures_draw_every_decided_claim():
    found = over(HOLDS, *[HOLDS] * 7, FAILS)
    sizes = elsewhere.scale(carried.carried(found, trends=True), replace(ledger(NEEDS)))
    (panel,) = (ax for ax in sizes.figure.axes if ax.get_title())
    dashed = [line.get_ydata()[0] for line in panel.lines if line.get_linestyle() == "--"]
    assert panel.get_title() == "C7 holds ✓ turns" and dashed == [0.5]
    readings = elsewhere.specification(carried.carried(over(HOLDS, *[HOLDS] * 12, study="readings")))
    above, below = (ax for ax in readings.figure.axes if ax.lines)
    # three readings of 13, of the autoencoder, leave the hourglass that the claim is about as it was
    assert len(below.lines) == 10 and above.get_title() == "C7 holds ✓ 10 of 10"


def test_the_domain_gap_tells_what_is_kept_and_what_both_kinds_bring():
    row, names = {"low": 0.1, "high": 0.3, "seeds": [0.1, 0.3]}, tuple(elsewhere.TRAINED)
    levels = {"drawn people": (0.6, 0.1, 0.55), "photographs": (0.15, 0.4, 0.41)}
    worse, same = {"value": -0.05, "low": -0.08, "high": -0.02}, {"value": 0.01, "low": -0.02, "high": 0.04}
    held = {
        "code": "of before", "profile": "small", "seeds": 2, "floor": {"drawn people": 0.09, "photographs": 0.08},
        "persons": {name: {"train": 3000, "test": 600} for name in names},
        "pck": {
            tested: {name: row | {"value": value} for name, value in zip(names, made, strict=True)}
            for tested, made in levels.items()
        },
        "gain": {
            "drawn people": {"photographs": row | {"value": -0.5}, "both": worse},
            "photographs": {"drawn people": row | {"value": -0.25}, "both": same},
        },
    }  # fmt: skip
    said = elsewhere.crossing(held)
    assert "on photographs a network trained on drawn people finds 0.150 of the keypoints, where one" in said
    assert "adds −0.050 (−0.080 to −0.020) on drawn people and 0.010 (−0.020 to 0.040) on photographs" in said
    assert said.endswith("Stale: the code that trains has changed since.")
    photographs, drawn = elsewhere.gap(held).figure.axes
    assert photographs.get_title() == "tested on photographs" and drawn.get_title() == "tested on drawn people"
    marks = [line.get_xdata()[0] for line in photographs.lines if line.get_marker() in "osD"]
    assert marks == [0.15, 0.4, 0.41]
    assert "benchmarks/gap.py" in elsewhere.gap({}).alt


def test_a_size_or_reading_whose_training_diverged_says_so():
    found = over(HOLDS, HOLDS)
    for seed in found[""].record.seeds[1:3]:
        seed.failed["autoencoder"] = f"The loss of it became inf in step 1{seed.number}, on the persons 1, 2."
    own, other = elsewhere.shut(found).text.splitlines()
    lost = "`autoencoder` of seeds 1 and 2 failed, the first: The loss of it became inf in step 11."
    assert " 5 seeds in " in own and own.endswith(f" hours of a core; {lost}")
    assert "failed" not in other
    found = over(HOLDS, HOLDS, HOLDS, study="readings")
    *_, second = found
    assert "failed" not in elsewhere.readings_table(found).caption
    found[second].record.seeds[1].failed["autoencoder"] = "The loss of it became inf in step 19, on the persons 1, 2."
    lost = "`autoencoder` of seed 1 failed: The loss of it became inf in step 19."
    assert elsewhere.readings_table(found).caption.endswith(f" *{elsewhere.called(second)}*: {lost}")
