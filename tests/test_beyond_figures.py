"""Chapter 07's figures on made-up records: what they say is what was put in."""

import re

import numpy as np
import pytest
from made_up import outcomes
from scipy import stats

from figures import ch07
from figures.page import Note, Plate, Table
from hgnb import records
from hgnb.analysis import components, interventions, truncation
from hgnb.analysis.truncation import Truncation
from hgnb.stats import UNKNOWN, Estimate
from hgnb.training import networks, passes
from hgnb.training.observations import RADII, Outcomes
from hgnb.training.passes import MIRRORED

WAYS = [*ch07.WAYS, *(name + MIRRORED for name in ch07.WAYS)]


def outcome(name, pck, loss=0.9, seconds=60.0, epochs=10):
    """(facts, columns) of a training of 1,000 visible keypoints, one a person, whose PCK grows with the radius."""
    below = np.round(1000 * np.clip(pck * np.array(RADII) / 0.5, 0, 1)).astype(int)
    codes = np.searchsorted(below, np.arange(1000), side="right").astype(np.uint8)[:, None]
    columns = {
        "gaps": codes, "epochs/val_loss": np.linspace(2, loss, epochs) * 2e-4,
        "epochs/val_pck": np.linspace(pck / 2, pck, epochs), **{f"decoded/{way}": codes for way in WAYS},
    }  # fmt: skip
    facts = {
        "run": f"{name}-run", "parameters": 100, "epochs": epochs, "seconds": seconds, "silent": 2e-4,
        "oks_ap": None if name == "he" else 0.1, "date": "2026-11-21T10:00:00Z", "device": "a processor",
    }  # fmt: skip
    return facts, columns


def record(seeds=5, names=(), better=0.6, lost=()):
    """The thesis's numbers at 0.1, a gentle start at 0.2, Newell's targets at 0.4, the best at `better`; without the
    (training, seed) pairs of `lost`."""
    level = {"thesis": 0.1, "gentle": 0.2, "peak-1": 0.4, "best": better, "adam": 0.15}
    rng = np.random.default_rng(0)
    names = names or [c.name for c in networks.BEYOND]
    made = {(n, s): outcome(n, level.get(n, 0.2) + 0.01 * rng.normal()) for n in names for s in range(seeds)}
    return laid_down({pair: one for pair, one in made.items() if pair not in lost})


def laid_down(made) -> Outcomes:
    """A record of what `outcome` gives, by training and seed."""
    return outcomes("beyond", made, np.arange(1000), [600, 150, 150])


def test_a_gain_is_paired_over_seeds():
    made, change = record(), networks.get("peak-1")
    a, b = ([o.pck["all"].found / 1000 for o in made.of(n)] for n in ("peak-1", "gentle"))
    gap = np.subtract(a, b)
    low, high = stats.t.interval(0.95, 4, gap.mean(), stats.sem(gap))
    found = ch07.gain(made, change)
    assert (found.value, found.low, found.high) == pytest.approx((gap.mean(), low, high))
    missing = record(lost={("gentle", 0)})
    assert ch07.paired(missing, change) == pytest.approx(gap[1:]), "a seed without its pair is left out"


def test_the_single_change_that_explains_most_is_named():
    text = ch07.explained(record()).text
    assert "Of single changes on a gentle start, 'Peak 1, σ 1' explains most" in text
    assert "'Adam'" in text.split("that lose: ")[-1], "and what harms is said to harm"
    assert "times as much" in text and "decided" not in text
    # the best starts at half of its PCK, far above the thesis's best: in the first of ten epochs
    assert "in 5 of 5 seeds, after 10 %" in text
    assert "With 2 seeds none of this is decided" in ch07.explained(record(2)).text
    slow = laid_down({(n, 0): outcome(n, p) for n, p in (("thesis", 0.5), ("best", 0.4))})
    assert "In no seed" in ch07.explained(slow).text
    twice = laid_down({("thesis", 0): outcome("thesis", 0.3), ("best", 0): outcome("best", 0.5, seconds=120.0)})
    assert "after 60 %" in ch07.explained(twice).text, "three epochs of ten, twice as slow"


