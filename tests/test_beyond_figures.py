"""Chapter 07's figures on made-up records: what they say is what was put in."""

import re
import shutil

import made_up
import numpy as np
import pytest
from scipy import stats
from test_explain import persons, scattered

from figures import beyond, decoding, elsewhere, plateau, recipes, survival
from figures import correction as correction_figures
from figures import redundancy as redundancy_figures
from figures.page import Note, Plate, Table
from figures.verdicts import Column
from hgnb.analysis import components, interventions, silence, truncation
from hgnb.analysis.truncation import Truncation
from hgnb.claims.ledger import CLAIMS, Result
from hgnb.data.heatmaps import HeatmapConfig
from hgnb.metrics.decoding import decoded
from hgnb.records import Record, Seed
from hgnb.stats import Estimate
from hgnb.training import networks, passes
from hgnb.training.observations import RADII, Outcomes
from hgnb.training.passes import MIRRORED

WAYS = [*decoding.WAYS, *(name + MIRRORED for name in decoding.WAYS)]


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
    told = []
    for s in sorted({seed for _, seed in made}):
        own = {n: one for (n, seed), one in made.items() if seed == s}
        columns = {f"{n}/{key}": column for n, (_, held) in own.items() for key, column in held.items()}
        told.append(Seed(s, {"seed": s, "trainings": {n: facts for n, (facts, _) in own.items()}}, columns))
    persons = {
        "visibility": np.full((1000, 1), 2, np.uint8), "images": np.arange(1000), "headed": np.zeros(1000, bool),
        "names": np.array(["nose"]), "skeleton": np.zeros((0, 2), int), "counts": np.array([600, 150, 150]),
    }  # fmt: skip
    about = {
        "study": "beyond",
        "profile": "small",
        "data": "embedded",
        "code": {"training": "", "data": ""},
        "numbers": {},
    }
    return Outcomes(Record(about, tuple(told), persons))


def test_a_gain_is_paired_over_seeds():
    made = record()
    change = networks.get("peak-1")
    a, b = ([o.pck["all"].found / 1000 for o in made.of(n)] for n in ("peak-1", "gentle"))
    gap = np.subtract(a, b)
    low, high = stats.t.interval(0.95, 4, gap.mean(), stats.sem(gap))
    found = beyond.gain(made, change)
    assert (found.value, found.low, found.high) == pytest.approx((gap.mean(), low, high))
    missing = record(lost={("gentle", 0)})
    assert beyond.paired(missing, "peak-1", "gentle") == pytest.approx(gap[1:]), "a seed without its pair is left out"


def test_the_single_change_that_explains_most_is_named():
    text = beyond.explained(record()).text
    assert "Of single changes on a gentle start, 'Peak 1, σ 1' explains most" in text
    assert "'Adam'" in text.split("clearly lose: ")[-1], "and what harms is said to harm"
    assert "times as much" in text and "decided" not in text
    assert "With 2 seeds none of this is decided" in beyond.explained(record(2)).text


def test_how_soon_the_best_passes_the_thesis():
    made = record(names=("thesis", "best"))
    text = beyond.sooner(made).text
    # it starts at half of its PCK, far above the thesis's best: in the first of ten epochs
    assert "in 5 of 5 seeds, after 10 %" in text
    slow = laid_down({(n, 0): outcome(n, p) for n, p in (("thesis", 0.5), ("best", 0.4))})
    assert "In no seed" in beyond.sooner(slow).text
    twice = laid_down({("thesis", 0): outcome("thesis", 0.3), ("best", 0): outcome("best", 0.5, seconds=120.0)})
    # three epochs of ten, twice as slow
    assert "after 60 %" in beyond.sooner(twice).text


@pytest.mark.parametrize("made", [record(1, ("thesis", "peak-1")), record(2, ("thesis", "gentle", "he", "best"))])
def test_figures_of_a_record_are_whole(made):
    for shown in (beyond.plateau_curves(made), beyond.gains(made), beyond.radii(made)):
        assert isinstance(shown, Plate) and shown._repr_mimebundle_()[0]["image/png"][:4] == b"\x89PNG"
        assert "nan" not in shown.alt and "nan" not in shown.caption
    for shown in (beyond.table(made), beyond.decodings(made)):
        assert isinstance(shown, Table) and "make beyond PROFILE=small SEEDS=" in shown.caption
        assert not re.search(r"\bnan\b", shown.markdown())
    pairs = len(made.seeds) > 1
    assert ("2 changes" in beyond.gains(made).alt) == pairs
    assert ("No change here" in beyond.gains(made).alt) != pairs


def test_without_a_record_the_page_says_so():
    for make in (beyond.plateau_curves, beyond.gains, beyond.radii):
        assert isinstance(make(None), Plate) and "make beyond" in make(None).alt
    for make in (beyond.table, beyond.decodings, beyond.explained, beyond.sooner):
        assert isinstance(make(None), Note)


