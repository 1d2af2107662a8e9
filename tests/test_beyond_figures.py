"""Chapter 07's figures on made-up records: what they say is what was put in."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from made_up import outcomes
from scipy import stats

from figures import ch07
from figures.page import Note, Plate, Table
from figures.verdicts import Column
from hgnb import records
from hgnb.analysis import components, interventions, truncation
from hgnb.analysis.truncation import Truncation
from hgnb.stats import UNKNOWN, Estimate
from hgnb.training import networks, passes
from hgnb.training.observations import RADII, Outcomes
from hgnb.training.passes import MIRRORED

POSE = np.full(len(RADII), 0.048)
WAYS = [*ch07.WAYS, *(name + MIRRORED for name in ch07.WAYS)]


def outcome(name, pck, wide=1.0, loss=0.9, seconds=60.0, epochs=10):
    """(facts, columns) of a training of 1,000 visible keypoints, one a person: a PCK of `pck` at radius 0.5, growing to
    `wide` at the largest."""
    below = np.round(1000 * np.interp(RADII, [0, 0.5, RADII[-1]], [0, pck, wide])).astype(int)
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
    numbers = {"data": {"side": 64}, "training": {"rate": 1e-3}}
    return outcomes("beyond", made, np.arange(1000), [600, 150, 150], numbers=numbers)


def test_a_gain_is_paired_over_seeds():
    made, change = record(), networks.get("peak-1")
    a, b = ([o.pck["all"].found / 1000 for o in made.of(n)] for n in ("peak-1", "gentle"))
    gap = np.subtract(a, b)
    low, high = stats.t.interval(0.95, 4, gap.mean(), stats.sem(gap))
    found = ch07.gain(made, change)
    assert (found.value, found.low, found.high) == pytest.approx((gap.mean(), low, high))
    missing = record(lost={("gentle", 0)})
    assert ch07.paired(missing, change) == pytest.approx(gap[1:]), "a seed without its pair is left out"


def test_the_single_change_that_gains_most_is_named():
    text = ch07.explained(record(), POSE).text
    assert "Of single changes on a gentle start, 'Peak 1, σ 1' gains most" in text
    assert "'Adam'" in text.split("that lose: ")[-1], "and what harms is said to harm"
    assert "looks at no image, has 0.048" in text and "decided" not in text
    assert "With 2 seeds none of this is decided" in ch07.explained(record(2), POSE).text


def test_what_was_expected_is_judged():
    """Quiet first weights gain, a small rate loses, and a warm-up changes nothing."""
    levels = {"thesis": 0.1, "gentle": 0.2, "quiet-start": 0.2, "warm-up": 0.1, "rate-2.5e-4": 0.1, "rate-4e-3": 0.3}
    nudged = {(n, s): p + 0.002 * (s * k % 5) for k, (n, p) in enumerate(levels.items(), 1) for s in range(5)}
    text = ch07.expected(laid_down({(n, s): outcome(n, p) for (n, s), p in nudged.items()}))
    assert "weights help: 0.100" in text and "alone do neither clearly: 0.000" in text
    assert "throughout harm: −0.1" in text and "in place of 0.001" in text and "has 10 epochs" in text
    assert ch07.expected(record(names=("thesis", "gentle"))) == ""


def test_a_gain_that_turns_with_the_radius_is_listed():
    """On 16 cells the thesis's radius is 0.8 cells and its 3.2 cells are radius 2; Newell's targets win there alone."""
    rng, levels = np.random.default_rng(0), {"gentle": (0.2, 0.6), "peak-1": (0.1, 0.8), "adam": (0.1, 0.5)}
    made = laid_down({
        (n, s): outcome(n, near + 0.01 * rng.random(), far + 0.01 * rng.random())
        for n, (near, far) in levels.items() for s in range(5)
    })  # fmt: skip
    assert RADII[ch07.far(made)] == 2 and "only the very cell counts" in ch07.reach(made.record)
    assert len(ch07.turning(made)) == 1 and "'Peak 1, σ 1' over" in ch07.turning(made)[0]
    assert "radius 2 the sign of 1 gains" in ch07.gains(made).alt
    made.record.about["numbers"]["data"]["side"] = 128
    assert "1.6 cells; as far as the thesis's 3.2 cells is radius 1 here" in ch07.reach(made.record)
    made.record.about["numbers"]["data"]["side"] = 256
    assert not ch07.reach(made.record) and not ch07.turning(made)


def test_profiles_are_told_apart_by_their_numbers():
    told = ch07.begun(record())
    assert "`training.rate` 0.001 (0.00025)" in told and "threads" not in told and "output_gain" not in told
    told = ch07.parted([Column.of(SimpleNamespace(record=SimpleNamespace(profile="drawn", data="embedded"), stale=()))])
    assert "`better` differs from `drawn`" in told and "`training.rate` 0.004 (0.001)" in told


@pytest.mark.parametrize("made", [record(1, ("thesis", "peak-1")), record(2, ("thesis", "gentle", "he", "best"))])
def test_figures_of_a_record_are_whole(made):
    for shown in (ch07.plateau_curves(made), ch07.gains(made), ch07.radii(made, POSE)):
        assert isinstance(shown, Plate) and shown._repr_mimebundle_()[0]["image/png"][:4] == b"\x89PNG"
        assert "nan" not in shown.alt and "nan" not in shown.caption
    for shown in (ch07.table(made), ch07.by_decoding(made)):
        assert isinstance(shown, Table) and "make beyond PROFILE=small SEEDS=" in shown.caption
        assert not re.search(r"\bnan\b", shown.markdown())
    pairs = len(made.seeds) > 1
    assert ("2 changes" in ch07.gains(made).alt) == pairs
    assert ("No change here" in ch07.gains(made).alt) != pairs


def test_without_a_record_the_page_says_so(house):
    for made in (ch07.plateau_curves(None), ch07.gains(None), ch07.radii(None, POSE)):
        assert isinstance(made, Plate) and "make beyond" in made.alt
    for note in (ch07.table(None), ch07.by_decoding(None), ch07.explained(None, POSE), ch07.elsewhere()):
        assert isinstance(note, Note) and "make beyond" in note.text


def test_other_records_are_held_beside(monkeypatch):
    """A row a record, with the mean of its seeds."""
    made = {"one": record().record, "other": record(seeds=1, better=0.3).record}
    monkeypatch.setattr(records, "folders", lambda study: list(made))
    monkeypatch.setattr(records, "read", made.get)
    text, first = ch07.elsewhere().markdown(), Outcomes(made["one"])
    assert f"{ch07.mean(first, 'best'):.3f}" in text and text.count("small on embedded") == 2


def test_decodings_say_what_the_parabola_with_mirror_reaches():
    rng = np.random.default_rng(0)
    offsets = {name: rng.normal(0, 3.0 if "dark" not in name else 1.0, (20, 3, 2)) for name in WAYS}
    made = passes.Decodings(offsets, np.full((20, 3), 2), np.arange(20), 6.4)
    reached = f"top of a parabola, with mirror, {made.pck('dark' + MIRRORED, 0.1).value:.3f} at 0.1"
    assert reached in ch07.decodings(made, "twenty persons").alt


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
    shown = ch07.correction({"latents": (interventions.Raised(Estimate(0.1, 0.05, 0.15), 9, 40), moves)})
    assert "changes PCK by −0.100 (−0.150 to −0.050)" in shown.alt
    assert "nothing to correct" in ch07.correction({"latents": (interventions.Raised(UNKNOWN, 0, 0), [])}).alt