@pytest.mark.parametrize("made", [record(1, ("thesis", "peak-1")), record(2, ("thesis", "gentle", "he", "best"))])
def test_figures_of_a_record_are_whole(made):
    for shown in (ch07.plateau_curves(made), ch07.gains(made), ch07.radii(made)):
        assert isinstance(shown, Plate) and shown._repr_mimebundle_()[0]["image/png"][:4] == b"\x89PNG"
        assert "nan" not in shown.alt and "nan" not in shown.caption
    for shown in (ch07.table(made), ch07.by_decoding(made)):
        assert isinstance(shown, Table) and "make beyond PROFILE=small SEEDS=" in shown.caption
        assert not re.search(r"\bnan\b", shown.markdown())
    pairs = len(made.seeds) > 1
    assert ("2 changes" in ch07.gains(made).alt) == pairs
    assert ("No change here" in ch07.gains(made).alt) != pairs


def test_without_a_record_the_page_says_so(house):
    for make in (ch07.plateau_curves, ch07.gains, ch07.radii):
        assert isinstance(make(None), Plate) and "make beyond" in make(None).alt
    for note in (*(make(None) for make in (ch07.table, ch07.by_decoding, ch07.explained)), ch07.elsewhere()):
        assert isinstance(note, Note) and "make beyond" in note.text


def test_other_records_are_held_beside(monkeypatch):
    """A row a record, with the mean of its seeds, and how often the best holds the thesis's PCK."""
    made = {"one": record().record, "other": record(seeds=1, better=0.3).record}
    monkeypatch.setattr(records, "folders", lambda study: list(made))
    monkeypatch.setattr(records, "read", made.get)
    text, first = ch07.elsewhere().markdown(), Outcomes(made["one"])
    best, base = (ch07.mean(first, name) for name in ("best", "thesis"))
    assert f"{best:.3f}" in text and text.count("small on embedded") == 2
    assert f"{best / base:.1f} (All four with peak 1, σ ½)" in text


def test_decodings_name_the_best_one():
    rng = np.random.default_rng(0)
    offsets = {name: rng.normal(0, 3.0 if "dark" not in name else 1.0, (20, 3, 2)) for name in WAYS}
    made = passes.Decodings(offsets, np.full((20, 3), 2), np.arange(20), 6.4)
    assert "top of a parabola" in ch07.decodings(made, "twenty persons").alt.split("best decoding")[1]


def test_the_least_part_is_named():
    rng, whole, parts = np.random.default_rng(0), np.ones((30, 4), bool), []
    for name, share in (("encoder.0", 0.2), ("bottleneck", 0.9), ("skips.0", 0.6)):
        some = rng.random((30, 4)) < share
        kept = Truncation({0: some, 1: some, 4: whole}, whole, np.full((30, 4), 2), np.arange(30))
        parts.append(truncation.Part(name, components.principal(rng.normal(size=(50, 4))), kept))
    shown = ch07.redundancy(parts, 50)
    assert "replaces the encoder, level 1" in shown.alt and "for the bottleneck" in shown.alt
    assert ch07.within(parts[2]) == "skip at level 1" and "skip, level 1 4" in shown.alt


def test_what_moving_did_is_drawn():
    down, steps = Estimate(-0.1, -0.15, -0.05), (0.5, 1.0)
    places = (interventions.ACROSS, interventions.ASTRAY)
    ways = [(who, where) for who in ("misplaced", "well placed") for where in places]
    moves = [interventions.Moved(who, where, step, down, 9) for who, where in ways for step in steps]
    shown = ch07.correction({"latents": (interventions.Bound(Estimate(0.1, 0.05, 0.15), 9, 40), moves)})
    assert "changes PCK by −0.100 (−0.150 to −0.050)" in shown.alt
    assert "nothing to correct" in ch07.correction({"latents": (interventions.Bound(UNKNOWN, 0, 0), [])}).alt