def test_the_silent_loss_on_the_page_is_the_one_computed():
    split = persons(scattered(8))
    found = {"own": (HeatmapConfig(), silence.silence(split, 64, 16, HeatmapConfig()))}
    table = plateau.silence_table(found, "eight persons", 16).markdown()
    assert plateau.small(found["own"][1].measured) in table and plateau.small(5.15e-5) == "5.15·10⁻⁵"
    assert isinstance(plateau.readings(found["own"][1]), Plate) and "5.2 %" in plateau.blind_spot().alt
    assert "not below that of silence" in plateau.told(3e-4, 2e-4, 0.5, 0.3, 32)
    assert "50 % of silence" in plateau.told(1e-4, 2e-4, 0.5, 0.3, 32)
    # 1 - exp(-3.2² / 2s²) = 0.433 at s = 3.005, which leaves s² / (0.25 + s²) = 0.973 of silence
    assert "3.0 pixels, hence a loss of 0.97 of silence, and silence would cost 5.58·10⁻⁵" in plateau.thesis()


def test_decodings_name_the_best_one():
    rng = np.random.default_rng(0)
    visibility, images = np.full((20, 3), 2), np.arange(20)
    offsets = {name: rng.normal(0, 3.0 if "dark" not in name else 1.0, (20, 3, 2)) for name in WAYS}
    made = passes.Decodings(offsets, visibility, images, 6.4)
    shown = decoding.decodings(made, "twenty persons")
    assert "top of a parabola" in shown.alt.split("best decoding")[1]
    assert "a clear gain" in decoding.told(made, 4)
    assert set(decoding.WAYS) == set(decoded(np_maps()))


def np_maps():
    import torch

    return torch.zeros(1, 1, 4, 4)


def test_the_least_part_is_named():
    rng = np.random.default_rng(0)
    parts = []
    whole = np.ones((30, 4), bool)
    for name, share in (("encoder.0", 0.2), ("bottleneck", 0.9), ("skips.0", 0.6)):
        some = rng.random((30, 4)) < share
        kept = Truncation({0: some, 1: some, 4: whole}, whole, np.full((30, 4), 2), np.arange(30))
        parts.append(truncation.Part(name, components.principal(rng.normal(size=(50, 4))), kept))
    shown = redundancy_figures.redundancy(parts, 50)
    assert "replaces the encoder, level 1" in shown.alt and "for the bottleneck" in shown.alt
    told = redundancy_figures.told(parts)
    assert "4 in the skip at level 1" in told and "the bottleneck" in told and "100 %" in told


def test_what_moving_did_is_said():
    up, down = Estimate(0.1, 0.05, 0.15), Estimate(-0.1, -0.15, -0.05)
    ways = [
        (who, where) for who in ("misplaced", "well placed") for where in (interventions.ACROSS, interventions.ASTRAY)
    ]
    moves = [interventions.Moved(who, where, step, down, 9) for who, where in ways for step in (0.5, 1.0)]
    answers = {"latents": (interventions.Bound(up, 9, 40), moves)}
    assert "predicted worse" in correction_figures.told(answers)
    assert isinstance(correction_figures.correction(answers), Plate)
    none = {"latents": (interventions.Bound(Estimate(np.nan, np.nan, np.nan), 0, 0), [])}
    assert "nobody misplaced" in correction_figures.told(none).lower()
    assert "nothing to correct" in correction_figures.correction(none).alt


def ledger_of(profile, verdicts):
    rows = [
        {"id": i, "sentence": "It is so.", "value": "1", "source": "6.2", "measured": "2", "verdict": v, "reason": "",
         "shown": []} for i, v in verdicts.items()
    ]  # fmt: skip
    record = made_up.chain([{"hourglass": 0.4}] * 2, profile)
    return Column(f"{profile} on embedded", Result(rows, record))


def test_findings_that_survive_are_told_from_those_that_do_not():
    first = ledger_of("small", {"C7": "holds", "C8": "fails", "C9": "holds", "C13": "undecided", "C31": "holds"})
    second = ledger_of("best", {"C7": "holds", "C8": "holds", "C9": "fails", "C13": "holds", "C31": "fails"})
    text = survival.told([first, second]).text
    assert "3 are decided in both columns. Surviving: C7; holding only with the thesis's targets: C9" in text
    assert "only in the better model: C8" in text
    assert "C31" not in survival.table([first, second]).markdown(), "what was left for later is no finding"
    assert "C31" in survival.later([first, second]).markdown()
    assert "make claims PROFILE=better" in survival.told([first]).text
    assert {claim.id for claim in CLAIMS} >= {*survival.FINDINGS, *survival.LATER}


def test_recipes_are_profiles(house):
    for file in (house / "profiles").glob("best-*.toml"):
        file.unlink()
    assert "no recipe" in recipes.recipes().text
    shutil.copy(house / "profiles/small.toml", house / "profiles/best-5.toml")
    table = recipes.recipes().markdown()
    assert "`hgnb train best --minutes 5`" in table and "64 px" in table


def test_other_records_are_held_beside(monkeypatch):
    """A row a record, with the mean of its seeds; how often the best holds the others' PCK; without any it says so."""
    made = record()
    monkeypatch.setattr(elsewhere, "records", lambda: [made, record(seeds=1, better=0.3)])
    text = elsewhere.elsewhere().markdown()
    mean = np.mean([o.pck["all"].value for o in made.of("best")])
    assert f"{mean:.3f}" in text and text.count("small on embedded") == 2
    lines = elsewhere.times().text.splitlines()
    base = np.mean([o.pck["all"].value for o in made.of("thesis")])
    assert f"{mean / base:.1f} times that of the thesis's numbers" in lines[0] and len(lines) == 2
    monkeypatch.setattr(elsewhere, "records", list)
    assert "make beyond" in elsewhere.elsewhere().text and "make beyond" in elsewhere.times().text
