"""From runs to evidence: planted structure is found, what isn't trained is asked for and nothing is trained."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from test_claims import CASES, TINY
from test_explain import COCO, persons

from hgnb.data.heatmaps import heatmaps
from hgnb.explain import clusters, components, posture, skips
from hgnb.explain.claims import cluster_evidence as latent
from hgnb.explain.claims import collect, component_evidence, evidence
from hgnb.explain.claims import study as studies
from hgnb.explain.claims.catalogue import CLAIMS
from hgnb.explain.claims.estimate import UNKNOWN
from hgnb.explain.claims.ledger import judge
from hgnb.explain.claims.study import Study
from hgnb.explain.distances import distances
from hgnb.training import forks
from hgnb.training.fit import Untrained, finished_only
from hgnb.training.runs import runs_folder

# Clusters


def blobs(apart, n=120, width=6, seed=0):
    """(n, width): a Gaussian cloud, its halves moved `apart` along the first axis."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((n, width))
    points[: n // 2, 0] += apart
    return points.astype(np.float32)


@pytest.fixture
def small():
    """Stands for a study where only its settings are asked for."""
    return SimpleNamespace(seed=0, analysis=SimpleNamespace(clusters=(2, 3, 4), restarts=2, resamples=20))


def test_two_clouds_are_told_from_one(small):
    images = np.arange(120)
    for apart, clear in ((12, True), (0, False)):
        points = blobs(apart)
        swept = clusters.sweep(points, small.analysis.clusters, 2, 0)
        record = latent.best_k(points, distances(points), swept, images, small)
        assert (record["excess"].low > 0) == clear
        assert record["resamples"] == 20
        if clear:
            assert (record["best"], record["won"]) == (2, 1.0)
    pair = blobs(0, n=2)
    few = clusters.sweep(pair, (2, 3), 2, 0)
    assert "too few" in latent.best_k(pair, distances(pair), few, images[:2], small)["lacking"]


def test_parted_by_what_was_planted():
    points, images = blobs(12), np.repeat(np.arange(60), 2)
    labels = clusters.sweep(points, (2,), 2, 0).of(2)
    key = np.r_[np.full(60, 15.0), np.full(60, 4.0)] + np.arange(120) % 3
    record = latent.parted(clusters.clustering(points, labels, key, images), seed=0)
    assert record["auc"].low == 1 and record["misplaced"].value == 0
    noise = latent.parted(clusters.clustering(points, labels, key[::-1].copy()[np.arange(120) * 7 % 120], images), 0)
    assert noise["auc"].low < 0.7


def placed(labelled, flags, found, keypoints=17):
    """Stands for a study of these persons, each on a photograph of their own: who is misplaced, what is found."""
    n, joints = len(labelled), np.arange(keypoints)
    wrong = clusters.Misplaced(flags, np.ones(n, bool), (0, 0), np.arange(n))
    return SimpleNamespace(
        sample=np.arange(n),
        train=SimpleNamespace(visibility=2 * (joints < labelled[:, None])),
        skips=SimpleNamespace(on=joints < found[:, None]),
        by_labels=SimpleNamespace(misplaced=wrong),
    )


def test_being_sparse_alone_is_no_worse():
    """Everybody finds a half, but the misplaced have fewer labels: no gap. A planted loss is found."""
    rng = np.random.default_rng(0)
    flags = rng.random(3000) < 0.3
    labelled = rng.integers(2, 18, 3000) // np.where(flags, 2, 1)
    labelled = np.maximum(labelled, 1)
    fair, worse = rng.binomial(labelled, 0.5), rng.binomial(labelled, np.where(flags, 0.3, 0.5))
    none = latent.equal_labels_gap(placed(labelled, flags, fair))
    assert none.low < 0 < none.high
    planted = latent.equal_labels_gap(placed(labelled, flags, worse))
    assert planted.value == pytest.approx(0.2, abs=0.03) and planted.low > 0.1
    assert not latent.equal_labels_gap(placed(labelled, np.zeros(3000, bool), fair)).known


def test_adjusted_rand_is_scikit_learns():
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b = rng.integers(0, 2, (2, 40))
        table = [((a == i) & (b == j)).sum() for i in (0, 1) for j in (0, 1)]
        if 0 < a.sum() < 40 and 0 < b.sum() < 40:
            assert latent.adjusted_rand(*map(float, table)) == pytest.approx(adjusted_rand_score(a, b))


def test_the_third_cluster_against_motion():
    """K = 3 divides cluster 1: once by motion, once by a coin."""
    pair = np.repeat([0, 1], 200)
    coin = np.random.default_rng(0).integers(0, 2, 400)
    images = np.arange(400) // 2
    triple = np.where(pair == 0, 2, coin)
    by_motion = latent.divided(pair, triple, coin.astype(float), images, 0)
    assert by_motion["rand"].value == 1 and abs(by_motion["auc"].value) == 0.5
    other = np.random.default_rng(1).integers(0, 2, 400).astype(float)
    by_chance = latent.divided(pair, triple, other, images, 0)
    assert abs(by_chance["rand"].value) < 0.05 and by_chance["rand"].high < 0.2
    assert latent.divided(pair, triple, np.full(400, np.nan), images, 0)["rand"] is UNKNOWN


# Components


def test_traits_are_what_was_planted():
    """A component made of the motion score tells it, and the others stay within chance."""
    rng = np.random.default_rng(0)
    keypoints = np.concatenate([rng.uniform(2, 60, (300, 17, 2)), np.full((300, 17, 1), 2.0)], 2)
    split = persons(keypoints)
    states = posture.postures(split, COCO)
    latents = rng.standard_normal((300, 40)) * np.linspace(3, 1, 40)
    latents[:, 0] *= 30
    latents[:, 1] = 20 * stats.zscore(states.motion_score)  # so the second component
    schema = SimpleNamespace(schema=COCO)
    study = SimpleNamespace(train=split, states=states, full=components.complete(split), prepared=schema)
    found = component_evidence.told(components.principal(latents), study)
    assert abs(found["PC 2, motion (correlation)"].value) > 0.95
    assert abs(found["PC 30, motion (correlation)"].value) < 0.3
    assert not found["PC 2, labelled (correlation)"].known, "all have as many"
    assert {name.split(",")[0] for name in found} == {"PC 2", "PC 3", "PC 10", "PC 30"}


def test_two_components_hold_what_pca_says():
    points = blobs(12)
    told = component_evidence.two(components.principal(points), np.arange(120))
    assert told.value == pytest.approx(PCA(2).fit(points).explained_variance_ratio_.sum(), rel=1e-5)
    assert told.low < told.value < told.high


def test_median_of_a_few():
    told = latent.median(np.array([2, 2, 3, 17, 2]), np.arange(5), 0)
    assert (told.value, told.low) == (2, 2) and told.high <= 17


# Skips and losses


def test_ratio_and_rise_by_hand():
    on, off = np.array([[1, 1, 1, 0]], bool), np.array([[1, 0, 0, 0]], bool)
    visibility = np.array([[2, 1, 0, 2]])
    assert evidence.ratio(on, off, visibility, np.zeros(1)).value == 0.5  # the third isn't labelled
    assert evidence.ratio(~on, off, np.array([[2, 2, 2, 0]]), np.zeros(1)) is UNKNOWN
    assert studies.rise(np.array([3.0, 4.0]), np.array([2.0, 3.0]), np.arange(2)).value == pytest.approx(7 / 5 - 1)


# Runs


@pytest.fixture(scope="module")
def gathered(trained):
    """The study and the evidence of a home with a finished hourglass and nothing else."""
    experiment, _ = trained
    runs = collect.finished(experiment)
    study = Study(experiment, runs)
    return study, collect.gathered(study, lambda words: None)


def test_only_what_is_finished_is_read(gathered):
    study, record = gathered
    assert list(study.runs) == ["hourglass"]
    assert len(list(runs_folder().iterdir())) == 1, "asking leaves no folder"
    assert "hgnb train autoencoder" in record["C18"]["needs"]
    assert "hgnb train modified" in record["C19"]["needs"] and "make claims" in record["C28"]["needs"]
    assert "never dropped" in record["C3"]["needs"] and "make claims" in record["C34"]["needs"]


def test_every_claim_has_evidence_as_its_rule_reads_it(gathered):
    """The names that a rule reads are those that runs give."""
    _, record = gathered
    assert set(record) == set(CASES)
    assert sum("needs" not in r for r in record.values()) >= 15
    for name, found in record.items():
        if "needs" not in found and not found.get("lacking"):
            assert set(CASES[name][0][0]) <= set(found), name


def test_groups_cover_each_claim_once():
    claims = [name for group in evidence.GROUPS for name in group.claims]
    assert sorted(claims) == sorted(CASES)


def test_scores_are_the_readers_and_torchs(gathered):
    study, _ = gathered
    made, config = study.scores("hourglass"), study.experiment.profile
    reader, split = study.experiment.reader(study.runs["hourglass"]), study.test
    assert (made.hits == reader.predict(split).hits(config.pck).numpy()).all()
    points, flags = (torch.from_numpy(split.keypoints[..., part]) for part in (slice(2), 2))
    maps = torch.from_numpy(reader.heatmaps(split))
    truth = heatmaps(points, flags, side=config.data.side, size=maps.shape[-1], config=config.heatmaps)
    assert made.loss.mean() == pytest.approx(float(F.mse_loss(maps, truth)), rel=1e-4)


def test_evidence_is_gathered_once(gathered, monkeypatch):
    study, before = gathered
    monkeypatch.setattr(Study, "scores", lambda *given, **named: pytest.fail("computed again"))
    again = collect.gathered(Study(study.experiment, study.runs), lambda words: pytest.fail(words))
    assert again["C6"] == before["C6"] and again["C7"] == before["C7"]


def test_a_ledger_without_runs_trains_nothing(trained):
    experiment, _ = trained
    other = replace(experiment, seed=7)
    before = sorted(runs_folder().iterdir())
    made = collect.result(other)
    assert sorted(runs_folder().iterdir()) == before
    assert made.manifest.seeds == [0], "the seed that is there is listed, the asked one isn't"
    rows = {row["id"]: row for row in made.rows}
    assert rows["C7"]["verdict"] == "needs" and "hgnb train hourglass" in rows["C7"]["reason"]
    assert any("hgnb train modified --profile smoke" in line and "--seed 7" in line for line in collect.remedies(other))
    json.dumps(made.facts(), allow_nan=False)


def test_finished_only_raises_and_ends(trained):
    experiment, run = trained
    with finished_only():
        assert experiment.hourglass().id == run.id
        with pytest.raises(Untrained, match="autoencoder"):
            experiment.autoencoder()
    assert not any(f.name.startswith("autoencoder") for f in runs_folder().iterdir())


def test_forks_differ_in_the_rate_alone(trained, monkeypatch):
    experiment, run = trained
    assert forks.fork(experiment, "fork-kept") is None, "this rate never dropped"
    asked = []
    monkeypatch.setattr(type(experiment), "further", lambda self, *given, **named: asked.append((given, named)))
    (run.folder / "drop.ckpt").write_bytes(b"")
    try:
        for name in forks.NAMES:
            forks.fork(experiment, name)
    finally:
        (run.folder / "drop.ckpt").unlink()
    (dropped, where), (kept, there) = asked
    assert where == there == {"checkpoint": "drop"}
    factor = experiment.profile.training.drop_factor
    assert dropped[2].rate * factor == pytest.approx(kept[2].rate)
    assert replace(dropped[2], rate=0.0) == replace(kept[2], rate=0.0)
    assert kept[2].epochs == 3 and kept[2].keep_optimiser and not kept[2].keep_rate


# What the thesis left to others


class Planted(Study):
    """A study whose networks find the keypoints that were planted, by run and split; nothing is trained or read."""

    def __init__(self, hits, people, seed=0):
        super().__init__(SimpleNamespace(seed=seed), {})
        self.hits, self.people = hits, people

    train = test = property(lambda self: self.people)

    def scores(self, name, epoch="val_pck", split="test"):
        return studies.Scores(self.hits[name], np.zeros(len(self.people)))

    @property
    def skips(self):
        on = off = np.ones(self.people.visibility.shape, bool)
        nobody = np.zeros(0, int)
        return skips.SkipStudy(on, off, self.people.visibility, self.people.image_ids, COCO, (), nobody, None)


def planted(seed, chances):
    """300 persons, two on each photograph and most keypoints visible, and networks with a chance for each keypoint."""
    rng, shape = np.random.default_rng(seed), (300, 17)
    keypoints = np.concatenate([np.full((*shape, 2), 20.0), rng.choice([1.0, 2.0], (*shape, 1), p=[0.3, 0.7])], 2)
    hard = rng.random(shape)  # the same keypoints are hard for each network
    hits = {name: hard < np.broadcast_to(chance, shape) for name, chance in chances.items()}
    return Planted(hits, persons(keypoints, images=np.arange(300) // 2), seed)


def retrained_with(small, big):
    """A network without skips that finds small and big joints with these chances, beside one that finds most."""
    chance = np.full(17, (small + big) / 2)
    chance[list(COCO.index(*skips.SMALL))], chance[list(COCO.index(*skips.BIG))] = small, big
    return {"hourglass": 0.9, "without-skips": chance}


STACKS = ("two-modified", "two-modified-25", "four-plain")


@pytest.mark.parametrize(
    ("claim", "gather", "chances", "verdict"),
    [
        ("C31", evidence.retrained, retrained_with(0.1, 0.4), "holds"),
        ("C31", evidence.retrained, retrained_with(0.8, 0.85), "fails"),  # hardly anything is lost
        ("C31", evidence.retrained, retrained_with(0.3, 0.1), "fails"),  # the big joints lose more
        ("C31", evidence.retrained, retrained_with(0.25, 0.25), "undecided"),
        ("C32", evidence.visible_only, {"hourglass": 0.5, "visible-only": 0.6}, "holds"),
        ("C32", evidence.visible_only, {"hourglass": 0.6, "visible-only": 0.5}, "fails"),
        ("C34", evidence.stacked, dict(zip(STACKS, (0.6, 0.6, 0.5), strict=True)), "holds"),
        ("C34", evidence.stacked, dict(zip(STACKS, (0.4, 0.4, 0.5), strict=True)), "fails"),
        ("C34", evidence.stacked, dict(zip(STACKS, (0.6, 0.5, 0.6), strict=True)), "fails"),  # 25 units are too few
        ("C34", evidence.stacked, dict(zip(STACKS, (0.48, 0.48, 0.5), strict=True)), "undecided"),
    ],
)
def test_networks_trained_for_later_claims_are_judged(claim, gather, chances, verdict):
    """Five seeds of made-up networks, from their hits to the verdict."""
    rows = judge([gather(planted(seed, chances)) for seed in range(5)], TINY, [c for c in CLAIMS if c.id == claim])
    assert [row.verdict for row in rows] == [verdict] and rows[0].seeds == 5


def test_evidence_about_retrained_networks_by_hand():
    study = planted(0, retrained_with(0.1, 0.4))
    made, seen = study.hits, study.people.visibility > 0
    record = evidence.retrained(study)["C31"]
    assert record["ratio"].value == pytest.approx(
        (made["without-skips"] & seen).sum() / (made["hourglass"] & seen).sum()
    )
    counted = made["hourglass"] & (study.people.visibility == 2)
    share = [(made["without-skips"] & counted)[:, list(COCO.index(*n))].sum() / counted[:, list(COCO.index(*n))].sum()
             for n in (skips.SMALL, skips.BIG)]  # fmt: skip
    assert record["gap"].value == pytest.approx(share[0] - share[1])
    study = planted(1, {"hourglass": 0.5, "visible-only": 0.6})
    sure = study.people.visibility == 2
    assert not evidence.visible_only(study)["C32"]["lacking"]
    gain = ((study.hits["visible-only"] & sure).sum() - (study.hits["hourglass"] & sure).sum()) / sure.sum()
    assert evidence.visible_only(study)["C32"]["gain"].value == pytest.approx(gain)
    study.people.keypoints[..., 2] = 2
    (row,) = judge([evidence.visible_only(study)], TINY, [c for c in CLAIMS if c.id == "C32"])
    assert row.verdict == "needs" and "no hidden keypoint" in row.reason, "both trainings are one"
